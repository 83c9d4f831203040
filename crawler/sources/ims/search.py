"""Walks through the result list of IMS, which shifts while it is read.

The list is addressed by page numbers only. An issue that appears on top pushes the others down, so that a row
comes twice; one that leaves the list pulls them up, so that a row is missed; one that moves to the top does
both. Each of these changes the total, or shows a row again. A sweep in which that happened is followed by
another one, until the list was at rest, or two sweeps in a row bring nothing new (one is not enough: of 8,000
simulated walks five missed an issue then).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from crawler.cursor import Cursor
from crawler.issue_set import IssueSet
from crawler.source import Reference, SearchPage
from crawler.sources.ims.parse import Listing

MOST_SWEEPS: Final = 5
_EMPTY_SWEEPS: Final = 2
_MOST_EMPTY_PAGES: Final = 50  # in a row, as where the total is that of another list
PAGE_SIZE: Final = 10  # rows of a page, whatever is asked for


class ImsCursor(Cursor, frozen=True, kw_only=True, tag="ims"):
    """How far a walk has come; written down it is the cursor of a `SearchPage`."""

    page: Annotated[int, Meta(ge=1)] = 1  # the page to read next
    sweep: Annotated[int, Meta(ge=1)] = 1
    size: Annotated[int, Meta(ge=0)] = 0  # rows of a full page; 0: none was read
    total: int | None = None
    shifted: bool = False  # the list changed during this sweep
    found_new: bool = False  # this sweep found an issue that no earlier one had
    empty_sweeps: int = 0  # sweeps in a row, up to the one before, that found nothing new
    empty_pages: int = 0  # pages in a row, up to the one before, that showed nothing
    previous: tuple[str, ...] = ()  # the issues of the last page that showed any


Ask = Callable[[int], Awaitable[Listing]]
Refer = Callable[[str], str]


async def walk(ask: Ask, refer: Refer, *, cursor: str | None, limit: int | None) -> AsyncIterator[SearchPage]:
    """Yield the list page by page, each issue once.

    Args:
        ask: reads one page of the list, counted from 1.
        refer: makes the address of an issue.
        cursor: go on after the page that gave it. Issues of earlier pages may then come again.
        limit: stop after this many issues.
    """
    place = ImsCursor() if cursor is None else ImsCursor.read(cursor)
    seen = IssueSet(place.previous)  # in all sweeps
    swept = IssueSet(place.previous)  # in this one
    given = 0
    while limit is None or given < limit:
        listing = await ask(place.page)
        rows = {row.issue_id: row for row in listing.rows}
        fresh = [row for number, row in rows.items() if number not in seen]
        total = _believed(place, listing)
        following = _after(
            place, listing, total, twice=any(number in swept for number in rows), fresh=bool(fresh)
        )
        seen.update(rows)
        swept.update(rows)
        if limit is not None:
            del fresh[limit - given :]
        given += len(fresh)
        references = tuple(
            Reference(issue_id=row.issue_id, url=refer(row.issue_id), listed=row.columns) for row in fresh
        )
        if following is None or (limit is not None and given >= limit):
            yield SearchPage(references=references, cursor=None, total=total)
            return
        yield SearchPage(references=references, cursor=following.text(), total=total)
        if following.page == 1:
            swept.clear()
        place = following


def _believed(place: ImsCursor, listing: Listing) -> int | None:
    """The total, unless more than that was listed already."""
    size = place.size or max(len(listing.rows), PAGE_SIZE)
    new = 0 if _numbers(listing) == place.previous else len(listing.rows)
    listed = (place.page - 1) * size + new if new else 0
    return listing.total if listing.total is not None and listing.total >= listed else None


def _numbers(listing: Listing) -> tuple[str, ...]:
    return tuple(row.issue_id for row in listing.rows)


def _after(
    place: ImsCursor, listing: Listing, total: int | None, *, twice: bool, fresh: bool
) -> ImsCursor | None:
    """Where to go on after a page; None where the walk is over.

    Args:
        place: where the page was read.
        listing: the page.
        total: of the list, if it is to be believed.
        twice: this sweep had one of its issues before.
        fresh: no sweep had one of its issues before.
    """
    numbers = _numbers(listing)
    ended = (
        not numbers or numbers == place.previous
    )  # past its end the list is empty, or repeats its last page
    size = max(place.size, len(numbers), PAGE_SIZE)  # a first page that hides rows looks like a small one
    # A list that ends before its total is to be asked again: ten issues moved to the top, or a page failed.
    past_end = ended and (total is None or (place.page - 1) * size >= total)
    told_otherwise = place.total is not None and listing.total != place.total
    here = replace(
        place,
        size=size,
        total=listing.total,
        shifted=place.shifted or told_otherwise or ((twice or ended) and not past_end),
        found_new=place.found_new or fresh,
        empty_pages=0 if numbers else place.empty_pages + 1,
        previous=numbers or place.previous,
    )
    empty_sweeps = 0 if here.found_new else place.empty_sweeps + 1
    fresh_start = ImsCursor(sweep=place.sweep + 1, empty_sweeps=empty_sweeps)
    if not ended and not _is_last(here, len(numbers), total):
        if total is not None and len(numbers) < here.size > PAGE_SIZE and place.sweep < MOST_SWEEPS:
            return replace(fresh_start, size=PAGE_SIZE)  # pages are no longer of the size that was granted
        return replace(here, page=place.page + 1)
    # All rows of a page may be hidden from the account; the total counts them.
    goes_on = total is not None and place.page * size < total
    if not numbers and goes_on and here.empty_pages < _MOST_EMPTY_PAGES:
        return replace(here, page=place.page + 1)
    if not here.shifted or empty_sweeps >= _EMPTY_SWEEPS or place.sweep >= MOST_SWEEPS:
        return None
    return fresh_start


def _is_last(here: ImsCursor, rows: int, total: int | None) -> bool:
    """Whether the total says so of a page with rows. A full one may be followed by another all the same."""
    reached = total is not None and here.page * here.size >= total
    return reached and (rows < here.size or rows % PAGE_SIZE != 0)
