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


def places() -> list[str]:
    """Where a search may look."""
    from pipeline.search.filters import PLACES

    return list(PLACES)


def file_names(ctx: typer.Context) -> list[str]:
    """The names of the files of an issue that was looked at lately."""
    from pipeline.completion import read_files

    return read_files(str(ctx.params.get("issue") or ""))


def kinds() -> list[str]:
    """The kinds of trackers that are here."""
    from crawler.sources import kind_names

    return kind_names()


def options_of_a_kind(ctx: typer.Context) -> list[tuple[str, str]]:
    """The options of the kind that was typed before, or of the kind of the tracker that was."""
    from crawler.errors import UsageError
    from crawler.sources import find_kind

    known = dict(_known("kinds"))
    # Before an option that has no value yet, the words are left as they were typed.
    typed = (known[word] for word in (ctx.params.get("name"), *ctx.args) if word in known)
    try:
        options = find_kind(ctx.params.get("kind") or next(typed, "")).features.options
    except UsageError:
        return []
    return [(f"{option.name}=", option.help) for option in options]


def _known(sort: str) -> list[tuple[str, str]]:
    from pipeline.completion import read_names

    return read_names(sort)


Everybody = Annotated[
    bool, typer.Option("--everybody", help="all users' rows, with their owners; for admins and analysts")
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]
Attachments = Annotated[bool, typer.Option("--attachments", help="also download attached files")]
AttachmentsMax = Annotated[
    str | None,
    typer.Option(
        "--attachments-max",
        metavar="SIZE",
        help="no file larger than this: 500KB, 20MB, 2GB; default: 64MB, or what IMS_MAX_FILE says",
    ),
]
AttachmentsKind = Annotated[
    list[str] | None,
    typer.Option(
        "--attachments-kind",
        metavar="KIND",
        help="only files of such names: log, '*.tar.gz', 'trace*'; several with commas, or given again",
    ),
]
AttachmentsNot = Annotated[
    list[str] | None,
    typer.Option(
        "--attachments-not", metavar="KIND", help="no files of such names, as for --attachments-kind"
    ),
]
SessionId = Annotated[
    str,
    typer.Argument(
        help="the session's id or its first digits, as sessions shows it", autocompletion=sessions
    ),
]
