"""``quarantine``: pages that nobody could read."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import trackers
from cli.output import one_line, print_json, print_table, safe, say

app = typer.Typer(help="Pages that no parser could read: look at them, try them again.")

TrackerName = Annotated[
    str | None, typer.Option("--tracker", help="only this tracker's", autocompletion=trackers)
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]


@app.command("list")
def list_(
    tracker: TrackerName = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="leave out the latest")] = 0,
    as_json: AsJson = False,
) -> None:
    """List the pages in quarantine, the latest first, and why they are there."""
    from pipeline.bootstrap import start
    from pipeline.quarantine import quarantined

    program = start()
    rows = quarantined(program.user_id, tracker=tracker, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
        return
    columns = ("issue_id", "tracker", "part", "fetched_at", "size", "reason")
    print_table(
        ("issue", "tracker", "part", "fetched", "bytes>", "why"),
        [[row[name] for name in columns] for row in rows],
        empty="No page is in quarantine.",
    )


@app.command("show")
def show(
    issue: Annotated[str, typer.Argument(help="the issue's number or key")],
    tracker: TrackerName = None,
    as_json: AsJson = False,
) -> None:
    """Show an issue's pages in quarantine as they came, as text."""
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
    """Read the issues in quarantine again; what can be read now is stored and let out."""
    import asyncio

    from cli.reparse import tell
    from pipeline.bootstrap import start
    from pipeline.quarantine import retry as read_again

    program = start()
    rebuilt = asyncio.run(read_again(program.conninfo, program.user_id, issue_id=issue, tracker=tracker))
    tell(rebuilt, as_json=as_json)
