"""Other issues like one, or like a text."""

from __future__ import annotations

from typing import Any

from db.acting import acting_for
from db.sanitize import storable_text
from pipeline.owners import owned
from pipeline.search.stored_issue import find_issue


def similar(
    user_id: int,
    issue_id: str,
    tracker: str | None = None,
    *,
    limit: int = 10,
    only_open: bool = False,
    everybody: bool = False,
) -> list[dict[str, Any]]:
    """Find the issues that share an issue's frames of a stack, codes and rare words, the most alike first.

    Args:
        user_id: who asks.
        issue_id: the tracker's number or key.
        tracker: the tracker's name, where several have such an issue; what is found may be in any.
        limit: at most this many.
        only_open: leave out those that are done.
        everybody: the issue may be anybody's; the others are its owner's too.

    Returns:
        ``issue_id``, ``tracker``, ``title``, ``product``, ``status``, ``score``, ``terms`` (what is shared,
        the most telling first) and ``url``; of everybody's also ``owner_user``.

    Raises:
        UsageError: there is no such issue for this user, or several trackers have one.
    """
    with acting_for(user_id, everybody=everybody) as acting:
        issue = find_issue(acting, issue_id, tracker)
        rows = acting.rows(
            "asking", "similar", {"issue_pk": issue["issue_pk"], "limit": limit, "only_open": only_open}
        )
    return owned(rows, everybody=everybody)


def similar_to_text(
    user_id: int, text: str, *, limit: int = 10, only_open: bool = False, everybody: bool = False
) -> list[dict[str, Any]]:
    """Find the issues that are like a text, such as a stack trace; its first line counts as a title does.

    Args:
        user_id: who asks.
        text: any text; what is beyond 250,000 characters is not compared.
        limit: at most this many.
        only_open: leave out those that are done.
        everybody: anybody's issues.

    Returns:
        as :func:`similar`.
    """
    with acting_for(user_id, everybody=everybody) as acting:
        rows = acting.rows(
            "asking", "similar_to_text", {"text": storable_text(text), "limit": limit, "only_open": only_open}
        )
    return owned(rows, everybody=everybody)
