"""Two engines for one page: what the first one gets wrong is read again by the second."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from crawler.errors import PageRejected

T = TypeVar("T")


def first_accepted(readings: Iterable[Callable[[], T]]) -> tuple[T, list[PageRejected]]:
    """Return what the first reading gives that passes its gate, with the doubts of those before it.

    Args:
        readings: each reads the page in its own way, and raises PageRejected where that fails the gate.

    Raises:
        PageRejected: none passes; the last one's.
    """
    doubts: list[PageRejected] = []
    for reading in readings:
        try:
            return reading(), doubts
        except PageRejected as doubt:
            doubts.append(doubt)
    raise doubts[-1]
