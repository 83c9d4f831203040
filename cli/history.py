"""``history``: what was asked, the newest first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.arguments import Everybody
from cli.output import print_json, print_table


def history(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="skip this many of the newest")] = 0,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List your past searches and crawls, and how many issues each brought."""
    from pipeline.bootstrap import start
    from pipeline.search.history import past_questions

    program = start(asks_only=True)
    rows = past_questions(program.user_id, limit=limit, offset=offset, everybody=everybody)
    if as_json:
        print_json(rows)
        return
    owner = ("owner_user",) if everybody else ()
    print_table(
        ("when", "query", "understood as", "product", "where", "results", *owner),
        [
            (
                row["queried_at"],
                row["original_query"],
                row["parsed_query"] if row["parsed_query"] != row["original_query"] else None,
                row["product"],
                _where(row["tracker"], crawled=row["session_uuid"] is not None),
                _results(row),
                *(row[name] for name in owner),
            )
            for row in rows
        ],
        empty="There are no queries yet. Begin with search or crawl.",
    )


def _results(row: dict[str, Any]) -> str | None:
    """A crawl counts what it found; a search, which ends at --limit, what it showed."""
    if row["results_count"] is None:
        return None
    return f"{row['results_count']:,} {'found' if row['session_uuid'] is not None else 'shown'}"


def _where(tracker: str | None, *, crawled: bool) -> str:
    return tracker or "a tracker" if crawled else "stored issues"
