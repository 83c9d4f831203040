"""Questions kept under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.query import parse_query
from db.models import Alert, SavedSearch, Tracker
from db.refusals import translate_sqlstate
from db.sanitize import storable_text
from pipeline.search.filters import read_filters
from pipeline.search.saved_searches import find_saved, list_saved, place_for


@dataclass(frozen=True, kw_only=True, slots=True)
class Favorite:
    """A question with where to look."""

    name: str
    query: str
    tracker: str | None = None
    product: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)  # further filters as they were typed


def add_favorite(session: Session, new: Favorite) -> None:
    """Keep a question, or change the one of that name.

    Raises:
        UsageError: it is no question, there is no such tracker, or a schedule has that name.
        DatabaseRefused: the user only looks.
    """
    parse_query(new.query)
    read_filters(new.options)
    row = place_for(session, new.name, schedule=False)
    row.query = storable_text(new.query)
    row.product = new.product and storable_text(new.product)
    row.options = {name: storable_text(value) for name, value in new.options.items()}
    row.tracker_id = _tracker_id(session, new.tracker)
    with translate_sqlstate({"42501": "Analysts look and do not write: keep the question elsewhere."}):
        session.flush()


def list_favorites(session: Session, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return one's own favorites by name.

    Returns:
        Dictionaries of ``name``, ``query``, ``tracker``, ``product``, ``options``, ``created_at`` and
        ``alert``: None, or a dictionary of ``notify``, ``webhook`` (its site), ``digest``, ``timezone``,
        ``told_at`` and ``error``.
    """
    columns = (SavedSearch.saved_search_id, SavedSearch.options, SavedSearch.created_at)
    rows = list_saved(session, *columns, schedule=False, limit=limit, offset=offset)
    numbers = [row["saved_search_id"] for row in rows]
    alerts = {
        alert.saved_search_id: {
            "notify": alert.command,
            "webhook": alert.webhook_site,
            "digest": alert.cron,
            "timezone": alert.timezone,
            "told_at": alert.told_at,
            "error": alert.error,
        }
        for alert in session.scalars(select(Alert).where(Alert.saved_search_id.in_(numbers)))
    }
    return [{**row, "alert": alerts.get(row.pop("saved_search_id"))} for row in rows]


def read_favorite(session: Session, name: str) -> Favorite:
    """Read a favorite.

    Raises:
        UsageError: there is none of that name.
    """
    row = find_saved(session, name, schedule=False)
    tracker = row.tracker.name if row.tracker is not None else None
    return Favorite(
        name=row.name, query=row.query, tracker=tracker, product=row.product, options=dict(row.options)
    )


def remove_favorite(session: Session, name: str) -> None:
    """Forget a favorite.

    Raises:
        UsageError: there is none of that name.
    """
    session.delete(find_saved(session, name, schedule=False))


def _tracker_id(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    mine = Tracker.user_id == func.ims.current_user_id()
    tracker_id = session.scalar(select(Tracker.tracker_id).where(Tracker.name == name, mine))
    if tracker_id is None:
        raise UsageError(f"There is no tracker called {name!r}: see trackers list.")
    return tracker_id
