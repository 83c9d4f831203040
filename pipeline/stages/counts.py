"""What a session has done so far: one object, counted up by the stages, read by whoever shows progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

STORED = ("new", "changed", "unchanged")  # states of references whose issue is stored as it was shown


@dataclass(slots=True)
class FileCounts:
    """Running totals of the attached files of one run."""

    files: int = 0  # to be fetched
    bytes: int = 0  # that those have, as far as is known
    done: int = 0
    failed: int = 0
    skipped: int = 0  # not wanted
    bytes_done: int = 0
    to_read: int = 0  # whose text is to be read
    read: int = 0


@dataclass(slots=True)
class RunCounts:
    """Running totals of one session, over all its runs when it was resumed."""

    tracker_total: int | None = None  # what the tracker says it has
    found: int = 0  # references found by searching
    related: int = 0  # references added because an issue points to them
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: int = 0
    removed: int = 0  # a census found these gone, moved or denied
    files: FileCounts = field(default_factory=FileCounts)
    search_done: bool = False
    reasons: dict[str, int] = field(default_factory=dict)  # why issues failed or were skipped
    stall: str | None = None  # that nothing has moved for a while, and what is waited for

    def add(self, state: str, reason: str | None) -> None:
        """Count one settled reference.

        Args:
            state: what became of it: new, changed, unchanged, failed, skipped or removed.
            reason: why, for the last three.
        """
        setattr(self, state, getattr(self, state) + 1)
        if state in ("failed", "skipped") and reason is not None:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def restore(self, states: Mapping[tuple[str, str], int]) -> None:
        """Begin with what earlier runs of the session did.

        Args:
            states: numbers of references by reason (search, related, census) and state.
        """
        for (reason, state), number in states.items():
            if reason == "search":
                self.found += number
            elif reason == "related":
                self.related += number
            if state != "pending":
                setattr(self, state, getattr(self, state) + number)

    @property
    def crawled(self) -> int:
        """Issues that are stored as the tracker showed them."""
        return self.new + self.changed + self.unchanged

    @property
    def settled(self) -> int:
        """References that need no further work."""
        return self.crawled + self.failed + self.skipped + self.removed


Observer = Callable[[RunCounts], None]


def ignore_progress(_: RunCounts) -> None:
    """An observer that looks away."""
