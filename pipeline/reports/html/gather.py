"""The figures of a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from db import get_session

LISTED = 10  # issues, products, modules, words
Rows = list[dict[str, Any]]

_QUERIES = {
    "flow": "SELECT * FROM ims.issue_flow(:since, :until, :bucket, :product)",
    "backlog": "SELECT * FROM ims.backlog_age(:until, :product)",
    "statuses": "SELECT * FROM ims.time_in_status(:product, :since, :until) LIMIT 12",
    "closing": "SELECT * FROM ims.time_to_close(:product, :since, :until)",
    "response": "SELECT * FROM ims.first_response_time(:product, :since, :until)",
    "products": """
        SELECT coalesce(product, '') AS name, count(*) AS issues FROM ims.issues
        WHERE registered_date >= :since AND registered_date < :until
          AND (CAST(:product AS text) IS NULL OR starts_with(lower(product), lower(:product)))
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :listed""",
    "modules": """
        SELECT module AS name, count(*) AS issues FROM ims.issues
        WHERE registered_date >= :since AND registered_date < :until AND module <> ''
          AND (CAST(:product AS text) IS NULL OR starts_with(lower(product), lower(:product)))
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :listed""",
    "words": "SELECT term AS name, issues, issues_before FROM ims.keyword_trends(:since, :until, :listed)",
    "newest": """
        SELECT issue_id, url, title, product, status, owner, registered_date FROM ims.issues
        WHERE state <> 'done' AND removed_at IS NULL AND registered_date < :until
          AND (CAST(:product AS text) IS NULL OR starts_with(lower(product), lower(:product)))
        ORDER BY registered_date DESC, issue_pk DESC LIMIT :listed""",
    "oldest": """
        SELECT issue_id, url, title, product, status, owner, registered_date FROM ims.issues
        WHERE state <> 'done' AND removed_at IS NULL AND registered_date < :until
          AND (CAST(:product AS text) IS NULL OR starts_with(lower(product), lower(:product)))
        ORDER BY registered_date, issue_pk LIMIT :listed""",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a report tells, of what the configured user may see."""

    since: datetime
    until: datetime
    bucket: str  # of the flow: day, week or month
    product: str | None
    flow: Rows  # bucket_start, created, closed, open_at_end
    backlog: Rows  # age_bucket, open_issues
    statuses: Rows  # status, issues, p50, p90, total
    closing: Rows  # one: issues, p50, p90, p99
    response: Rows  # likewise
    products: Rows  # name, issues, of those registered in the time
    modules: Rows  # likewise
    words: Rows  # name, issues, issues_before; empty for a single product
    newest: Rows  # open issues: issue_id, url, title, product, status, owner, registered_date
    oldest: Rows  # likewise


def gather(
    since: datetime | None = None, product: str | None = None, until: datetime | None = None
) -> Figures:
    """Ask for the figures, all in one moment of the database.

    Args:
        since: from when; None: twelve weeks before the end.
        product: only this product or family.
        until: the end; None: now.
    """
    until = until or datetime.now(UTC)
    since = since or until - timedelta(weeks=12)
    bucket = (
        "day"
        if until - since <= timedelta(days=31)
        else "week"
        if until - since <= timedelta(days=550)
        else "month"
    )
    known = {"since": since, "until": until, "bucket": bucket, "product": product, "listed": LISTED}
    with get_session() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        rows = {
            name: [dict(row) for row in session.execute(text(query), known).mappings()]
            for name, query in _QUERIES.items()
            if name != "words" or product is None
        }
    return Figures(since=since, until=until, bucket=bucket, product=product, **{"words": [], **rows})
