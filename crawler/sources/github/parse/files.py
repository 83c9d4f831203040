"""Files that are attached by links in the text; of these GitHub tells nothing but the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from crawler.records import AttachmentRecord

_ADDRESS = re.compile(r"https?://[^\s<>\"'()\[\]\\]{1,2000}")
_NAMED = re.compile(r"\[([^\[\]\n]{1,300})\]\((https?://[^\s<>\"'()\[\]\\]{1,2000})")
_PATH = re.compile(r"/(?:user-attachments|[\w.-]+/[\w.-]+)/(assets|files)/(?:[\w.-]+/)?([^/]+)", re.ASCII)
_IMAGES: Final = ("user-images.githubusercontent.com", "private-user-images.githubusercontent.com")


def files_in(
    text: str, host: str, *, author: str | None, moment: datetime | None
) -> Iterator[AttachmentRecord]:
    """Find the attached files in a text in Markdown.

    Args:
        text: as it is written.
        host: where GitHub's pages are, with its port.
        author: of the text.
        moment: when it was written.
    """
    names = {address: name for name, address in _NAMED.findall(text)}
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(".,;:!?*_~`")
        name = _filename(address, host, names.get(address))
        if name is not None:
            plain = address.partition("?")[0].partition("#")[0]  # what follows is a key of five minutes
            yield AttachmentRecord(
                source_id=urlsplit(plain).path,
                filename=name,
                download_url=plain,
                author=author,
                attached_at=moment,
            )


def _filename(address: str, host: str, told: str | None) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    last = unquote(parts.path.rpartition("/")[2])
    if parts.netloc in _IMAGES:
        return last or None
    match = _PATH.fullmatch(parts.path) if parts.netloc == host else None
    if match is None:
        return None
    return told.strip() if match[1] == "assets" and told and told.strip() else last
