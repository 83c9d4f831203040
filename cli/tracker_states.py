"""``trackers states``: what a tracker's status words mean."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import AsJson, trackers
from cli.output import print_json, print_table


def states(
    name: Annotated[str, typer.Argument(help="the tracker's name", autocompletion=trackers)],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="WORD=STATE",
            help="issues with this status are open, in_progress, done or unknown; may be given again",
        ),
    ] = None,
    forgotten: Annotated[
        list[str] | None,
        typer.Option("--remove", metavar="WORD", help="let the tracker say what the word means again"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="skip this many")] = 0,
    as_json: AsJson = False,
) -> None:
    """List a tracker's status words with their states, and say what your team's own words mean.

    What you say of a word comes before what the tracker tells of it. Figures and searches count anew at once.
    """
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.trackers.states import forget_states, list_states, say_states

    changes = bool(given or forgotten)
    program = start(asks_only=not changes)
    with get_session(user_id=program.user_id) as session:
        if forgotten:
            forget_states(session, name, forgotten)
        if given:
            say_states(session, name, given)
        rows = list_states(session, name, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("status", "issues>", "changes>", "state", "said by you"),
            [[row["word"], row["issues"], row["changes"], row["state"], row["own"]] for row in rows],
            empty=f"No issue of {name} has a status yet: crawl it first.",
        )
