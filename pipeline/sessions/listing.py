"""The crawl sessions, listed."""

from __future__ import annotations

from typing import Any

from db.acting import Acting, acting_for
from pipeline.owners import owned


def list_sessions(
    user_id: int, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """Return crawl sessions, the newest first.

    Returns:
        ``session_uuid``, ``status``, ``tracker``, ``product``, ``original_query``, ``started_at``,
        ``duration_seconds``, ``total_issues_found``, ``issues_crawled``, ``failed_issues``, ``waits_for``
        (None: something moves, or it has ended); of everybody's also ``owner_user``.
    """
    with acting_for(user_id, everybody=everybody) as acting:
        return sessions_of(acting, limit=limit, offset=offset, everybody=everybody)


def sessions_of(
    acting: Acting, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """As :func:`list_sessions`, in a transaction that is there already."""
    rows = acting.rows("asking", "sessions", {"limit": limit, "offset": offset})
    return owned(rows, everybody=everybody)
