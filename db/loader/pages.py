"""Raw pages: what a tracker answered, compressed, known by the hash of what it was, kept once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import psycopg

from db.loader.coerce import coerced_page, is_sane
from db.queries import statements
from db.rows import PackedPageRow
from db.sanitize import storable_text


async def keep(
    connection: psycopg.AsyncConnection,
    pages: Iterable[tuple[str, PackedPageRow]],
    *,
    user_id: int,
    tracker_id: int | None,
    session_id: int | None,
    quarantine_reason: str | None = None,
) -> int:
    """Store packed pages, identical ones once.

    Args:
        connection: in a transaction that acts for the user; may be in pipeline mode.
        pages: each with its issue's number.
        user_id: the owner.
        tracker_id: the owner's tracker.
        session_id: the session that brought them.
        quarantine_reason: why nobody could read them; None for pages that were read.

    Returns:
        How many different pages they are.
    """
    packed: dict[tuple[str, str, bytes], PackedPageRow] = {}
    for number, page in pages:
        one = coerced_page(page)
        packed[storable_text(number), one.part, one.sha256] = one
    if packed:
        values = {"user_id": user_id, "tracker_id": tracker_id, "session_id": session_id}
        reason = None if quarantine_reason is None else storable_text(quarantine_reason)
        await connection.execute(
            statements("loading")["keep_pages"], {**values, **_columns(packed), "quarantine_reason": reason}
        )
    return len(packed)


def _columns(packed: dict[tuple[str, str, bytes], PackedPageRow]) -> dict[str, Any]:
    pages = list(packed.values())
    lengths = [len(one.body) for one in pages]
    return {
        "issue_ids": [number for number, _, _ in packed],
        "parts": [part for _, part, _ in packed],
        "urls": [one.url for one in pages],
        "content_types": [one.content_type for one in pages],
        "statuses": [one.status for one in pages],
        "bodies": b"".join([one.body for one in pages]),
        "starts": list(accumulate(lengths[:-1], initial=1)),
        "lengths": lengths,
        "sizes": [one.size for one in pages],
        "hashes": [one.sha256 for one in pages],
        "fetched": [one.fetched_at if one.fetched_at and is_sane(one.fetched_at) else None for one in pages],
    }
