"""The figures of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from db.acting import Acting, acting_for
from db.queries import statements

LISTED = 10  # issues, products, modules, words
Rows = list[dict[str, Any]]
_LIFE = {  # the columns of the parts that one statement counts, since they count the same spans
    "flow": ("bucket_start", "created", "closed", "open_at_end"),
    "backlog": ("age_bucket", "open_issues"),
    "statuses": ("status", "issues", "p50", "p90", "total"),
    "closing": ("issues", "p50", "p90", "p99"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a report tells, of what a user may see."""

    since: datetime
    until: datetime
    product: str | None
    # By name; one: a single row.
    #   flow               bucket_start, created, closed, open_at_end
    #   unplaced           one: issues, which count as open since nobody knows their status
    #   backlog            age_bucket, open_issues
    #   statuses           status, issues, p50, p90, total
    #   closing, response  one: issues, p50, p90, p99
    #   products, modules  name, issues, of those registered in the time
    #   words              name, issues, issues_before; not for a single product
    #   kinds, codes       name, issues: of files that were read, of errors in them; registered in the time
    #   newest, oldest     open issues: issue_id, url, title, product, status, owner, registered_date
    rows: Mapping[str, Rows]

    @property
    def bucket(self) -> str:
        """Of the flow: day, week or month."""
        span = self.until - self.since
        return "day" if span <= timedelta(days=31) else "week" if span <= timedelta(days=550) else "month"


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
    rows: dict[str, Rows] = {}
    figures = Figures(since=since or until - timedelta(weeks=12), until=until, product=product, rows=rows)
    rows.update(parts(acting, figures))
    return figures


def parts(acting: Acting, figures: Figures) -> Iterator[tuple[str, Rows]]:
    """Count the rows of figures, and give each part with its name as soon as it is there."""
    known = {
        "since": figures.since,
        "until": figures.until,
        "bucket": figures.bucket,
        "product": figures.product,
        "listed": LISTED,
    }
    for name in statements("report"):
        if name == "life":
            yield from _parts_of_life(acting.rows("report", name, known))
        elif name != "words" or figures.product is None:
            yield name, acting.rows("report", name, known)


def _parts_of_life(rows: Rows) -> Iterator[tuple[str, Rows]]:
    for part, columns in _LIFE.items():
        yield part, [{column: row[column] for column in columns} for row in rows if row["part"] == part]
