"""Names of what is in a file, made safe for showing. They are never a path."""

from __future__ import annotations

import re

from crawler.files.encoding import guess
from crawler.files.file_text import LONGEST_MEMBER

INSIDE = "!/"  # between an archive and what is in it

_LONGEST_NAME = 300
# What moves the cursor, ends a line, or turns the direction of what follows.
_UNSEEN = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def shown(name: str) -> str:
    """A name without what is no part of one: ways up, drives, controls."""
    name = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", name.replace("\\", "/"))
    parts = [part for part in name.split("/") if part.strip() not in ("", ".", "..")]
    name = "/".join(parts) or "(without a name)"
    if len(name) > _LONGEST_NAME:  # both ends tell something
        name = f"{name[: _LONGEST_NAME - 101]}…{name[-100:]}"
    return name


def joined(outer: str, name: str) -> str:
    """The name of what is in something that has a name itself, or is the file ('')."""
    name = shown(name)
    return f"{outer}{INSIDE}{name}"[:LONGEST_MEMBER] if outer else name


def decoded(raw: bytes) -> str:
    """A name of which nothing tells the encoding."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(guess(raw), "replace")
