"""``reparse``: issues read again from the pages that are kept, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import sessions, trackers
from cli.output import complain, one_line, print_json, say

if TYPE_CHECKING:
    from pipeline.reparse.batch import ReparseResult


def reparse(
    session: Annotated[
        str | None,
        typer.Argument(
            help="only what this session found: its id, or the first digits", autocompletion=sessions
        ),
    ] = None,
    tracker: Annotated[
        str | None, typer.Option(help="only this tracker's issues", autocompletion=trackers)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="all your stored pages (the default)")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Parse the stored pages again, after a parser fix, without asking the tracker.

    A quarantined page that can be read now leaves the quarantine.
    """
    import asyncio

    from crawler.errors import UsageError
    from pipeline.bootstrap import start
    from pipeline.reparse import Wanted
    from pipeline.reparse import reparse as read_again
    from pipeline.sessions.ids import full_id

    if everything and (session is not None or tracker is not None):
        raise UsageError("Give either --all, or a session or a tracker.")
    program = start()
    wanted = Wanted(
        session_uuid=full_id(program.user_id, session) if session is not None else None, tracker=tracker
    )
    tell(asyncio.run(read_again(program.conninfo, program.user_id, wanted)), as_json=as_json)


def tell(result: ReparseResult, *, as_json: bool) -> None:
    """Print what came of it, and leave with status 4 where some issues failed."""
    from cli.exit_codes import FAILED_ISSUES

    for number, reason in result.failures:
        complain(f"Issue {number}: {reason}")
    if as_json:
        names = ("pages", "issues", "changed", "failed")
        print_json({name: getattr(result, name) for name in names})
    else:
        _print(result)
    if result.failed:
        raise typer.Exit(FAILED_ISSUES)


def _print(result: ReparseResult) -> None:
    say(f"read         {result.issues} issues from {result.pages} pages, {result.failed} failed")
    say(f"changed      {result.changed}")
    for name, number in result.fields.most_common():
        say(f"             {number} × {one_line(name)}")
    if result.released:
        say(f"quarantine   {result.released} pages released")
