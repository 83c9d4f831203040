"""Files that are attached by links in the text; of these GitLab tells nothing but the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from crawler.records import AttachmentRecord

_UPLOAD = re.compile(r"/uploads/(?P<secret>[0-9a-f]{32})/(?P<name>[^\s()<>\"'\[\]\\|#?]{1,255})")
_BEFORE: Final = 600  # characters of an address before that
_OUTSIDE = re.compile(r"[\s()<>\"'\[\]\\|]")
_NUMBERED = re.compile(r"/-/project/([0-9]{1,18})")
_PATH = re.compile(r"/([A-Za-z0-9_.][\w.-]{0,254}(?:/[A-Za-z0-9_.][\w.-]{0,254}){1,20})", re.ASCII)


class Uploads(Struct, frozen=True, kw_only=True):
    """Where a project's files are.

    Args:
        origin: scheme, host and port of the GitLab, with the folder that it is in.
        api: address of its API.
        project: number of the project that the texts are of.
    """

    origin: str
    api: str
    project: int

    def named_in(
        self, text: str, *, author: str | None, moment: datetime | None
    ) -> Iterator[AttachmentRecord]:
        """Find the attached files in a text in Markdown.

        Args:
            text: as it is written.
            author: of the text.
            moment: when it was written.
        """
        for match in _UPLOAD.finditer(text):
            before = _OUTSIDE.split(text[max(match.start() - _BEFORE, 0) : match.start()])[-1]
            project = self._project(before)
            name = unquote(match["name"].rstrip(".,;:!*~`"))
            if project is None or not name.strip("."):
                continue
            yield AttachmentRecord(
                source_id=f"{match['secret']}/{name}",
                filename=name,
                download_url=f"{self.api}/projects/{project}/uploads/{match['secret']}"
                f"/{quote(name.encode('utf-8', 'replace'), safe='')}",
                author=author,
                attached_at=moment,
            )

    def _project(self, before: str) -> str | None:
        """The project of a file, as the API wants it, by what stands before it; None: it is elsewhere."""
        if "://" in before:
            address = before[max(before.rfind("http://"), before.rfind("https://"), 0) :]
            if _host(address) != _host(self.origin):
                return None
            before = address[len(self.origin) :] if address.startswith(self.origin) else ""
        if not before:
            return str(self.project)
        numbered = _NUMBERED.fullmatch(before)
        if numbered is not None:
            return str(int(numbered[1]))
        path = _PATH.fullmatch(before)
        return None if path is None else quote(path[1], safe="")


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return None
