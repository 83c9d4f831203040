"""``sessions``: what was crawled, the newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import print_json, print_table

_COLUMNS = (
    "session_uuid",
    "status",
    "tracker",
    "product",
    "original_query",
    "started_at",
    "duration_seconds",
    "total_issues_found",
    "issues_crawled",
    "failed_issues",
)


def sessions(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="leave out the newest")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List crawl sessions, the newest first."""
    from sqlalchemy import select

    from db import get_session
    from db.models import CrawlSession, Tracker
    from pipeline.bootstrap import start

    start()
    listed = (
        select(
            *(
                Tracker.name.label("tracker") if name == "tracker" else getattr(CrawlSession, name)
                for name in _COLUMNS
            )
        )
        .outerjoin(Tracker, Tracker.tracker_id == CrawlSession.tracker_id)
        .order_by(CrawlSession.started_at.desc(), CrawlSession.session_id.desc())
        .limit(limit)
        .offset(offset)
    )
    with get_session() as session:
        rows = [dict(row) for row in session.execute(listed).mappings()]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("session", "status", "tracker", "query", "started", "s>", "found>", "stored>", "failed>"),
        [
            (
                row["session_uuid"],
                row["status"],
                row["tracker"],
                row["original_query"],
                row["started_at"],
                row["duration_seconds"],
                row["total_issues_found"],
                row["issues_crawled"],
                row["failed_issues"],
            )
            for row in rows
        ],
        empty="There are no sessions yet: begin one with crawl.",
    )
