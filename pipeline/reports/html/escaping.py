"""Texts of a tracker on a page of ours: whatever is in them, they stay texts."""

from __future__ import annotations

import re
from html import escape

# What a page may not contain, and what turns the direction of a line.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def escaped(text: str, *, most: int | None = None) -> str:
    """Return the text for between tags and within quotes, on one line, cut after so many characters."""
    line = " ".join(_CONTROLS.sub("", text).split())
    if most is not None and len(line) > most:
        line = line[: most - 1] + "…"
    return escape(line)
