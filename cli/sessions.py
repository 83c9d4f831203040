"""``sessions``: what was crawled, the newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import Everybody
from cli.output import print_json, print_table


def sessions(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="skip this many of the newest")] = 0,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List your crawl sessions, the newest first."""
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.sessions.listing import list_sessions

    program = start(asks_only=True)
    rows = list_sessions(program.user_id, limit=limit, offset=offset, everybody=everybody)
    refresh(program.user_id)
    if as_json:
        print_json(rows)
        return
    owner = ("owner_user",) if everybody else ()
    columns = (
        *("session_uuid", "status", "tracker", "original_query", "started_at", "duration_seconds"),
        *("total_issues_found", "issues_crawled", "failed_issues", "waits_for", *owner),
    )
    print_table(
        (
            *("session", "status", "tracker", "query", "started", "seconds>", "found>", "stored>", "failed>"),
            *("wait", *owner),
        ),
        [[row[name] for name in columns] for row in rows],
        empty="There are no sessions yet: begin one with crawl.",
    )
