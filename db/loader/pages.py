"""Raw pages: what a tracker answered, compressed, known by the hash of what it was, kept once."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import psycopg
import zstandard

from db.loader.coerce import is_sane, mended_page
from db.queries import statements
from db.rows import RawPageRow
from db.sanitize import storable_text

LEVEL = 1  # 42 KB of HTML: 0.1 ms; level 3 is a tenth smaller and half as fast

_own = threading.local()  # a compressor is not for two threads at once


class PackedPage(NamedTuple):
    """A page as it is stored."""

    page: RawPageRow
    body: bytes  # zstd
    size: int  # bytes, inflated
    sha256: bytes  # of the inflated bytes


def pack(page: RawPageRow) -> PackedPage:
    """Compress a page."""
    compressor = getattr(_own, "compressor", None)
    if compressor is None:
        compressor = _own.compressor = zstandard.ZstdCompressor(level=LEVEL)
    return PackedPage(page, compressor.compress(page.body), len(page.body), sha256(page.body).digest())


def unpack(body: bytes, size: int) -> bytes:
    """Return the inflated bytes of a stored page.

    Args:
        body: as stored.
        size: bytes, as stored beside it: no more than that is ever inflated.

    Raises:
        ValueError: the bytes are not the page they claim to be.
    """
    try:
        inflated = zstandard.ZstdDecompressor(max_window_size=2**27).decompress(body, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError("A stored page cannot be read: its bytes are damaged.") from error
    if len(inflated) != size:
        raise ValueError("A stored page cannot be read: its size is not the one written beside it.")
    return inflated


async def keep(
    connection: psycopg.AsyncConnection,
    pages: Iterable[tuple[str, RawPageRow]],
    *,
    user_id: int,
    tracker_id: int | None,
    session_id: int | None,
    quarantine_reason: str | None = None,
) -> int:
    """Store raw pages, identical ones once.

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
    packed: dict[tuple[str, str, bytes], PackedPage] = {}
    for number, page in pages:
        one = pack(mended_page(page))
        packed[storable_text(number), one.page.part, one.sha256] = one
    if packed:
        values = {"user_id": user_id, "tracker_id": tracker_id, "session_id": session_id}
        reason = None if quarantine_reason is None else storable_text(quarantine_reason)
        await connection.execute(
            statements("loading")["keep_pages"], {**values, **_columns(packed), "quarantine_reason": reason}
        )
    return len(packed)


def _columns(packed: dict[tuple[str, str, bytes], PackedPage]) -> dict[str, list[Any]]:
    pages = list(packed.values())
    return {
        "issue_ids": [number for number, _, _ in packed],
        "parts": [part for _, part, _ in packed],
        "urls": [one.page.url for one in pages],
        "content_types": [one.page.content_type for one in pages],
        "statuses": [one.page.status for one in pages],
        "bodies": [one.body for one in pages],
        "sizes": [one.size for one in pages],
        "hashes": [one.sha256 for one in pages],
        "fetched": [
            one.page.fetched_at if one.page.fetched_at and is_sane(one.page.fetched_at) else None
            for one in pages
        ],
    }
