"""One stored issue, with everything that hangs on it."""

from __future__ import annotations

from typing import Any

from crawler.errors import UsageError
from db.acting import Acting, acting_for
from pipeline.owners import OWNER


class NoSuchIssue(UsageError):
    """There is no such issue for this user."""


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
    with acting_for(user_id, everybody=everybody) as acting:
        return issue_with_parts(acting, issue_id, tracker, everybody=everybody)


def issue_with_parts(
    acting: Acting, issue_id: str, tracker: str | None = None, *, everybody: bool = False
) -> dict[str, Any]:
    """As :func:`read_issue`, in a transaction that is there already."""
    found = find_issue(acting, issue_id, tracker)
    this = {"issue_pk": found["issue_pk"]}
    (issue,) = acting.rows("issue", "issue", this)
    parts = {part: acting.rows("issue", part, this) for part in _PARTS}
    whose = {OWNER: found[OWNER]} if everybody else {}
    return {**issue, "tracker": found["tracker"], **parts, **whose}


def find_issue(acting: Acting, issue_id: str, tracker: str | None = None) -> dict[str, Any]:
    """Find an issue by its number or key: its ``issue_pk``, ``user_id``, ``tracker`` and ``owner_user``.

    Raises:
        UsageError: there is no such issue for this user, or several trackers have one.
    """
    rows = acting.rows("issue", "found", {"issue_id": issue_id, "tracker": tracker})
    if not rows:
        raise NoSuchIssue(f"Issue {issue_id} is not stored: crawl it first, or look for it with search.")
    # An admin sees everybody's copies; of one's own, the tracker must be said.
    others = sorted({row["tracker"] or "-" for row in rows if row["user_id"] == rows[0]["user_id"]})
    if len(others) > 1:
        raise UsageError(f"Several trackers have an issue {issue_id}: say --tracker {' or '.join(others)}.")
    return rows[0]
