"""What is new: issues that a schedule's newest run found new or changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from db.models import CrawlSession, Issue, Run, SavedSearch, SessionFrontier, Tracker


def list_news(session: Session, name: str | None, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """What the newest run that ended of each of one's own schedules found new or changed.

    Args:
        session: acts for the user.
        name: of one schedule only.
        limit: at most this many.
        offset: skip this many.

    Returns:
        Dictionaries of ``schedule``, ``issue_id``, ``tracker``, ``title``, ``product``, ``status``,
        ``change`` (new or changed), ``url``, ``found_at``.
    """
    newest = (
        select(Run.run_id, Run.session_id, Run.saved_search_id, Run.ended_at)
        .where(
            Run.user_id == func.ims.current_user_id(),
            Run.session_id.is_not(None),
            Run.status.in_(("completed", "failed", "interrupted")),
        )
        .ext(distinct_on(Run.saved_search_id))
        .order_by(Run.saved_search_id, Run.run_id.desc())
        .subquery()
    )
    found = (
        select(
            SavedSearch.name.label("schedule"),
            Issue.issue_id,
            Tracker.name.label("tracker"),
            Issue.title,
            Issue.product,
            Issue.status,
            SessionFrontier.state.label("change"),
            Issue.url,
            newest.c.ended_at.label("found_at"),
        )
        .select_from(newest)
        .join(SavedSearch, SavedSearch.saved_search_id == newest.c.saved_search_id)
        .join(CrawlSession, CrawlSession.session_id == newest.c.session_id)
        .join(SessionFrontier, SessionFrontier.session_id == newest.c.session_id)
        .join(
            Issue,
            (Issue.issue_id == SessionFrontier.issue_id)
            & (Issue.tracker_id == CrawlSession.tracker_id)
            & (Issue.user_id == CrawlSession.user_id),
        )
        .join(Tracker, Tracker.tracker_id == CrawlSession.tracker_id)
        .where(SessionFrontier.state.in_(("new", "changed")))
        .order_by(SavedSearch.name, SessionFrontier.position)
        .limit(limit)
        .offset(offset)
    )
    if name is not None:
        found = found.where(SavedSearch.name == name)
    return [dict(row) for row in session.execute(found).mappings()]
