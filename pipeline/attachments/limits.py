"""Which attached files are wanted: up to a size, and by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from crawler.errors import UsageError

LARGEST = 1 << 40  # bytes that a limit may be

_SIZE = re.compile(r"([0-9]{1,15})(?:[.,]([0-9]{1,3}))?\s*([kmgt]?)(i?b?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a session does not fetch."""

    largest: int | None = None  # bytes of a file; None: what an answer may have (IMS_MAX_FILE)
    kinds: tuple[str, ...] = ()  # patterns of names of which one must fit; none: every name
    without: tuple[str, ...] = ()  # patterns of names that are left out

    def refusal(self, name: str, size: int | None, *, largest: int, exact: bool) -> str | None:
        """Why a file is not wanted, in one sentence; None: it is, as far as is known of it.

        Args:
            name: of the file.
            size: bytes that the tracker tells.
            largest: where no limit was given.
            exact: the size is none that was rounded.
        """
        folded = name.casefold()
        if self.kinds and not any(fnmatchcase(folded, each) for each in self.kinds):
            return f"Its name is none of {', '.join(self.kinds)}."
        for each in self.without:
            if fnmatchcase(folded, each):
                return f"Its name is one of {each}."
        most = self.largest or largest
        if size is not None and size > most and exact:
            return too_large(most)
        return None

    def as_json(self) -> dict[str, Any]:
        """As the session and the schedule keep it."""
        told = {"largest": self.largest, "kinds": list(self.kinds), "without": list(self.without)}
        return {name: value for name, value in told.items() if value}


def limits_of(told: object) -> Limits:
    """The limits that :meth:`Limits.as_json` gave; whatever else somebody wrote there is none."""
    if not isinstance(told, dict):
        return Limits()
    largest = told.get("largest")
    return Limits(
        largest=largest if isinstance(largest, int) and 0 < largest <= LARGEST else None,
        kinds=_texts(told.get("kinds")),
        without=_texts(told.get("without")),
    )


def told(options: Mapping[str, Any]) -> str:
    """In words, which attached files a schedule fetches."""
    if not options.get("attachments"):
        return "not fetched"
    limits = limits_of(options.get("attachment_limits"))
    words = [
        f"up to {shown_size(limits.largest)}" if limits.largest else "",
        f"only {', '.join(limits.kinds)}" if limits.kinds else "",
        f"without {', '.join(limits.without)}" if limits.without else "",
    ]
    return "; ".join(filter(None, words)) or "fetched"


def read_limits(largest: str | None, kinds: Sequence[str], without: Sequence[str]) -> Limits:
    """Read limits as people type them: ``20MB``, ``*.log``, ``.zip``, ``png``, ``*.log,*.txt``.

    Raises:
        UsageError: a size that is none.
    """
    return Limits(
        largest=None if largest is None else read_size(largest),
        kinds=_patterns(kinds),
        without=_patterns(without),
    )


def read_size(text: str) -> int:
    """Bytes, from a number with or without a unit: 500k, 20MB, 1.5 GiB; a k is 1,024.

    Raises:
        UsageError: it is no size.
    """
    read = _SIZE.fullmatch(text.strip())
    size = 0
    if read is not None:
        part = int(read[2].ljust(3, "0")) if read[2] else 0
        size = (int(read[1]) * 1000 + part) * _UNITS[read[3].lower()] // 1000
    if not 0 < size <= LARGEST:
        raise UsageError(f"{text!r} is no size of a file: give one such as 500KB, 20MB or 1.5GB.")
    return size


def shown_size(size: int) -> str:
    """A size for people."""
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"


def too_large(most: int) -> str:
    """Why a file of more bytes is left out."""
    return f"It is larger than {shown_size(most)}."


def _patterns(words: Sequence[str]) -> tuple[str, ...]:
    found = [part.strip().casefold() for word in words for part in word.split(",")]
    # An ending alone is what people mean by a kind.
    return tuple(
        dict.fromkeys(part if _is_pattern(part) else f"*.{part.lstrip('.')}" for part in found if part)
    )


def _is_pattern(word: str) -> bool:
    return any(mark in word for mark in "*?[")


def _texts(told: object) -> tuple[str, ...]:
    return tuple(each for each in told if isinstance(each, str)) if isinstance(told, list) else ()
