"""Removing a tracker: alone where nothing came from it, or with everything that did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from db.models import CrawlSession, Issue, RawPage, SavedSearch, Tracker
from db.users import require_writer
from pipeline.sessions.crawl_session import SILENCE

_BELONGING: tuple[tuple[str, Any], ...] = (
    ("issues", Issue),
    ("raw_pages", RawPage),
    ("sessions", CrawlSession),
    ("saved_searches", SavedSearch),
)


def belongings(session: Session, row: Tracker) -> dict[str, int]:
    """How much belongs to a tracker: ``issues``, ``raw_pages``, ``sessions``, ``saved_searches``."""
    return {
        name: session.scalar(select(func.count()).where(*_of(table, row))) or 0 for name, table in _BELONGING
    }


def remove_tracker(session: Session, row: Tracker) -> None:
    """Forget a connection; sessions that brought nothing stay, without it.

    Raises:
        UsageError: something came from it, or a schedule or favorite is about it.
        DatabaseRefused: the user only looks.
    """
    require_writer(session)
    there = belongings(session, row)
    if there["issues"] or there["raw_pages"]:
        raise UsageError(
            f"Cannot remove {row.name}: {_told(there)} belong to it. --with-data removes them too."
        )
    if there["saved_searches"]:
        names = session.scalars(select(SavedSearch.name).where(*_of(SavedSearch, row))).all()
        raise UsageError(
            f"Cannot remove {row.name}: {', '.join(names)} use it. Remove these first, or give --with-data."
        )
    _demand_rest(session, row)
    session.execute(
        update(CrawlSession)
        .where(*_of(CrawlSession, row))
        .values(tracker_id=None)
        .execution_options(synchronize_session=False)
    )
    session.delete(row)
    session.flush()


def remove_with_data(session: Session, row: Tracker) -> dict[str, int]:
    """Remove a connection and everything that came from it or is about it; how much it was comes back.

    Attached files stay on disk until ``db prune``: others may have the same ones.

    Raises:
        UsageError: one of its sessions is being worked on.
        DatabaseRefused: the user only looks.
    """
    require_writer(session)
    there = belongings(session, row)
    _demand_rest(session, row)
    # Whatever is about something else goes before it.
    for table in (SavedSearch, Issue, RawPage, CrawlSession):
        session.execute(delete(table).where(*_of(table, row)).execution_options(synchronize_session=False))
    session.delete(row)
    session.flush()
    return there


def _demand_rest(session: Session, row: Tracker) -> None:
    alive = session.scalar(
        select(func.count()).where(
            *_of(CrawlSession, row),
            CrawlSession.status == "running",
            CrawlSession.heartbeat_at > func.clock_timestamp() - SILENCE,
        )
    )
    if alive:
        raise UsageError(
            f"Cannot remove {row.name}: a session of it is running. Stop it, or resume it to its end, first."
        )


def _of(table: Any, row: Tracker) -> tuple[Any, ...]:
    return table.user_id == row.user_id, table.tracker_id == row.tracker_id


def _told(there: dict[str, int]) -> str:
    names = (("sessions", "session"), ("issues", "issue"))
    return " and ".join(f"{there[key]:,} {noun}{'' if there[key] == 1 else 's'}" for key, noun in names)
