"""Which issues were seen: a million of them must fit into a process that has little room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# Of a piece: numbers in a row cost an eighth of a byte each, lonely ones as much as a text.
_BITS: Final = 256
_MOST_DIGITS: Final = 18


class IssueSet:
    """A set of issues' names, of which those that are numbers are kept as bits."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Begin with some."""
        self._pieces: dict[int, int] = {}
        self._names: set[str] = set()  # what is no plain number
        self.update(names)

    def __contains__(self, name: str) -> bool:
        """Whether an issue is in it."""
        number = _number(name)
        if number is None:
            return name in self._names
        return bool(self._pieces.get(number // _BITS, 0) >> number % _BITS & 1)

    def update(self, names: Iterable[str]) -> None:
        """Add some."""
        for name in names:
            number = _number(name)
            if number is None:
                self._names.add(name)
            else:
                piece = number // _BITS
                self._pieces[piece] = self._pieces.get(piece, 0) | 1 << number % _BITS

    def clear(self) -> None:
        """Forget all of them."""
        self._pieces.clear()
        self._names.clear()


def _number(name: str) -> int | None:
    """What a name counts; None: it is written otherwise than the number would be."""
    if not (name.isascii() and name.isdecimal() and len(name) <= _MOST_DIGITS) or name[:1] == "0" != name:
        return None
    return int(name)
