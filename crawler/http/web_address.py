"""Addresses that people copy from a browser, and that a browser may be sent to."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit


class WebPage(NamedTuple):
    """The address of a page, taken apart."""

    origin: str  # scheme, host and port as they are written, without an account
    host: str  # in lower case
    path: str
    has_account: bool  # a name stands before the host


def web_page(text: str) -> WebPage | None:
    """Take the address of a page apart; None: it is none of the web's."""
    try:
        parts = urlsplit(text.strip())
        parts.port  # noqa: B018 - refuses what is no number
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    _, account, server = parts.netloc.rpartition("@")
    return WebPage(f"{parts.scheme}://{server}", parts.hostname, parts.path, bool(account))


def is_web_address(text: str) -> bool:
    """Tell whether a text, which a tracker gave, is the address of a web page and nothing else."""
    if not text.isprintable() or " " in text or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
