"""What became of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["new", "changed", "unchanged", "failed"]


@dataclass(slots=True)
class BatchResult:
    """What became of a batch."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)  # by issue_id, one for each row's
    details: dict[str, str] = field(default_factory=dict)  # why a row failed, or what of it was mended
    issue_pks: dict[str, int] = field(default_factory=dict)  # of all but the failed ones
    comments_stored: int = 0  # comments of the batch that are in the database now, unchanged ones too
    history_stored: int = 0  # history entries, likewise
    same_comments: int = 0  # of these, comments of the issues that are stored as they are
    same_history: int = 0  # history entries, likewise
    pages_kept: int = 0  # raw pages written or, being identical to a stored one, seen again

    def note(self, issue_id: str, sentence: str) -> None:
        """Add a sentence to an issue's details."""
        told = self.details.get(issue_id)
        self.details[issue_id] = f"{told}; {sentence}" if told else sentence
