"""The files attached to an issue, and the patches, which have a list of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crawler.html import Node
from crawler.records import AttachmentRecord
from crawler.sources.ims.parse.download import Download
from crawler.sources.ims.parse.landmarks import FILES, PATCH_FILES

_CALL = re.compile(r"downloadFileNew\(\s*+['\"]?+([^'\",()]{1,200}+)['\"]?+\s*+,\s*+['\"]?+(\w{1,40})")
_SIZE = re.compile(
    r"\s*[(\[]\s*([0-9][0-9,]*(?:\.[0-9]+)?)\s*(bytes?|[KMGT]?i?B|[KMGT])\s*[)\]]", re.IGNORECASE
)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, slots=True)
class Files:
    """The attached files of one page."""

    records: tuple[AttachmentRecord, ...]
    links: int  # as many as the page shows, repeated ones included


def read_files(sections: Mapping[str, Node], download: Download) -> Files:
    """Read both lists of files.

    Args:
        sections: those of the issue page, by their ids.
        download: makes the address of a file.
    """
    records: dict[tuple[str, str], AttachmentRecord] = {}
    links = 0
    for section in (FILES, PATCH_FILES):
        passed: dict[str, int] = {}  # how far the words around the links were read
        for link in sections[section].select("[onclick*=downloadFileNew]") if section in sections else ():
            call = _CALL.search(link.attribute("onclick") or "")
            if call is None:
                continue
            links += 1
            number, kind = call[1].strip(), call[2]
            size = _size_beside(link, passed)
            file = AttachmentRecord(
                source_id=number,
                filename=link.line(),
                file_type="patch" if section == PATCH_FILES or kind.upper() == "PATCH" else None,
                file_size=size,
                download_url=download.address(number, kind),
            )
            records.setdefault((number, kind), file)
    return Files(tuple(records.values()), links)


def _size_beside(link: Node, passed: dict[str, int]) -> int | None:
    """The size in bytes that stands right after a link, rounded as the tracker rounds it."""
    if link.parent is None:
        return None
    around, name = link.parent.line(), link.line()
    start = around.find(name, passed.get(around, 0))
    if start < 0:
        return None
    passed[around] = start + len(name)
    match = _SIZE.match(around, start + len(name))
    if match is None:
        return None
    unit = match[2].lower().removeprefix("bytes").removeprefix("byte")[:1].replace("b", "")
    return round(float(match[1].replace(",", "")) * _UNITS[unit])
