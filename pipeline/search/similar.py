"""Other issues like one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from db import get_session
from db.models import Issue, Tracker
from pipeline.owners import with_owner
from pipeline.search.stored_issue import find_issue


def similar(
    user_id: int, issue_id: str, tracker: str | None = None, *, limit: int = 10, everybody: bool = False
) -> list[dict[str, Any]]:
    """Find the issues that share an issue's rarest words, the most alike first.

    Args:
        user_id: who asks.
        issue_id: the tracker's number or key.
        tracker: the tracker's name, where several have such an issue.
        limit: at most this many.
        everybody: the issue may be anybody's; the others are its owner's too.

    Returns:
        ``issue_id``, ``tracker``, ``title``, ``product``, ``status``, ``score``, ``terms`` (the shared words,
        the rarest first) and ``url``; of everybody's also ``owner_user``.

    Raises:
        UsageError: there is no such issue for this user, or several trackers have one.
    """
    with get_session(user_id, everybody=everybody) as session:
        issue, _ = find_issue(session, issue_id, tracker)
        others = func.ims.similar_issues(issue.issue_pk, limit).table_valued("issue_pk", "score", "terms")
        found: Select[*tuple[Any, ...]] = (
            select(
                Issue.issue_id,
                Tracker.name.label("tracker"),
                Issue.title,
                Issue.product,
                Issue.status,
                others.c.score,
                others.c.terms,
                Issue.url,
            )
            .select_from(others)
            .join(Issue, Issue.issue_pk == others.c.issue_pk)
            .outerjoin(Tracker, Tracker.tracker_id == Issue.tracker_id)
            .order_by(others.c.score.desc(), others.c.issue_pk.desc())
        )
        if everybody:
            found = with_owner(found, Issue.user_id)
        return [dict(row) for row in session.execute(found).mappings()]
