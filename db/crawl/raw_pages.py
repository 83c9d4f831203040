"""The raw pages that are kept, read in small portions, so that memory stays flat however many there are.

Everything here runs in the caller's transaction, which acts for the pages' owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import psycopg
from msgspec import Struct

from db.queries import statements
from db.rows import PackedPageRow
from db.sanitize import storable_text

Key = TypeVar("Key")

PORTION = 4000  # headings at a time

STORED_FIELDS = (
    *("url", "title", "description", "product", "status", "state", "priority", "severity", "issue_type"),
    *("reporter", "owner", "manager", "registered_date", "modified_date", "closed_date", "project_code"),
    *("project_name", "site", "customer", "module", "found_version", "fixed_version", "target_version"),
    "full_data",
)


class Selected(Struct, frozen=True, kw_only=True):
    """Which issues' pages are wanted."""

    user_id: int
    tracker_id: int
    session_id: int | None = None  # only issues that this session found
    issue_id: str | None = None  # only this one
    quarantined: bool = False  # only issues of which a page is in quarantine


class Heading(NamedTuple):
    """A kept page without its bytes."""

    issue_id: str
    raw_page_id: int
    part: str
    size: int  # bytes, inflated
    fetched_at: datetime  # the same for all pages of one fetch
    quarantined: bool


async def headings(
    connection: psycopg.AsyncConnection, selected: Selected, after: str
) -> list[tuple[str, list[Heading]]]:
    """List what is kept of the next issues.

    Args:
        connection: in a transaction.
        selected: whose pages, and of which issues.
        after: the last issue that was listed; empty at first.

    Returns:
        Each issue with its headings, the latest first; nothing when there are no more.
    """
    rows = await connection.execute(
        statements("kept_pages")["headings"],
        {
            "user_id": selected.user_id,
            "tracker_id": selected.tracker_id,
            "session_id": selected.session_id,
            "issue_id": selected.issue_id,
            "quarantined": selected.quarantined,
            "after": after,
            "limit": PORTION,
        },
    )
    found = [Heading._make(row) for row in await rows.fetchall()]
    issues = [(number, list(of_it)) for number, of_it in groupby(found, attrgetter("issue_id"))]
    # The last one's list may be cut off; alone, it still has the latest pages.
    return issues[:-1] if len(found) == PORTION and len(issues) > 1 else issues


async def archive(
    connection: psycopg.AsyncConnection, *, user_id: int, tracker_id: int | None, after: int
) -> list[Heading]:
    """List the next pages in the order in which they were kept, whatever became of them.

    Args:
        connection: in a transaction.
        user_id: the owner.
        tracker_id: only this tracker's; None: all.
        after: the ``raw_page_id`` of the last one that was listed; 0 at first.
    """
    rows = await connection.execute(
        statements("kept_pages")["archive"],
        {"user_id": user_id, "tracker_id": tracker_id, "after": after, "limit": PORTION},
    )
    return [Heading._make(row) for row in await rows.fetchall()]


async def read_pages(
    connection: psycopg.AsyncConnection, *, user_id: int, raw_page_ids: Sequence[int]
) -> dict[int, PackedPageRow]:
    """Read pages as they are kept, by their ``raw_page_id``."""
    rows = await connection.execute(
        statements("kept_pages")["pages"],
        {"user_id": user_id, "raw_page_ids": list(raw_page_ids)},
        binary=True,
    )
    return {
        number: PackedPageRow(
            url=url or "",
            body=body or b"",
            size=size,
            sha256=sha256,
            content_type=content_type,
            part=part,
            status=status,
            fetched_at=fetched_at,
        )
        async for number, url, body, size, sha256, content_type, part, status, fetched_at in rows
    }


def portions(sizes: Mapping[Key, int], *, most: int, most_bytes: int) -> Iterator[list[Key]]:
    """Divide what has a size into portions of at most so many and, but for a single one, so many bytes."""
    portion: list[Key] = []
    total = 0
    for number, size in sizes.items():
        if portion and (len(portion) >= most or total + size > most_bytes):
            yield portion
            portion, total = [], 0
        portion.append(number)
        total += size
    if portion:
        yield portion


async def release(connection: psycopg.AsyncConnection, *, user_id: int, raw_page_ids: Sequence[int]) -> int:
    """Let pages out of quarantine; how many were in it comes back."""
    if not raw_page_ids:
        return 0
    done = await connection.execute(
        statements("kept_pages")["release"], {"user_id": user_id, "raw_page_ids": list(raw_page_ids)}
    )
    return done.rowcount


async def blame(connection: psycopg.AsyncConnection, *, user_id: int, reasons: Mapping[int, str]) -> None:
    """Write anew why pages in quarantine cannot be read, by their ``raw_page_id``; others are left alone."""
    if not reasons:
        return
    await connection.execute(
        statements("kept_pages")["blame"],
        {
            "user_id": user_id,
            "raw_page_ids": list(reasons),
            "reasons": [storable_text(reason) for reason in reasons.values()],
        },
    )


async def stored_fields(
    connection: psycopg.AsyncConnection, *, user_id: int, tracker_id: int, issue_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The columns of stored issues under the names of an ``IssueRow``'s fields, by the issues' numbers."""
    rows = await connection.execute(
        statements("kept_pages")["stored"],
        {"user_id": user_id, "tracker_id": tracker_id, "issue_ids": list(issue_ids)},
    )
    return {
        number: dict(zip(STORED_FIELDS, values, strict=True)) for number, *values in await rows.fetchall()
    }
