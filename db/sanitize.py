"""What PostgreSQL cannot store, and what stands for it.

Its text holds every character but NUL, and no half of a surrogate pair (seen: each raises). A NUL becomes
its visible picture U+2400, half a pair the replacement character U+FFFD: the place stays marked, nothing
around it is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NUL_PICTURE = "\u2400"
REPLACEMENT = "\ufffd"
DEEPEST_JSON = 100  # levels; the server's own limit is its stack
LONGEST_NAME = 200  # characters of what a user names; an index takes 2,704 bytes at most
# Of columns (sql/functions/bound_columns.sql): sums of them stay within what the server can add up.
INTEGER_MAX = 10**9
BIGINT_MAX = 10**18
# The driver turns times into the reader's zone, which must not leave the years 1 to 9999.
EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
LATEST = datetime(9999, 12, 29, tzinfo=UTC)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _stand_in(match: re.Match[str]) -> str:
    return NUL_PICTURE if match.group() == "\0" else REPLACEMENT


def storable_text(text: str) -> str:
    """Return the text with a stand-in for each character that cannot be stored; the same object if none."""
    return _UNSTORABLE.sub(_stand_in, text) if _UNSTORABLE.search(text) else text


def storable_json(value: Any, depth: int = 0) -> Any:  # JSON is whatever it is
    """Return JSON that ``jsonb`` takes: texts and keys mended, no NaN or infinity, no endless nesting or
    number.

    Raises:
        TypeError: the value is not JSON.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, int):
        return value if value.bit_length() < 10_000 else f"a number of {value.bit_length()} bits"
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if depth >= DEEPEST_JSON:
        return "nested too deep"
    if isinstance(value, Mapping):
        return {storable_text(str(key)): storable_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item, depth + 1) for item in value]
    raise TypeError(f"{type(value).__name__} is not JSON")
