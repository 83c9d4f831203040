"""The files attached to an issue: in a list, as patches, or within its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from crawler.html import Node
from crawler.records import AttachmentRecord
from crawler.sources.ims.parse.download import Download
from crawler.sources.ims.parse.landmarks import COMMENTS, DESCRIPTION, FILES, PATCH_FILES

_CALL = re.compile(r"downloadFileNew\(\s*+['\"]?+([^'\",()]{1,200}+)['\"]?+\s*+,\s*+['\"]?+(\w{1,40})")
_LINKS: Final = "[onclick*=downloadFileNew], [href*=downloadFileNew]"
_AMOUNT = r"([0-9][0-9,]*(?:\.[0-9]+)?)\s*+"
_SIZE = re.compile(
    rf"\s*+(?:[(\[]\s*+{_AMOUNT}(bytes?|[KMGT]?i?B|[KMGT])\s*+[)\]]|[,:-]?\s*+{_AMOUNT}(bytes?|[KMGT]i?B)\b)",
    re.IGNORECASE,
)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Files(Struct, frozen=True):
    """The attached files of one page, or of a part of it."""

    found: Mapping[tuple[str, str], AttachmentRecord] = field(default_factory=dict)  # by number and kind
    links: int = 0  # as many as the lists show, repeated ones included
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> tuple[AttachmentRecord, ...]:
        """Each of them once, in the page's order."""
        return tuple(self.found.values())

    def followed_by(self, others: Files) -> Files:
        """These files, and then others that are not among them."""
        found = {**self.found, **others.found, **self.found}
        return Files(found, self.links + others.links, self.warnings + others.warnings)


def read_files(sections: Mapping[str, Node], download: Download, before: Files | None = None) -> Files:
    """Read both lists of files, and those within the texts.

    Args:
        sections: those of the issue page, by their ids.
        download: makes the address of a file.
        before: of the comments that stand before those of the section.
    """
    records: dict[tuple[str, str], AttachmentRecord] = {}
    links = 0
    warnings: list[str] = []
    for section in (FILES, PATCH_FILES, DESCRIPTION, COMMENTS):
        if section == COMMENTS and before is not None:
            records = {**records, **before.found, **records}
            warnings += before.warnings
        is_list = section in (FILES, PATCH_FILES)
        passed: dict[str, int] = {}  # how far the words around the links were read
        for link in sections[section].select(_LINKS) if section in sections else ():
            calls = _CALL.findall(f"{link.attribute('onclick') or ''} {link.attribute('href') or ''}")
            if not calls:
                if not is_list:
                    warnings.append("A text has a link to a file that cannot be read.")
                continue
            links += is_list
            number, kind = calls[0][0].strip(), calls[0][1]
            size = _size_beside(link, passed)
            name = _name(link)
            if not name:
                warnings.append("A file has no name on the page.")
            file = AttachmentRecord(
                source_id=number,
                filename=name,
                file_type="patch" if section == PATCH_FILES or kind.upper() == "PATCH" else None,
                file_size=size,
                download_url=download.address(number, kind),
            )
            records.setdefault((number, kind), file)
        if is_list and section in sections:
            bare = sections[section].select("li:not(:has(a))")
            warnings += ["A file has no link on the page."] * sum(bool(item.line()) for item in bare)
    return Files(records, links, tuple(warnings))


def _name(link: Node) -> str:
    """The name that is shown, or the whole one of the title where the page shortens it."""
    shown = link.line()
    begin = shown.rstrip(".…").rstrip()
    if shown and begin == shown:
        return shown
    for node in (link, *link.select("[title]")):
        title = " ".join((node.attribute("title") or "").split())
        if title and title.startswith(begin):
            return title
    return shown


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
    amount, words = match[1] or match[3], match[2] or match[4]
    unit = words.lower().removeprefix("bytes").removeprefix("byte")[:1].replace("b", "")
    return round(float(amount.replace(",", "")) * _UNITS[unit])
