"""What is new: issues that a schedule's newest run found new or changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from db.models import CrawlSession, Issue, Run, SavedSearch, SessionFrontier, Tracker
from pipeline.owners import with_owner


def list_news(
    session: Session, name: str | None, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """What the newest run that ended of each of one's own schedules, or everybody's, found new or changed.

    Args:
        session: acts for the user.
        name: of one schedule only.
        limit: at most this many.
        offset: skip this many.
        everybody: of everybody's schedules, which the session has to see.

    Returns:
        Dictionaries of ``schedule``, ``issue_id``, ``tracker``, ``title``, ``product``, ``status``,
        ``change`` (new or changed), ``url``, ``found_at``; of everybody's also ``owner_user``.
    """
    ended = (
        select(Run.run_id, Run.session_id, Run.saved_search_id, Run.ended_at)
        .where(
            Run.session_id.is_not(None),
            Run.status.in_(("completed", "failed", "interrupted")),
        )
        .ext(distinct_on(Run.saved_search_id))
        .order_by(Run.saved_search_id, Run.run_id.desc())
    )
    mine = Run.user_id == func.ims.current_user_id()
    newest = (ended if everybody else ended.where(mine)).subquery()
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
        .order_by(SavedSearch.name, SavedSearch.saved_search_id, SessionFrontier.position)
        .limit(limit)
        .offset(offset)
    )
    if everybody:
        found = with_owner(found, SavedSearch.user_id)
    if name is not None:
        found = found.where(SavedSearch.name == name)
    return [dict(row) for row in session.execute(found).mappings()]
