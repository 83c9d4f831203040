"""What is printed: results on standard output, the rest on standard error, nothing that steers a terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

from pipeline.printable import escaped_unseen, without_unseen

_MARK = re.compile("<mark>((?:(?!<mark>|</mark>).)*+)</mark>", re.DOTALL)


def safe(text: str) -> str:
    """Take out what a tracker's text could steer a terminal with; lone surrogates become question marks."""
    return without_unseen(text).encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """As :func:`safe`, on one line."""
    return " ".join(safe(text).split())


def complain(message: str) -> None:
    """Say one sentence on standard error."""
    print(one_line(message), file=sys.stderr)  # noqa: T201 - this is where messages are printed


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(text)  # noqa: T201 - this is where results are printed


def print_json(document: Any) -> None:
    """Print one JSON document; times in ISO format, in UTC, and what steers a terminal as escapes."""
    every = (sys.stdout.encoding or "").lower() not in ("utf-8", "utf8")  # else the output cannot hold some
    text = json.dumps(document, ensure_ascii=every, indent=2, default=_plain)
    say(escaped_unseen(text).encode("utf-8", "replace").decode())


def tell_done(message: str, document: dict[str, Any], *, as_json: bool) -> None:
    """Tell that something was changed: a sentence on standard error, or what it is now as JSON."""
    if as_json:
        print_json(document)
    else:
        complain(message)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, is_read: bool = False
) -> None:
    """Print rows: fitted to a terminal under headings, elsewhere one line each with tabs between the cells.

    Args:
        columns: the headings; one that ends in ``>`` is aligned to the right.
        rows: cells. A session's id is shortened on a terminal.
        empty: what to say when there are no rows.
        is_read: nobody but people reads it, so it has its headings everywhere.
    """
    lines = [list(row) for row in rows]
    if not lines:
        complain(empty)
    elif sys.stdout.isatty():
        from cli.table import layout

        terminal = console()
        terminal.print(layout(columns, lines, terminal.width))
    else:
        if is_read:
            say("\t".join(column.rstrip(">") for column in columns))
        for line in lines:
            say("\t".join(map(_whole, line)))


def invocation() -> str:
    """How this program was started, for commands that a message suggests."""
    program = Path(sys.argv[0])
    if program.suffix != ".py":
        return program.name
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    return f"{shown} {program}"


def console(*, stderr: bool = False) -> Console:
    """A console for this run; its width is the terminal's, or 120 columns where there is none."""
    from rich.console import Console

    wide = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return wide if wide.is_terminal else Console(stderr=stderr, highlight=False, width=120)


def cell(value: object) -> Text:
    """A value as it is shown in a table; never read as markup."""
    from rich.text import Text

    if isinstance(value, Text):
        return value
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if value is None:
        return Text("")
    if isinstance(value, datetime):
        return Text(value.astimezone().strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, float):
        return Text(f"{value:.1f}")
    return Text(one_line(str(value)))


def marked(snippet: str) -> Text:
    """A snippet whose hits stand between ``<mark>`` and ``</mark>``, with the hits in bold, line by line."""
    from rich.text import Text

    text = Text()
    position = 0
    flat = "\n".join(map(one_line, snippet.split("\n")))
    for hit in _MARK.finditer(flat):
        text.append(flat[position : hit.start()])
        text.append(hit.group(1), style="bold yellow")
        position = hit.end()
    text.append(flat[position:])
    return text


def unmarked(snippet: str) -> str:
    """A snippet as :func:`marked` shows it, as plain text."""
    return _MARK.sub(r"\1", one_line(snippet))


def _whole(value: object) -> str:
    """A value for another program: nothing shortened, on one line, without a tab of its own."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(str(value))


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value)
    raise TypeError(type(value).__name__)
