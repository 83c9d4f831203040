"""The watchdog speaks when nothing has moved for its limit, and only then."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sessions.watchdog import GIVE_UP, QUIET, Wait, Watchdog, limit

STEPS = st.lists(st.tuples(st.floats(0.1, 900), st.booleans(), st.sampled_from("ab")), max_size=30)


@given(STEPS, st.floats(1, 300))
def test_it_tells_of_a_stall_exactly_when_nothing_has_moved_for_the_limit(
    steps: list[tuple[float, bool, str]], quiet: float
) -> None:
    now = moved_at = patient = 0.0
    movement = 0
    told: tuple[str, float] | None = None
    dog = Watchdog(quiet, clock=lambda: now)
    dog.look(movement, lambda: Wait("a"))
    for seconds, moves, reason in steps:
        now += seconds
        if moves:
            movement, moved_at, patient, told = movement + 1, now, now, None
        stall = dog.look(movement, lambda reason=reason: Wait(reason, ends=reason == "b"))  # type: ignore[misc]
        assert (stall is not None) == (now - moved_at >= quiet)
        if stall is not None:
            assert (stall.seconds, stall.wait.what) == (now - moved_at, reason)
            patient = now if reason == "b" else patient
            assert stall.is_hopeless == (now - patient >= max(GIVE_UP, 10 * quiet))
            assert stall.is_news == (told is None or told[0] != reason or stall.seconds >= 2 * told[1])
            told = (reason, stall.seconds) if stall.is_news else told


def test_what_follows_a_pause_has_all_its_time() -> None:
    now = 0.0
    dog = Watchdog(60, clock=lambda: now)
    hopeless = []
    for now in range(0, 4 * 3600, 5):
        stall = dog.look("same", lambda: Wait("a pause", ends=True) if now < 2 * 3600 else Wait("an answer"))  # noqa: B023
        if stall is not None and stall.is_hopeless:
            hopeless.append(now)
    assert hopeless[0] == 2 * 3600 - 5 + GIVE_UP


def test_a_log_is_not_filled_by_a_long_stall() -> None:
    clock = iter(range(0, 24 * 3600, 5))
    dog = Watchdog(60, clock=lambda: float(next(clock)))
    lines = 0
    with suppress(StopIteration):
        while True:
            stall = dog.look("same", lambda: Wait("the database"))
            lines += stall is not None and stall.is_news
    assert lines == 11


@pytest.mark.parametrize(("rate", "seconds"), [(None, QUIET), (5.0, QUIET), (0.01, 300.0)])
def test_a_slow_tracker_is_no_stall(rate: float | None, seconds: float) -> None:
    assert limit(rate) == seconds
