"""A raw page as it is kept: compressed, known by the hash of what it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Annotated

import zstandard
from msgspec import Meta, Struct

from crawler.errors import PageDamaged
from crawler.limits import LARGEST_PAGE
from crawler.source import RawPage

LEVEL = 1  # 42 KB of HTML: 0.1 ms; level 3 is a tenth smaller and half as fast


class KeptPage(Struct, frozen=True, kw_only=True):
    """One answer of a tracker, packed."""

    url: str  # the final address, without secrets
    body: bytes  # zstd
    size: Annotated[int, Meta(ge=0, le=LARGEST_PAGE)]  # bytes, inflated
    sha256: Annotated[bytes, Meta(min_length=32, max_length=32)]  # of the inflated bytes
    content_type: str | None = None
    part: str = "issue"
    status: int = 200
    fetched_at: datetime | None = None


def pack(page: RawPage) -> KeptPage:
    """Compress a page. Not for two threads at once."""
    return KeptPage(
        url=page.url,
        body=_compressor().compress(page.body),
        size=len(page.body),
        sha256=sha256(page.body).digest(),
        content_type=page.content_type,
        part=page.part,
        status=page.status,
        fetched_at=page.fetched_at,
    )


def inflate(page: KeptPage) -> RawPage:
    """The page that was packed.

    Raises:
        PageDamaged: the bytes are not the page they claim to be.
    """
    return RawPage(
        url=page.url,
        body=unpack(page.body, page.size),
        content_type=page.content_type,
        part=page.part,
        status=page.status,
        fetched_at=page.fetched_at,
    )


def unpack(body: bytes, size: int) -> bytes:
    """The inflated bytes of a page.

    Args:
        body: as they are kept.
        size: bytes, as kept beside them: no more than that is ever inflated.

    Raises:
        PageDamaged: they are not the page they claim to be.
    """
    try:
        is_size_told = zstandard.frame_content_size(body) in (size, -1)
        decompressor = zstandard.ZstdDecompressor(max_window_size=2**27)
        inflated = decompressor.decompress(body, max_output_size=size) if is_size_told else b""
    except zstandard.ZstdError as error:
        raise PageDamaged("A stored page cannot be read: its bytes are damaged.") from error
    if not is_size_told or len(inflated) != size:
        raise PageDamaged("A stored page cannot be read: its size is not the one written beside it.")
    return inflated


def are_kept(pages: Sequence[RawPage], hashes: Mapping[str, bytes]) -> bool:
    """Whether these are the pages with these hashes, by their part, all of them and no others."""
    if not hashes or {page.part for page in pages} != set(hashes) or len(pages) != len(hashes):
        return False
    return all(sha256(page.body).digest() == hashes[page.part] for page in pages)


@cache
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=LEVEL)
