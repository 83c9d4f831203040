"""Other issues like one."""

from __future__ import annotations

from typing import Any

from db.acting import acting_for
from pipeline.owners import owned
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
    with acting_for(user_id, everybody=everybody) as acting:
        issue = find_issue(acting, issue_id, tracker)
        rows = acting.rows("asking", "similar", {"issue_pk": issue["issue_pk"], "limit": limit})
    return owned(rows, everybody=everybody)
