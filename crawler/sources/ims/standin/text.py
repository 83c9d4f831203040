"""Plain text and times in the way the tracker's pages show them."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from crawler.sources.ims.standin.model import Form

_CLOCKS = {"none": "", "minutes": " %H:%M", "seconds": " %H:%M:%S"}
_GAP = re.compile(r"(?<= ) |^ ", re.MULTILINE)


def show_date(at: datetime, form: Form) -> str:
    """Write a time in the server's zone in the issue's own form."""
    return at.strftime(f"%Y{form.dates}%m{form.dates}%d{_CLOCKS[form.clock]}")


def show_text(text: str) -> str:
    """Turn plain text into HTML: line breaks become ``<br>``, indentation ``&nbsp;``."""
    return _GAP.sub("&nbsp;", escape(text)).replace("\n", "<br>\n")


def join_text(text: str) -> str:
    """Lower-case text with single spaces: what a search looks into."""
    return " ".join(text.lower().split())
