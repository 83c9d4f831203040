"""Schedules that are due: each becomes a run, once however many workers look."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from db import get_session
from db.models import Run, SavedSearch
from pipeline.jobs.cron import next_time
from pipeline.jobs.runs import add_run, settle
from pipeline.jobs.schedules import database_now


def take_due(user_id: int, saved_search_id: int) -> None:
    """Make a run of a schedule that is due, once however many workers see it, and say when it is due next."""
    with get_session(user_id=user_id) as session:
        now = database_now(session)
        schedule = session.scalar(
            select(SavedSearch)
            .where(
                SavedSearch.saved_search_id == saved_search_id,
                SavedSearch.user_id == user_id,
                SavedSearch.is_active,
                SavedSearch.cron.is_not(None),
                SavedSearch.next_run_at <= now,
            )
            .with_for_update(skip_locked=True, key_share=True)
        )
        if schedule is None:
            return
        try:
            # From now on, not from when it was due: of all that was missed, one is caught up.
            following = next_time(schedule.cron or "", schedule.timezone, now)
        except UsageError as error:  # written by hand
            _put_to_rest(session, schedule, error)
            return
        add_run(session, schedule)
        schedule.next_run_at = following


def put_to_rest(user_id: int, saved_search_id: int, error: Exception) -> None:
    """Let a schedule that cannot be taken rest, with the reason as a failed run: it would be due for ever."""
    with get_session(user_id=user_id) as session:
        schedule = session.scalar(
            select(SavedSearch)
            .where(SavedSearch.saved_search_id == saved_search_id, SavedSearch.user_id == user_id)
            .with_for_update(skip_locked=True, key_share=True)
        )
        if schedule is not None:
            _put_to_rest(session, schedule, error)


def _put_to_rest(session: Session, schedule: SavedSearch, error: Exception) -> None:
    schedule.is_active = False
    run = Run(
        saved_search_id=schedule.saved_search_id, user_id=schedule.user_id, due_at=database_now(session)
    )
    session.add(run)
    session.flush()
    settle(session, run, error=error)
