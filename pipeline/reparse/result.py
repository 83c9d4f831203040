"""What reading kept pages again came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

FAILURES_TOLD = 100


@dataclass(slots=True)
class Rebuilt:
    """What came of it."""

    pages: int = 0  # read
    issues: int = 0  # that could be read and are stored
    changed: int = 0  # of these, stored anew
    failed: int = 0  # that could not; what is stored of them stays as it was
    released: int = 0  # pages released of quarantine
    fields: Counter[str] = field(default_factory=Counter)  # in how many issues a field changed
    failures: list[tuple[str, str]] = field(default_factory=list)  # the first ones: issue, why

    def fail(self, issue_id: str, reason: str) -> None:
        """Count an issue that cannot be read."""
        self.failed += 1
        if len(self.failures) < FAILURES_TOLD:
            self.failures.append((issue_id, reason))
