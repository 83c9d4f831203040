"""What kind of file an answer says it is: shown to people, and believed by nobody."""

from __future__ import annotations

import re

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
# Words of old browsers and of Windows for what has one of its own.
_PLAIN = {
    "application/x-zip-compressed": "application/zip",
    "application/x-zip": "application/zip",
    "application/x-gzip": "application/gzip",
    "application/x-gzip-compressed": "application/gzip",
    "application/x-pdf": "application/pdf",
    "application/x-xml": "application/xml",
    "application/x-json": "application/json",
    "image/pjpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/x-windows-bmp": "image/bmp",
    "text/x-diff": "text/x-patch",
}


def media_type(content_type: str | None) -> str | None:
    """The media type in a Content-Type header, in the one way it is written; None: the header tells none.

    Args:
        content_type: as it came, parameters included.
    """
    word = (content_type or "")[:1000].partition(";")[0].partition(",")[0].strip().lower()
    if _TYPE.fullmatch(word) is None:
        return None
    return _PLAIN.get(word, word)
