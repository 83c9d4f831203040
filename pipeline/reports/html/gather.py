"""The figures of a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from db.acting import Acting, acting_for
from db.queries import statements

LISTED = 10  # issues, products, modules, words
Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a report tells, of what a user may see."""

    since: datetime
    until: datetime
    bucket: str  # of the flow: day, week or month
    product: str | None
    flow: Rows  # bucket_start, created, closed, open_at_end
    backlog: Rows  # age_bucket, open_issues
    statuses: Rows  # status, issues, p50, p90, total
    unplaced: Rows  # one: issues, which count as open since nobody knows their status
    closing: Rows  # one: issues, p50, p90, p99
    response: Rows  # likewise
    products: Rows  # name, issues, of those registered in the time
    modules: Rows  # likewise
    words: Rows  # name, issues, issues_before; empty for a single product
    kinds: Rows  # of files that were read: name, issues, of those registered in the time
    codes: Rows  # of errors in files: likewise
    newest: Rows  # open issues: issue_id, url, title, product, status, owner, registered_date
    oldest: Rows  # likewise


def gather(
    user_id: int,
    since: datetime | None = None,
    product: str | None = None,
    until: datetime | None = None,
    *,
    everybody: bool = False,
) -> Figures:
    """Ask for the figures, all in one moment of the database.

    Args:
        user_id: who asks.
        since: from when; None: twelve weeks before the end.
        product: only this product or family.
        until: the end; None: now.
        everybody: of everybody's issues, not only one's own.
    """
    with acting_for(user_id, everybody=everybody, only_reads=True) as acting:
        return figures_of(acting, since, product, until)


def figures_of(
    acting: Acting,
    since: datetime | None = None,
    product: str | None = None,
    until: datetime | None = None,
) -> Figures:
    """As :func:`gather`, in a transaction that is there already."""
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
    rows = {
        name: acting.rows("report", name, known)
        for name in statements("report")
        if name != "words" or product is None
    }
    return Figures(since=since, until=until, bucket=bucket, product=product, **{"words": [], **rows})
