"""An issue on its way into the database: the row with its hash, the time it was seen, what was mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from db.loader.coerce import check_number, coerce_row, is_plain, is_sane
from db.loader.content_hash import canonical_json, digest
from db.rows import IssueRow


@dataclass(slots=True)
class PreparedIssue:
    """One issue of a batch."""

    row: IssueRow
    full_data: str  # the row's, as JSON
    content_hash: bytes  # of the row as it was read
    observed_at: datetime  # when its youngest page was fetched
    notes: list[str] = field(default_factory=list)  # a sentence for each cell that was mended
    known_pk: int | None = None  # where it is stored already
    issue_pk: int | None = None  # where it is stored now

    def coerce_row(self) -> None:
        """Make the row storable. Only what is going to be stored is looked at, since looking costs."""
        if not is_plain(self.row, self.full_data):
            self.row, notes = coerce_row(self.row)
            self.full_data = canonical_json(self.row.full_data)
            self.notes += notes


def prepare(row: IssueRow, now: datetime) -> PreparedIssue:
    """Hash a row as it is; one whose data has no end or is no JSON is mended first.

    Args:
        row: the issue.
        now: when it was seen, if neither the row nor one of its pages tells.

    Raises:
        RowRefused: the issue cannot be stored, whatever is mended.
    """
    check_number(row.issue_id)
    notes: list[str] = []
    try:
        full_data = canonical_json(row.full_data)
    except (ValueError, TypeError, RecursionError):
        row, notes = coerce_row(row)
        full_data = canonical_json(row.full_data)
    return PreparedIssue(row, full_data, digest(row, full_data), _observed_at(row, now), notes)


def newest(drafts: Iterable[PreparedIssue]) -> tuple[dict[str, PreparedIssue], set[str]]:
    """Keep one draft of each issue: the youngest, of equally old ones the later in the batch.

    Returns:
        The drafts by the issues' numbers, and the numbers that came more than once with different contents.
    """
    kept: dict[str, PreparedIssue] = {}
    differing: set[str] = set()
    for candidate in drafts:
        number = candidate.row.issue_id
        other = kept.get(number)
        if other is not None and other.content_hash != candidate.content_hash:
            differing.add(number)
        if other is None or candidate.observed_at >= other.observed_at:
            kept[number] = candidate
    return kept, differing


def _observed_at(row: IssueRow, now: datetime) -> datetime:
    told = (row.observed_at, *(page.fetched_at for page in row.pages))
    return max((moment for moment in told if moment and is_sane(moment)), default=now)
