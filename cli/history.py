"""``history``: what was asked, the newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import print_json, print_table


def history(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="leave out the newest")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List your past questions, to trackers and to what is stored, with what they found."""
    from pipeline.bootstrap import start
    from pipeline.search.history import past_questions

    program = start()
    rows = past_questions(program.user_id, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("when", "question", "understood as", "product", "where", "found>"),
        [
            (
                row["queried_at"],
                row["original_query"],
                row["parsed_query"] if row["parsed_query"] != row["original_query"] else None,
                row["product"],
                _where(row["tracker"], crawled=row["session_uuid"] is not None),
                row["results_count"],
            )
            for row in rows
        ],
        empty="Nothing was asked yet: begin with search or crawl.",
    )


def _where(tracker: str | None, *, crawled: bool) -> str:
    return tracker or "a tracker" if crawled else "stored"
