"""Files that are attached by links in the text; of these GitLab tells nothing but the address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, unquote

from crawler.records import AttachmentRecord

_UPLOAD = re.compile(r"/uploads/([0-9a-f]{32})/([^\s<>\"'()\[\]{}\\?#/]{1,500})")


def files_in(
    text: str, base: str, *, author: str | None, moment: datetime | None
) -> Iterator[AttachmentRecord]:
    """Find the attached files in a text in Markdown.

    Args:
        text: as it is written.
        base: address of the project within the API.
        author: of the text.
        moment: when it was written.
    """
    for secret, name in _UPLOAD.findall(text):
        filename = unquote(name)
        if filename in (".", "..") or "/" in filename:
            continue
        yield AttachmentRecord(
            source_id=f"{secret}/{filename}",
            filename=filename,
            download_url=f"{base}/uploads/{secret}/{quote(filename.encode('utf-8', 'replace'), safe='')}",
            author=author,
            attached_at=moment,
        )
