"""Issues as the list told them, until they are fetched: GitHub's list has them whole."""

from __future__ import annotations

import json
import zlib
from typing import Final

from crawler.json_document import JsonNode

_MOST_BYTES: Final = 16 * 1024 * 1024  # packed; some ten thousand issues


class ListedIssues:
    """What a list told of issues, each taken out once; what finds no room is asked for by itself."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._packed: dict[int, bytes] = {}
        self._room = most_bytes

    def keep(self, row: JsonNode) -> None:
        """Keep an issue; what was kept of it before is out of date."""
        number = row.at("number").integer()
        self.take(number)
        packed = zlib.compress(_written(row), 1)
        if len(packed) <= self._room:
            self._packed[number] = packed
            self._room -= len(packed)

    def take(self, number: int) -> bytes | None:
        """The JSON of an issue, its members in one order; it is forgotten then."""
        packed = self._packed.pop(number, None)
        if packed is None:
            return None
        self._room += len(packed)
        return zlib.decompress(packed)


def _written(row: JsonNode) -> bytes:
    return json.dumps(row.value, sort_keys=True, separators=(",", ":")).encode("ascii")
