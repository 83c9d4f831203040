"""Which of the issues that have the words are wanted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.query import ParsedQuery
from db.models import Tracker


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What issues must have beside the words; None: whatever."""

    product: str | None = None  # a product, or the beginning of several's names
    status: str | None = None  # open, closed, or the tracker's own word
    created_from: datetime | None = None  # registered at or after this time
    created_to: datetime | None = None  # registered before this time
    updated_from: datetime | None = None  # changed, else registered, at or after this time
    updated_to: datetime | None = None  # changed, else registered, before this time
    reporter: str | None = None  # has this in the name
    owner: str | None = None  # has this in the name
    priority: str | None = None  # the tracker's own word
    module: str | None = None  # the tracker's own word
    tracker: str | None = None  # by name
    has_attachment: bool | None = None
    user_id: int | None = None  # whose; somebody else's are for admins and analysts

    def within(self, parsed: ParsedQuery) -> Filters:
        """These filters, and where they leave something open, the question's own."""
        asked = parsed.filters
        return replace(
            self,
            product=self.product or asked.get("product"),
            status=self.status or asked.get("status"),
            updated_from=self.updated_from or _day(asked.get("since")),
            updated_to=self.updated_to or _day(asked.get("until"), after=1),
        )

    def for_database(self) -> dict[str, Any]:
        """As ``ims.search_issues`` takes them; the product is an argument of its own there."""
        given = {
            name: value for name, value in asdict(self).items() if name != "product" and value is not None
        }
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()
        }


def check_tracker(session: Session, name: str | None) -> None:
    """Make sure that a tracker is there.

    Raises:
        UsageError: the user has no tracker of this name.
    """
    if name is not None and session.scalar(select(Tracker.tracker_id).where(Tracker.name == name)) is None:
        raise UsageError(f"There is no tracker called {name!r}: see trackers list.")


def _day(text: str | None, *, after: int = 0) -> datetime | None:
    if text is None:
        return None
    return datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=after)
