"""When fetched issues are committed: enough of them, long enough waited for, or none to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

BATCH_ISSUES = 400  # more gains nothing measurable and holds locks and memory longer
BATCH_BYTES = 6 * 2**20  # of raw pages: what a batch may hold of memory, whatever the pages are
HELD_BYTES = 5 * BATCH_BYTES  # likewise, of a batch that is held back
BATCH_SECONDS = 2.0  # a slow tracker's issues show up in the database this soon

T = TypeVar("T")


@dataclass(slots=True)
class BatchPolicy(Generic[T]):
    """Forms batches of what comes one by one; each item is taken exactly once, in order.

    A batch has at most so many items and bytes; only an item that is larger than a batch may be is one by
    itself. The caller has the clock and the queue: it waits until the deadline at the longest.
    """

    issues: int = field(default_factory=lambda: BATCH_ISSUES)
    bytes: int = field(default_factory=lambda: BATCH_BYTES)
    held_bytes: int = field(default_factory=lambda: HELD_BYTES)
    seconds: float = field(default_factory=lambda: BATCH_SECONDS)
    deadline: float | None = field(default=None, init=False)  # when the batch is due; None: it is empty
    _items: list[T] = field(default_factory=list, init=False)
    _size: int = field(default=0, init=False)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> Sequence[T]:
        """The batch as it is so far."""
        return self._items

    def add(self, item: T, size: int, now: float) -> None:
        """Put an item to the batch; one that does not fit needs a batch of its own, see :meth:`fits`."""
        if self.deadline is None:
            self.deadline = now + self.seconds
        self._items.append(item)
        self._size += size

    def fits(self, size: int, *, held: bool = False) -> bool:
        """Whether an item of this size may join the batch; a held batch has more room."""
        if not self._items:
            return True
        most = self.held_bytes if held else self.bytes
        return len(self._items) < self.issues and self._size + size <= most

    def is_due(self, now: float) -> bool:
        """Whether the batch is full, or its first item has waited long enough."""
        if self.deadline is None:
            return False
        return len(self._items) >= self.issues or self._size >= self.bytes or now >= self.deadline

    def hold(self, now: float) -> None:
        """Let the batch wait as long once more: it is too small to be judged."""
        self.deadline = now + self.seconds

    def take(self) -> list[T]:
        """Hand the batch over and begin the next one."""
        taken, self._items, self._size, self.deadline = self._items, [], 0, None
        return taken
