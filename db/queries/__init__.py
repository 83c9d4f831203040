"""The SQL of the crawl's own writes and of questions, one file a noun, each statement under its name.

A statement begins with a line ``-- name --`` and ends where the next one begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def statements(noun: str) -> Mapping[str, bytes]:
    """Read the statements of ``<noun>.sql`` by their names, in the file's order.

    They come as bytes, which is how the driver takes a text that is no literal of a Python file.
    """
    parts = _HEADING.split((files(__name__) / f"{noun}.sql").read_text("utf-8"))
    return {name: body.strip().encode() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
