"""Tar archives, read from front to back, so that they may come out of a compression."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

from crawler.files.names import decoded
from crawler.files.source import Source

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

_BLOCK = 1 << 18


def read_tar(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read the files in an archive. Links are none: what they lead to is not in them."""
    if not reading.may_open(place):
        return kind
    stream: Any = source  # of which read() only is used
    member: Source | None = None
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK, errors="surrogateescape") as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined] # it would remember them all
                content = archive.extractfile(info) if info.isfile() else None
                if content is None:
                    continue
                if not reading.member():
                    break
                member = reading.part(content)
                name = decoded(info.name.encode("utf-8", "surrogateescape"))
                reading.read(member, place.inside(name))
                if reading.over:
                    break
    except tarfile.TarError as error:
        # Where the archive ends within a member, that has been said of the member.
        if member is None or member.trouble is None:
            source.trouble = source.trouble or error
    return kind
