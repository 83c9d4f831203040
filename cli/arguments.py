"""Arguments and options that several commands have, with what completes them."""

from __future__ import annotations

from typing import Annotated

import typer


def trackers() -> list[tuple[str, str]]:
    """The names of one's trackers."""
    return _known("trackers")


def schedules() -> list[tuple[str, str]]:
    """The names of one's schedules."""
    return _known("schedules")


def favorites() -> list[tuple[str, str]]:
    """The names of one's favorites."""
    return _known("favorites")


def sessions() -> list[tuple[str, str]]:
    """The short ids of the newest sessions."""
    from cli.table import SHORT_ID

    return [(name[:SHORT_ID], about) for name, about in _known("sessions")]


def products() -> list[tuple[str, str]]:
    """The products of one's issues."""
    return _known("products")


def _known(sort: str) -> list[tuple[str, str]]:
    from pipeline.completion import read_names

    return read_names(sort)


Everybody = Annotated[
    bool, typer.Option("--everybody", help="all users' rows, with their owners; for admins and analysts")
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]
SessionId = Annotated[
    str,
    typer.Argument(
        help="the session's id or its first digits, as sessions shows it", autocompletion=sessions
    ),
]
