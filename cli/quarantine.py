"""``quarantine``: pages that nobody could read."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import Everybody, trackers
from cli.output import one_line, print_json, print_table, safe, say

app = typer.Typer(help="Inspect and retry pages that could not be parsed.")

TrackerName = Annotated[
    str | None, typer.Option("--tracker", help="only this tracker's", autocompletion=trackers)
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]


@app.command("list")
def list_(
    tracker: TrackerName = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="skip this many of the latest")] = 0,
    everybody: Everybody = False,
    as_json: AsJson = False,
) -> None:
    """List the pages that could not be parsed, the latest first, and why."""
    from pipeline.bootstrap import start
    from pipeline.quarantine import quarantined

    program = start()
    rows = quarantined(program.user_id, tracker=tracker, limit=limit, offset=offset, everybody=everybody)
    if as_json:
        print_json(rows)
        return
    owner = ("owner_user",) if everybody else ()
    columns = ("issue_id", "tracker", "part", "fetched_at", "size", "reason", *owner)
    print_table(
        ("issue", "tracker", "part", "fetched", "bytes>", "why", *owner),
        [[row[name] for name in columns] for row in rows],
        empty="No pages are in quarantine.",
    )


@app.command("show")
def show(
    issue: Annotated[str, typer.Argument(help="the issue's number or key")],
    tracker: TrackerName = None,
    as_json: AsJson = False,
) -> None:
    """Show the quarantined pages of an issue as text."""
    from pipeline.bootstrap import start
    from pipeline.quarantine import read_quarantined

    program = start()
    pages = read_quarantined(program.user_id, issue, tracker)
    if as_json:
        print_json(pages)
        return
    for page in pages:
        say(one_line(f"{page['tracker']} {page['issue_id']}, {page['part']}: {page['reason']}"))
        say(one_line(f"{page['url']}  {page['fetched_at']:%Y-%m-%d %H:%M} UTC, {page['size']} bytes"))
        say()
        say(safe(page["text"]))


@app.command("retry")
def retry(
    issue: Annotated[str | None, typer.Argument(help="only this issue's pages; default: all")] = None,
    tracker: TrackerName = None,
    as_json: AsJson = False,
) -> None:
    """Parse quarantined pages again; those that can be read now are stored and leave the quarantine."""
    import asyncio

    from cli.reparse import tell
    from pipeline.bootstrap import start
    from pipeline.quarantine import retry as read_again

    program = start()
    result = asyncio.run(read_again(program.conninfo, program.user_id, issue_id=issue, tracker=tracker))
    tell(result, as_json=as_json)
