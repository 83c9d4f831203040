"""Figures that a worker keeps up to date: statistics by day and month, the summaries behind the views.

They are everybody's where the worker runs for an admin, else those of its own user.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from sqlalchemy import func, select

from db import get_session
from db.models import CrawlSession, SummaryRefresh
from pipeline.jobs.schedules import database_now

EVERY = timedelta(hours=1)
LONGEST = timedelta(days=400)  # of what was missed, or was there before the first worker


def refresh_figures(user_id: int) -> bool:
    """Work out what may have changed since the last time, unless another worker did so a moment ago.

    Args:
        user_id: whom the worker runs for.

    Returns:
        Whether it was done.
    """
    with get_session(user_id=user_id) as session:
        now = database_now(session)
        last = session.scalar(select(SummaryRefresh.refreshed_at).where(SummaryRefresh.user_id == user_id))
        if last is not None and now - last < EVERY:
            return False
        if last is None:
            last = session.scalar(select(func.min(CrawlSession.started_at))) or now
        # A session counts for the day it began on, and may have ended on the next.
        today = now.astimezone(UTC).date()
        first = max(last.astimezone(UTC).date() - timedelta(days=1), today - LONGEST)
        days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
        for day in days:
            session.execute(select(func.ims.aggregate_daily_stats(day)))
        for month in sorted({(day.year, day.month) for day in days}):
            session.execute(select(func.ims.aggregate_monthly_stats(*month)))
        session.execute(select(func.ims.refresh_materialized_views()))
        return True
