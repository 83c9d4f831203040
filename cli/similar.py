"""``similar``: other issues like one, or like a text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import Everybody, trackers
from cli.output import print_json, print_table

_TERMS = 5  # as many of the shared words are shown
_LONGEST = 1_000_000  # bytes of a text; what is beyond is not read


def similar(
    issue: Annotated[str | None, typer.Argument(help="the issue's number or key")] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="a file with a text, such as a stack trace, instead of an issue; - is standard input"
        ),
    ] = None,
    only_open: Annotated[bool, typer.Option("--open", help="only open issues")] = False,
    tracker: Annotated[
        str | None,
        typer.Option(help="the tracker, if several have this issue", autocompletion=trackers),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 10,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Find stored issues that are similar to an issue or to a text.

    They share frames of a stack, codes and rare words. They may be in any of your trackers.
    """
    from crawler.errors import UsageError

    if (issue is None) == (text is None):
        raise UsageError("Name an issue, or a text with --text FILE (- is standard input).")
    if text is not None and tracker is not None:
        raise UsageError("--tracker tells which issue is meant: leave it out with --text.")
    found = _found(issue, text, tracker, limit=limit, only_open=only_open, everybody=everybody)
    if as_json:
        print_json(found)
        return
    several = len({row["tracker"] for row in found}) > 1
    columns = ["issue_id", *(["tracker"] if several else []), "status", "product", "title"]
    print_table(
        ("issue", *columns[1:], "shared words", *(("owner_user",) if everybody else ())),
        [
            (
                *(row[column] for column in columns),
                ", ".join(row["terms"][:_TERMS]),
                *((row["owner_user"],) if everybody else ()),
            )
            for row in found
        ],
        empty="No similar issues were found.",
    )


def _found(issue: str | None, text: str | None, tracker: str | None, **options: Any) -> list[dict[str, Any]]:
    from pipeline.bootstrap import start
    from pipeline.search.similar import similar as find_similar
    from pipeline.search.similar import similar_to_text

    if issue is not None:
        return find_similar(start(asks_only=True).user_id, issue, tracker, **options)
    pasted = _read(text or "-")
    return similar_to_text(start(asks_only=True).user_id, pasted, **options)


def _read(name: str) -> str:
    """Read the beginning of a text file or of standard input.

    Raises:
        UsageError: it cannot be read, or there is no text in it.
    """
    from crawler.errors import UsageError

    if name == "-" and sys.stdin.isatty():
        typer.echo("Paste the text, then press Ctrl-D on a line of its own.", err=True)
    try:
        if name == "-":
            content = sys.stdin.buffer.read(_LONGEST)
        else:
            with Path(name).open("rb") as file:
                content = file.read(_LONGEST)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
    text = content.decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise UsageError("There is no text to compare: paste a message or a stack trace.")
    return text
