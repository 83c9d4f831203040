"""One stored issue, with everything that hangs on it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from db import get_session
from db.models import Base, Issue, Tracker, User
from pipeline.owners import OWNER

_HIDDEN = {"search_vector", "content_hash"}
_PARTS = ("comments", "history", "attachments", "relations")


def read_issue(
    user_id: int, issue_id: str, tracker: str | None = None, *, everybody: bool = False
) -> dict[str, Any]:
    """Read an issue.

    Args:
        user_id: who asks.
        issue_id: the tracker's number or key.
        tracker: the tracker's name, where several have such an issue.
        everybody: it may be anybody's; one's own comes first.

    Returns:
        the issue's columns, its tracker's name, ``comments``, ``history``, ``attachments`` and ``relations``;
        of everybody's also ``owner_user``.

    Raises:
        UsageError: there is no such issue for this user, or several trackers have one.
    """
    with get_session(user_id, everybody=everybody) as session:
        issue, name = find_issue(session, issue_id, tracker)
        parts = {part: [_columns(child) for child in getattr(issue, part)] for part in _PARTS}
        found = {**_columns(issue), "tracker": name, **parts}
        if everybody:
            found[OWNER] = session.scalar(select(User.username).where(User.user_id == issue.user_id))
        return found


def find_issue(session: Session, issue_id: str, tracker: str | None = None) -> tuple[Issue, str | None]:
    """Find an issue by its number or key, with its tracker's name; see :func:`read_issue`.

    Raises:
        UsageError: there is no such issue for this user, or several trackers have one.
    """
    wanted = (
        select(Issue, Tracker.name)
        .outerjoin(Tracker, Tracker.tracker_id == Issue.tracker_id)
        .where(Issue.issue_id == issue_id)
        .order_by((Issue.user_id == func.ims.current_user_id()).desc(), Issue.issue_pk)
    )
    if tracker is not None:
        wanted = wanted.where(Tracker.name == tracker)
    rows = session.execute(wanted).all()
    if not rows:
        raise UsageError(f"Issue {issue_id} is not stored: crawl it first, or look for it with search.")
    issue, name = rows[0]
    # An admin sees everybody's copies; of one's own, the tracker must be said.
    others = sorted({other or "-" for row, other in rows if row.user_id == issue.user_id})
    if len(others) > 1:
        raise UsageError(f"Several trackers have an issue {issue_id}: say --tracker {' or '.join(others)}.")
    return issue, name


def _columns(row: Base) -> dict[str, Any]:
    names = (attribute.key for attribute in row.__mapper__.column_attrs)
    return {name: getattr(row, name) for name in names if name not in _HIDDEN}
