"""Walks through the result list of IMS, which shifts while it is read.

The list is addressed by page numbers only. An issue that appears on top pushes the others down, so that a row
comes twice; one that leaves the list pulls them up, so that a row is missed; one that moves to the top does
both. Each of these changes the total, or shows a row again. A sweep in which that happened is followed by
another one, until the list was at rest, or two sweeps in a row bring nothing new (one is not enough: of 8,000
simulated walks five missed an issue then).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Final

from crawler.errors import TrackerError
from crawler.source import Reference, SearchPage
from crawler.sources.ims.parse import Listing

MOST_SWEEPS: Final = 5
_BARREN_SWEEPS: Final = 2
PAGE_SIZE: Final = 10  # rows of a page, whatever is asked for


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a walk has come; as JSON it is the cursor of a `SearchPage`."""

    page: int = 1  # the page to read next
    sweep: int = 1
    size: int = 0  # rows of a full page; 0: none was read
    total: int | None = None
    shifted: bool = False  # the list changed during this sweep
    found_new: bool = False  # this sweep found an issue that no earlier one had
    barren: int = 0  # sweeps in a row, up to the one before, that found nothing new
    previous: tuple[str, ...] = ()  # the issues of the page before

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """Read a cursor.

        Raises:
            TrackerError: it is none of this source.
        """
        if text is None:
            return cls()
        try:
            known = json.loads(text)
            cursor = cls(**{**known, "previous": tuple(str(number) for number in known["previous"])})
            if not (cursor.page >= 1 and cursor.sweep >= 1 and cursor.size >= 0):
                raise ValueError("numbers out of range")
        except (ValueError, TypeError, KeyError) as error:
            raise TrackerError("The place to go on from is none of an IMS search.") from error
        return cursor

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


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
    place = Cursor.parse(cursor)
    seen: set[str] = set(place.previous)  # in all sweeps
    swept: set[str] = set(place.previous)  # in this one
    given = 0
    while limit is None or given < limit:
        listing = await ask(place.page)
        rows = {row.issue_id: row for row in listing.rows}
        fresh = [row for number, row in rows.items() if number not in seen]
        following = _after(place, listing, twice=not swept.isdisjoint(rows), fresh=bool(fresh))
        seen.update(rows)
        swept.update(rows)
        if limit is not None:
            del fresh[limit - given :]
        given += len(fresh)
        references = tuple(
            Reference(issue_id=row.issue_id, url=refer(row.issue_id), listed=row.columns) for row in fresh
        )
        if following is None or (limit is not None and given >= limit):
            yield SearchPage(references=references, cursor=None, total=listing.total)
            return
        yield SearchPage(references=references, cursor=str(following), total=listing.total)
        if following.page == 1:
            swept.clear()
        place = following


def _after(place: Cursor, listing: Listing, *, twice: bool, fresh: bool) -> Cursor | None:
    """Where to go on after a page; None where the walk is over.

    Args:
        place: where the page was read.
        listing: the page.
        twice: this sweep had one of its issues before.
        fresh: no sweep had one of its issues before.
    """
    numbers = tuple(row.issue_id for row in listing.rows)
    repeated = numbers == place.previous
    size = place.size or max(len(numbers), PAGE_SIZE)
    # Past its end the list repeats its last page; before it, ten issues have moved to the top.
    past_end = repeated and (listing.total is None or (place.page - 1) * size >= listing.total)
    told_otherwise = place.total is not None and listing.total != place.total
    here = replace(
        place,
        size=size,
        total=listing.total,
        shifted=place.shifted or told_otherwise or (twice and not past_end),
        found_new=place.found_new or fresh,
        previous=numbers,
    )
    barren = 0 if here.found_new else place.barren + 1
    fresh_start = Cursor(sweep=place.sweep + 1, barren=barren)
    if not _is_last(here, numbers, repeated):
        if len(numbers) < here.size > PAGE_SIZE and place.sweep < MOST_SWEEPS:
            return replace(fresh_start, size=PAGE_SIZE)  # pages are no longer of the size that was granted
        return replace(here, page=place.page + 1)
    if not here.shifted or barren >= _BARREN_SWEEPS or place.sweep >= MOST_SWEEPS:
        return None
    return fresh_start


def _is_last(here: Cursor, numbers: tuple[str, ...], repeated: bool) -> bool:
    if not numbers or repeated:
        return True
    if here.total is None:
        return len(numbers) < here.size
    return here.page * here.size >= here.total
