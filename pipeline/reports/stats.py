"""What is known about what was crawled, in figures: sessions, issues, products, questions, flow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from db import get_session

_SESSIONS = text("""
    SELECT count(*) AS total, count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'running') AS running,
           count(*) FILTER (WHERE status = 'completed')::double precision
               / nullif(count(*) FILTER (WHERE status <> 'running'), 0) AS success_rate,
           avg(duration_seconds) AS avg_duration_seconds,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds) AS p95_duration_seconds,
           coalesce(sum(issues_crawled), 0)::bigint AS issues_crawled,
           coalesce(sum(failed_issues), 0)::bigint AS failed_issues
    FROM ims.crawl_sessions WHERE started_at >= :since
""")
_ISSUES = text("""
    SELECT count(*) AS total, count(*) FILTER (WHERE state <> 'done') AS open,
           count(*) FILTER (WHERE state = 'done') AS closed,
           count(*) FILTER (WHERE first_crawled_at >= :since) AS new,
           count(*) FILTER (WHERE modified_date >= :since) AS changed
    FROM ims.issues WHERE removed_at IS NULL
""")
_PRODUCTS = text("""
    SELECT product, sum(issues)::bigint AS issues, sum(open_issues)::bigint AS open
    FROM ims.v_product_stats GROUP BY product ORDER BY 2 DESC, 1 LIMIT 10
""")
_QUESTIONS = text("""
    SELECT original_query AS query, count(*) AS count
    FROM ims.search_queries WHERE queried_at >= :since
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
""")
_FLOW = text("SELECT * FROM ims.issue_flow(:since, :until, :bucket)")


def figures(days: int, now: datetime | None = None) -> dict[str, Any]:
    """Count what the configured user may see.

    Args:
        days: how far to look back.
        now: until when; None: until now.

    Returns:
        ``sessions`` (total, completed, failed, running, success_rate from 0 to 1, avg_duration_seconds,
        p95_duration_seconds, issues_crawled, failed_issues), ``issues`` (total, open, closed, and of the
        days new, changed), ``products`` (the ten with most issues: product, issues, open), ``top_queries``
        (the ten commonest of the days: query, count) and ``flow`` (bucket_start, created, closed,
        open_at_end; by day, from 93 days on by week, from three years on by month).
    """
    until = now or datetime.now(UTC)
    since = until - timedelta(days=days)
    bucket = "day" if days < 93 else "week" if days < 1096 else "month"
    known = {"since": since, "until": until, "bucket": bucket}
    with get_session() as session:
        return {
            "sessions": dict(_one(session, _SESSIONS, known)),
            "issues": dict(_one(session, _ISSUES, known)),
            "products": _rows(session, _PRODUCTS, {}),
            "top_queries": _rows(session, _QUESTIONS, known),
            "flow": _rows(session, _FLOW, known),
        }


def _one(session: Session, query: Any, known: Mapping[str, object]) -> Any:
    return session.execute(query, known).mappings().one()


def _rows(session: Session, query: Any, known: Mapping[str, object]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(query, known).mappings()]
