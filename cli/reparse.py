"""``reparse``: issues and files read again from what is kept, without the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import sessions, trackers
from cli.output import complain, one_line, print_json, say

if TYPE_CHECKING:
    from pipeline.attachments.texts import ReadFiles
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
    attachments: Annotated[
        bool, typer.Option("--attachments", help="read the texts of the fetched files again, not the pages")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Parse the stored pages again, after a parser fix, without asking the tracker.

    A quarantined page that can be read now leaves the quarantine. With --attachments, the fetched files are
    read again instead: after an update that reads more kinds, or once what reads Office files was installed.
    """
    import asyncio

    from crawler.errors import UsageError
    from pipeline.bootstrap import start
    from pipeline.reparse import Wanted, read_files_again
    from pipeline.reparse import reparse as read_again
    from pipeline.sessions.ids import full_id

    if everything and (session is not None or tracker is not None):
        raise UsageError("Give either --all, or a session or a tracker.")
    program = start()
    wanted = Wanted(
        session_uuid=full_id(program.user_id, session) if session is not None else None, tracker=tracker
    )
    if attachments:
        files = read_files_again(program.conninfo, program.user_id, program.home, wanted)
        _tell_of_files(asyncio.run(files), as_json=as_json)
    else:
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


def _tell_of_files(result: ReadFiles, *, as_json: bool) -> None:
    from cli.exit_codes import FAILED_ISSUES

    for name, reason in result.failures:
        complain(f"{one_line(name)}: {reason}")
    if as_json:
        print_json({name: getattr(result, name) for name in ("files", "read", "failed")})
    else:
        say(f"read         {result.read} of {result.files} files have a text")
        say(f"failed       {result.failed}, wholly or in part")
    if result.failed:
        raise typer.Exit(FAILED_ISSUES)
