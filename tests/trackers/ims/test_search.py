"""The walk through a result list that shifts while it is read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.errors import UsageError
from crawler.sources.ims.parse.listing import Listing, Row
from crawler.sources.ims.search import MOST_SWEEPS, ImsCursor, walk


class Tracker:
    """A list of ten rows a page, whose last page repeats; `change` is called before each page is made."""

    def __init__(
        self, count: int, change: Callable[[Tracker], None] | None = None, size: int = 10, total: bool = True
    ) -> None:
        self.numbers = [str(number) for number in range(1000 + count, 1000, -1)]
        self.asked: list[int] = []
        self.size = size
        self._change = change
        self._total = total

    async def ask(self, page: int) -> Listing:
        if self._change:
            self._change(self)
        self.asked.append(page)
        last = max(1, -(-len(self.numbers) // self.size))
        start = (min(page, last) - 1) * self.size
        rows = tuple(Row(number) for number in self.numbers[start : start + self.size])
        return Listing(rows, len(self.numbers) if self._total else None, ())

    def add(self) -> None:
        self.numbers.insert(0, str(max(int(number) for number in self.numbers) + 1))


async def found(tracker: Tracker, *, cursor: str | None = None, limit: int | None = None) -> list[str]:
    pages = walk(tracker.ask, lambda number: f"issue/{number}", cursor=cursor, limit=limit)
    return [ref.issue_id async for page in pages for ref in page.references]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 57])
@pytest.mark.parametrize("total", [True, False])
async def test_a_list_at_rest_is_read_once(count: int, total: bool) -> None:
    tracker = Tracker(count, total=total)
    assert await found(tracker) == tracker.numbers
    assert len(tracker.asked) <= -(-count // 10) + 1


@pytest.mark.parametrize(("count", "asked"), [(39, 4), (40, 5), (41, 5)])
async def test_with_a_total_a_page_is_asked_for_in_vain_after_a_full_one_only(count: int, asked: int) -> None:
    tracker = Tracker(count)
    await found(tracker)
    assert tracker.asked == list(range(1, asked + 1))


@pytest.mark.parametrize("total", [0, 1, 9, 10, 15, 20, 57, "of the page"])
@pytest.mark.parametrize("size", [10, 20, 500])
@pytest.mark.parametrize("past_end", ["repeats", "is empty"])
async def test_a_total_below_what_is_listed_ends_nothing(total: int | str, size: int, past_end: str) -> None:
    tracker = Tracker(58, size=size)

    async def ask(page: int) -> Listing:
        rows = (await tracker.ask(page)).rows
        if past_end == "is empty" and (page - 1) * size >= 58:
            rows = ()
        return Listing(rows, total if isinstance(total, int) else len(rows), ())

    pages = [page async for page in walk(ask, str, cursor=None, limit=None)]
    numbers = [ref.issue_id for page in pages for ref in page.references]
    assert sorted(numbers) == sorted(tracker.numbers)
    assert all(page.total is None or page.total >= len(page.references) for page in pages)


async def test_a_list_that_is_empty_before_its_total_is_asked_again() -> None:
    tracker = Tracker(58)
    failed = False

    async def ask(page: int) -> Listing:
        nonlocal failed
        listing = await tracker.ask(page)
        if page == 4 and not failed:
            failed = True
            return Listing((), listing.total, ())
        return listing

    pages = walk(ask, str, cursor=None, limit=None)
    assert len([ref async for page in pages for ref in page.references]) == 58


@pytest.mark.parametrize("seed", range(300))
async def test_nothing_is_missed_and_nothing_comes_twice_while_the_list_shifts(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    changes = chance.randrange(1, 25)

    def shift(tracker: Tracker) -> None:
        nonlocal changes
        for _ in range(chance.choice([0, 0, 1, 1, 2, 15])):
            if changes <= 0 or len(tracker.numbers) < 2:
                return
            changes -= 1
            kind = chance.choice(["add", "remove", "move"])
            if kind == "add":
                tracker.add()
                continue
            number = tracker.numbers.pop(chance.randrange(len(tracker.numbers)))
            if kind == "move":
                tracker.numbers.insert(0, number)

    tracker = Tracker(chance.randrange(1, 80), shift)
    before = set(tracker.numbers)
    numbers = await found(tracker)
    assert before & set(tracker.numbers) <= set(numbers)
    assert len(numbers) == len(set(numbers))


async def test_a_list_that_never_rests_is_given_up_after_some_sweeps() -> None:
    tracker = Tracker(30, Tracker.add)
    numbers = await found(tracker)
    assert len(tracker.asked) < (MOST_SWEEPS + 1) * 10
    assert len(numbers) == len(set(numbers))


async def test_a_last_page_that_repeats_for_ever_ends_the_walk() -> None:
    tracker = Tracker(30)

    async def ask(page: int) -> Listing:
        listing = await tracker.ask(page)
        return Listing(listing.rows, 1_000_000, ())

    pages = walk(ask, str, cursor=None, limit=None)
    assert [ref.issue_id async for page in pages for ref in page.references] == tracker.numbers
    assert len(tracker.asked) == 12  # three sweeps, since the total promised more


async def test_large_pages_are_taken_where_they_are_granted() -> None:
    tracker = Tracker(1200, size=500)
    assert await found(tracker) == tracker.numbers
    assert tracker.asked == [1, 2, 3]


async def test_pages_that_become_small_on_the_way_lose_nothing() -> None:
    def shrink(tracker: Tracker) -> None:
        if len(tracker.asked) == 2:
            tracker.size = 10

    tracker = Tracker(1600, shrink, size=500)
    numbers = await found(tracker)
    assert sorted(numbers) == sorted(tracker.numbers)


async def test_rows_that_no_page_shows_do_not_hold_the_walk_up() -> None:
    tracker = Tracker(45)

    async def ask(page: int) -> Listing:
        listing = await tracker.ask(page)
        return Listing(listing.rows[1:], listing.total, ())

    pages = walk(ask, str, cursor=None, limit=None)
    numbers = [ref.issue_id async for page in pages for ref in page.references]
    assert numbers == [number for place, number in enumerate(tracker.numbers) if place % 10]
    assert tracker.asked == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("limit", [0, 1, 10, 11, 25])
async def test_a_limit_is_kept(limit: int) -> None:
    tracker = Tracker(25)
    assert await found(tracker, limit=limit) == tracker.numbers[:limit]
    assert len(tracker.asked) == -(-limit // 10)


async def test_every_cursor_goes_on_where_its_page_ended() -> None:
    tracker = Tracker(35)
    pages = [page async for page in walk(tracker.ask, str, cursor=None, limit=None)]
    assert [page.cursor is None for page in pages] == [False, False, False, True]
    for place, page in enumerate(pages[:-1], start=1):
        rest = await found(Tracker(35), cursor=page.cursor)
        assert rest == tracker.numbers[place * 10 :]


async def test_a_cursor_remembers_that_the_list_had_shifted() -> None:
    tracker = Tracker(30)
    pages = walk(tracker.ask, str, cursor=None, limit=None)
    await anext(pages)
    tracker.add()
    second = await anext(pages)
    rest = await found(tracker, cursor=second.cursor)
    assert tracker.numbers[0] in rest


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "{}", "null", '{"page": 0, "previous": []}', '{"page": "a", "previous": []}']
)
async def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(UsageError, match="go on"):
        await found(Tracker(5), cursor=cursor)


def test_a_cursor_is_what_it_was() -> None:
    cursor = ImsCursor(
        page=3, sweep=2, size=10, total=41, shifted=True, found_new=True, empty_sweeps=1, previous=("1", "2")
    )
    assert ImsCursor.read(cursor.text()) == cursor
    assert json.loads(cursor.text())["page"] == 3


@given(
    count=st.integers(0, 90),
    size=st.sampled_from([10, 20, 500]),
    shown=st.frozensets(st.integers(0, 90), max_size=90),
    past_end=st.sampled_from(["repeats", "is empty"]),
)
@example(count=90, size=10, shown=frozenset({0, 89}), past_end="is empty")
@settings(deadline=None)
async def test_rows_that_are_hidden_anywhere_lose_no_other(
    count: int, size: int, shown: frozenset[int], past_end: str
) -> None:
    tracker = Tracker(count, size=size)
    visible = [number for place, number in enumerate(tracker.numbers) if place in shown]

    async def ask(page: int) -> Listing:
        listing = await tracker.ask(page)
        rows = tuple(row for row in listing.rows if row.issue_id in visible)
        if past_end == "is empty" and (page - 1) * size >= count:
            rows = ()
        return Listing(rows, listing.total, ())

    pages = walk(ask, str, cursor=None, limit=None)
    numbers = [ref.issue_id async for page in pages for ref in page.references]
    assert numbers == visible


async def test_a_total_of_another_list_does_not_lead_through_empty_pages_for_ever() -> None:
    tracker = Tracker(30)

    async def ask(page: int) -> Listing:
        rows = (await tracker.ask(page)).rows if page <= 3 else ()
        return Listing(rows, 1_000_000, ())

    pages = [page async for page in walk(ask, str, cursor=None, limit=None)]
    assert [ref.issue_id for page in pages for ref in page.references] == tracker.numbers
    assert len(pages) < 200
