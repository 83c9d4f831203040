"""``similar``: other issues like one."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import Everybody, trackers
from cli.output import print_json, print_table

_TERMS = 5  # as many of the shared words are shown


def similar(
    issue: Annotated[str, typer.Argument(help="the issue's number or key")],
    tracker: Annotated[
        str | None,
        typer.Option(help="the tracker, if several have this issue", autocompletion=trackers),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 10,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Find stored issues that are similar to one, by the rare words they share."""
    from pipeline.bootstrap import start
    from pipeline.search.similar import similar as find_similar

    program = start(asks_only=True)
    found = find_similar(program.user_id, issue, tracker, limit=limit, everybody=everybody)
    if as_json:
        print_json(found)
        return
    print_table(
        ("issue", "status", "product", "title", "shared words", *(("owner_user",) if everybody else ())),
        [
            (
                row["issue_id"],
                row["status"],
                row["product"],
                row["title"],
                ", ".join(row["terms"][:_TERMS]),
                *((row["owner_user"],) if everybody else ()),
            )
            for row in found
        ],
        empty="No similar issues were found.",
    )
