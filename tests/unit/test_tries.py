"""Wrong passwords: after ten no further one is looked at for a while, and nobody pays for another's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.tries import Tries, sender

EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 90)), max_size=60)


@given(events=EVENTS)
def test_ten_wrong_ones_of_the_last_five_minutes_are_enough(events: list[tuple[str, int]]) -> None:
    now = 0.0
    tries = Tries(clock=lambda: now)
    noted: list[tuple[str, float]] = []
    for who, pause in events:
        now += pause
        recent = [moment for other, moment in noted if other == who and now - moment < 300]
        assert tries.are_used_up(who) == (len(recent) >= 10)
        if len(recent) < 10:
            tries.note(who)
            noted.append((who, now))


@given(words=st.text(" ,.:0123456789abc\x00é", max_size=80))
def test_only_what_a_proxy_of_ours_says_counts(words: str) -> None:
    assert sender("10.0.0.1", words, has_proxy=False) == "10.0.0.1"
    assert sender("10.0.0.1", f"{words}, 10.9.9.9", has_proxy=True) == "10.9.9.9"
    assert sender("10.0.0.1", " ", has_proxy=True) == "10.0.0.1"
