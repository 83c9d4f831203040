"""``receipt``: what a session found, against what it stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.arguments import SessionId
from cli.output import one_line, print_json, say


def receipt(
    session: SessionId,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Show what a session found, stored, skipped and failed on, and why."""
    from pipeline.bootstrap import start
    from pipeline.reports.receipt import receipt as read
    from pipeline.sessions.ids import full_id

    program = start()
    found = read(program.user_id, full_id(program.user_id, session))
    if as_json:
        print_json(found)
        return
    for line in _page(found):
        say(line)


def files_lines(found: dict[str, Any]) -> Iterator[str]:
    """What became of a session's attached files, a line each."""
    here, missing, skipped = (found[f"attachments_{each}"] for each in ("downloaded", "missing", "skipped"))
    if here or missing or skipped:
        left_out = f", {skipped} left out" if skipped else ""
        yield f"attachments  {here} downloaded{left_out}, {missing} not to be had"
    for reason, number in sorted(found["attachment_reasons"].items(), key=lambda pair: -pair[1]):
        yield f"             {number} × {one_line(reason)}"


def _page(found: dict[str, Any]) -> Iterator[str]:
    word = "complete" if found["complete"] else "not complete"
    total = "an unknown number" if found["tracker_total"] is None else found["tracker_total"]
    yield f"session      {found['session_uuid']} {found['status']}: {word}"
    yield f"found        {found['found']} of {total}, related {found['related']}"
    yield (
        f"stored       {found['stored_new']} new, {found['stored_changed']} changed, "
        f"{found['unchanged']} unchanged"
    )
    yield f"not stored   {found['failed']} failed, {found['skipped']} skipped"
    for reason, number in sorted(found["reasons"].items(), key=lambda pair: -pair[1]):
        yield f"             {number} × {one_line(reason)}"
    yield f"comments     {found['comments_stored']} of {found['comments_announced']}"
    yield f"history      {found['history_stored']} of {found['history_announced']}"
    yield from files_lines(found)
    yield f"pages        {found['pages_kept']} kept"
    yield (
        f"requests     {found['requests']}, {found['retries']} retries, {found['bytes']:,} bytes, "
        f"{found['waits']:.1f} s of waiting"
    )
