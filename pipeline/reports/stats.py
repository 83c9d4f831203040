"""What is known about what was crawled, in figures: sessions, issues, products, questions, flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from db.acting import Acting, acting_for

PARTS = ("sessions", "issues", "products", "top_queries", "flow")


def figures(
    user_id: int, days: int, now: datetime | None = None, *, everybody: bool = False
) -> dict[str, Any]:
    """Count what is a user's own, or everybody's.

    Args:
        user_id: who asks.
        days: how far to look back.
        now: until when; None: until now.
        everybody: count everybody's rows.

    Returns:
        ``sessions`` (total, completed, failed, running, success_rate from 0 to 1, avg_duration_seconds,
        p95_duration_seconds, issues_crawled, failed_issues), ``issues`` (total, open, closed, unplaced,
        which are open since nobody knows their status, and of the days new, changed), ``products`` (the
        ten with most issues: product, issues, open), ``top_queries`` (the ten commonest of the days:
        query, count) and ``flow`` (bucket_start, created, closed, open_at_end; by day, from 93 days on by
        week, from three years on by month).
    """
    with acting_for(user_id, everybody=everybody) as acting:
        return count(acting, days, now)


def count(acting: Acting, days: int, now: datetime | None = None) -> dict[str, Any]:
    """As :func:`figures`, in a transaction that is there already."""
    told = dict(parts(acting, days, now or datetime.now(UTC), PARTS))
    return {**told, "sessions": told["sessions"][0], "issues": told["issues"][0]}


def parts(
    acting: Acting, days: int, until: datetime, names: Sequence[str]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Count one part after the other, and give each with its name as soon as it is there.

    Args:
        acting: who asks, in a transaction.
        days: how far to look back.
        until: from when.
        names: of PARTS.
    """
    bucket = "day" if days < 93 else "week" if days < 1096 else "month"
    known = {"since": until - timedelta(days=days), "until": until, "bucket": bucket}
    for name in names:
        yield name, acting.rows("stats", name, known)
