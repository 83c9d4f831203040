"""What favorites and schedules share: questions that a user keeps under a name; a schedule has a cron."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from crawler.errors import UsageError
from db.models import SavedSearch, Tracker
from db.sanitize import LONGEST_NAME, storable_text


def _saved_under(session: Session, name: str) -> SavedSearch | None:
    """What one keeps under a name, of either sort."""
    return session.scalar(_mine().where(SavedSearch.name == storable_text(name.strip())))


def place_for(session: Session, name: str, *, schedule: bool) -> SavedSearch:
    """The row to keep a question in: a new one, or the one of that name.

    Raises:
        UsageError: the name cannot be, or the other sort has it.
    """
    kind, other = ("schedule", "favorite") if schedule else ("favorite", "schedule")
    name = storable_text(name.strip())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A {kind}'s name is up to {LONGEST_NAME} printable characters.")
    row = _saved_under(session, name)
    if row is None:
        row = SavedSearch(name=name)
        session.add(row)
    elif (row.cron is not None) != schedule:
        raise UsageError(f"{name!r} is the name of a {other}: take another one.")
    return row


def find_saved(session: Session, name: str, *, schedule: bool) -> SavedSearch:
    """One's own schedule or favorite of a name.

    Raises:
        UsageError: there is none.
    """
    row = _saved_under(session, name)
    if row is None or (row.cron is not None) != schedule:
        kind, where = ("schedule", "schedule list") if schedule else ("favorite", "favorites list")
        raise UsageError(f"There is no {kind} called {name!r}: see {where}.")
    return row


def list_saved(
    session: Session, *columns: InstrumentedAttribute[Any], schedule: bool, limit: int, offset: int
) -> list[dict[str, Any]]:
    """One's own schedules or favorites by name.

    Returns:
        Dictionaries of ``name``, ``query``, ``tracker`` (its name), ``product`` and the given columns.
    """
    listed = (
        select(
            SavedSearch.name,
            SavedSearch.query,
            Tracker.name.label("tracker"),
            SavedSearch.product,
            *columns,
        )
        .outerjoin(Tracker, Tracker.tracker_id == SavedSearch.tracker_id)
        .where(
            SavedSearch.user_id == func.ims.current_user_id(),
            SavedSearch.cron.is_not(None) if schedule else SavedSearch.cron.is_(None),
        )
        .order_by(SavedSearch.name)
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in session.execute(listed).mappings()]


def _mine() -> Select[SavedSearch]:
    # An admin sees everybody's rows; names are each user's own.
    return select(SavedSearch).where(SavedSearch.user_id == func.ims.current_user_id())
