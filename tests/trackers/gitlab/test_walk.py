"""The walk through a list that changes meanwhile: whatever changes, nothing that stays is lost."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.errors import TrackerError
from crawler.sources.gitlab.cursor import GitLabCursor
from crawler.sources.gitlab.search import Row, page_at, step_of

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(milliseconds=1)
LARGEST = 9  # rows of a page
Listed = dict[int, timedelta]  # time of creation by the number, in microseconds


def page_of(listed: Listed, place: GitLabCursor, size: int) -> tuple[tuple[Row, ...], int, bool]:
    """What GitLab answers: microseconds decide, milliseconds are told."""
    page, size = page_at(place.offset, LARGEST) if place.offset else (1, size)
    rows = sorted(((BEGAN + at, number) for number, at in listed.items()), reverse=True)
    if place.until is not None:
        rows = [row for row in rows if row[0] <= place.until + TICK - timedelta(microseconds=1)]
    start = (page - 1) * size
    shown = tuple(
        Row(number=number, created=at.replace(microsecond=at.microsecond // 1000 * 1000), updated=None)
        for at, number in rows[start : start + size]
    )
    return shown, start, len(rows) > start + size


def walked(listed: Listed, size: int, changes: random.Random, vanishing: float) -> list[int]:
    """The numbers that a walk gives while issues vanish and new ones come."""
    given_numbers: list[int] = []
    place: GitLabCursor | None = GitLabCursor()
    newest = max(listed.values(), default=timedelta())
    for _ in range(2_000):
        if place is None:
            return given_numbers
        place = GitLabCursor.read(place.text())  # as it is kept with a session
        rows, start, more = page_of(listed, place, size)
        step = step_of(rows, place, start=start, more=more)
        given_numbers += [row.number for row in step.fresh]
        place = step.place
        while listed and changes.random() < vanishing:
            del listed[changes.choice(sorted(listed))]
        if changes.random() < vanishing:
            listed[max(listed, default=0) + 10_000] = newest + timedelta(hours=1)
    raise AssertionError("the walk does not end")


@given(
    moments=st.lists(st.integers(0, 3_000), max_size=40),
    size=st.integers(1, 7),
    seed=st.integers(0, 2**32),
    vanishing=st.sampled_from([0.0, 0.3, 0.8]),
)
@example(moments=[5] * 40, size=4, seed=1, vanishing=0.3)
@example(moments=[5] * 120, size=4, seed=3, vanishing=0.8)
@example(moments=[5] * 30 + [1_005] * 9, size=1, seed=2, vanishing=0.0)
@settings(max_examples=200, deadline=None)
def test_whatever_stays_is_given_and_nothing_twice(
    moments: list[int], size: int, seed: int, vanishing: float
) -> None:
    listed = {number: timedelta(microseconds=at) for number, at in enumerate(moments, start=1)}
    changes = random.Random(seed)  # noqa: S311 - no secret
    found = walked(listed, size, changes, vanishing)
    assert len(found) == len(set(found))
    assert {number for number in listed if number < 10_000} <= set(found)


@given(offset=st.integers(1, 60_000))
def test_a_page_has_the_row_before_an_offset_and_more_behind_it(offset: int) -> None:
    page, size = page_at(offset)
    start = (page - 1) * size
    assert size <= 100
    assert start < offset < start + size


@pytest.mark.parametrize("moments", [[1, 2], [9]])
def test_a_list_in_another_order_is_refused(moments: list[int]) -> None:
    rows = tuple(Row(number=at, created=BEGAN + timedelta(seconds=at), updated=None) for at in moments)
    place = GitLabCursor(until=BEGAN + timedelta(seconds=5), known=(5,))
    with pytest.raises(TrackerError, match="too old"):
        step_of(rows, place, start=0, more=True)


def test_a_page_that_moved_up_begins_its_millisecond_again() -> None:
    rows = (Row(number=4, created=BEGAN, updated=None),)
    place = GitLabCursor(until=BEGAN, known=(5, 6, 7), offset=3)
    for shown in (rows, ()):
        step = step_of(shown, place, start=2, more=False)
        assert step.fresh == ()
        assert step.place == GitLabCursor(until=BEGAN, known=(5, 6, 7))
