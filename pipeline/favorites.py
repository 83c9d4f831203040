"""Questions kept under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.query import parse_query
from db.models import SavedSearch, Tracker
from db.refusals import explained
from db.storable import storable_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Favorite:
    """A question with where to look."""

    name: str
    query: str
    tracker: str | None = None
    product: str | None = None


def add_favorite(session: Session, new: Favorite) -> None:
    """Keep a question, or change the one of that name.

    Raises:
        UsageError: it is no question, there is no such tracker, or a schedule has that name.
        DatabaseRefused: the user only looks.
    """
    name = storable_text(new.name.strip())
    if not name or not name.isprintable():
        raise UsageError("A favorite's name is one or more printable characters.")
    parse_query(new.query)
    row = session.scalar(_mine().where(SavedSearch.name == name))
    if row is None:
        row = SavedSearch(name=name)
        session.add(row)
    elif row.cron is not None:
        raise UsageError(f"{name!r} is the name of a schedule: take another one.")
    row.query = storable_text(new.query)
    row.product = new.product and storable_text(new.product)
    row.tracker_id = _tracker_id(session, new.tracker)
    with explained({"42501": "Analysts look and do not write: keep the question elsewhere."}):
        session.flush()


def list_favorites(session: Session, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return one's own favorites by name: ``name``, ``query``, ``tracker``, ``product``, ``created_at``."""
    listed = (
        select(
            SavedSearch.name,
            SavedSearch.query,
            Tracker.name.label("tracker"),
            SavedSearch.product,
            SavedSearch.created_at,
        )
        .outerjoin(Tracker, Tracker.tracker_id == SavedSearch.tracker_id)
        .where(SavedSearch.user_id == func.ims.current_user_id(), SavedSearch.cron.is_(None))
        .order_by(SavedSearch.name)
        .limit(limit)
        .offset(offset)
    )
    return [dict(row) for row in session.execute(listed).mappings()]


def read_favorite(session: Session, name: str) -> Favorite:
    """Read a favorite.

    Raises:
        UsageError: there is none of that name.
    """
    row = _find(session, name)
    tracker = row.tracker.name if row.tracker is not None else None
    return Favorite(name=row.name, query=row.query, tracker=tracker, product=row.product)


def remove_favorite(session: Session, name: str) -> None:
    """Forget a favorite.

    Raises:
        UsageError: there is none of that name.
    """
    session.delete(_find(session, name))


def _mine() -> Select[SavedSearch]:
    # An admin sees everybody's rows; names are each user's own.
    return select(SavedSearch).where(SavedSearch.user_id == func.ims.current_user_id())


def _find(session: Session, name: str) -> SavedSearch:
    wanted = _mine().where(SavedSearch.name == storable_text(name.strip()), SavedSearch.cron.is_(None))
    row = session.scalar(wanted)
    if row is None:
        raise UsageError(f"There is no favorite called {name!r}: see favorites list.")
    return row


def _tracker_id(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    mine = Tracker.user_id == func.ims.current_user_id()
    tracker_id = session.scalar(select(Tracker.tracker_id).where(Tracker.name == name, mine))
    if tracker_id is None:
        raise UsageError(f"There is no tracker called {name!r}: see trackers list.")
    return tracker_id
