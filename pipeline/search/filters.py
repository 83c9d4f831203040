"""Which of the issues that have the words are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.query import ParsedQuery
from crawler.records import State
from db.models import Attachment, Issue, Tracker

_STATES = {"open": (State.OPEN, State.IN_PROGRESS), "closed": (State.DONE,)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What issues must have beside the words; None: whatever."""

    product: str | None = None  # a product, or the beginning of several's names
    status: str | None = None  # open, closed, or the tracker's own word
    since: datetime | None = None  # changed at or after this time
    until: datetime | None = None  # registered before this time
    reporter: str | None = None  # has this in the name
    tracker: str | None = None  # by name
    has_attachment: bool = False

    def within(self, parsed: ParsedQuery) -> Filters:
        """These filters, and where they leave something open, the question's own."""
        asked = parsed.filters
        return Filters(
            product=self.product or asked.get("product"),
            status=self.status or asked.get("status"),
            since=self.since or _day(asked.get("since")),
            until=self.until or _day(asked.get("until"), after=1),
            reporter=self.reporter,
            tracker=self.tracker,
            has_attachment=self.has_attachment,
        )

    def condition(self) -> ColumnElement[bool] | None:
        """What an issue must fulfil beside its product, which the search looks after; None: nothing."""
        wanted: list[ColumnElement[bool]] = []
        if self.status is not None:
            wanted.append(_has_status(self.status))
        if self.since is not None:
            wanted.append(func.coalesce(Issue.modified_date, Issue.registered_date) >= self.since)
        if self.until is not None:
            wanted.append(Issue.registered_date < self.until)
        if self.reporter is not None:
            wanted.append(func.strpos(func.lower(Issue.reporter), self.reporter.lower()) > 0)
        if self.tracker is not None:
            wanted.append(Tracker.name == self.tracker)
        if self.has_attachment:
            kept = and_(Attachment.issue_pk == Issue.issue_pk, Attachment.removed_at.is_(None))
            wanted.append(exists().where(kept))
        return and_(*wanted) if wanted else None


def check_tracker(session: Session, name: str | None) -> None:
    """Make sure that a tracker is there.

    Raises:
        UsageError: the user has no tracker of this name.
    """
    if name is not None and session.scalar(select(Tracker.tracker_id).where(Tracker.name == name)) is None:
        raise UsageError(f"There is no tracker called {name!r}: see trackers list.")


def _has_status(word: str) -> ColumnElement[bool]:
    own = func.lower(Issue.status) == word.lower()
    states = _STATES.get(word.lower())
    # Where nobody knows what a tracker's word stands for, the word itself still counts.
    return own if states is None else or_(Issue.state.in_([state.value for state in states]), own)


def _day(text: str | None, *, after: int = 0) -> datetime | None:
    if text is None:
        return None
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=after)
