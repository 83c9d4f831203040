"""Hits of a search, as a table, as JSON, as CSV, or one of them in the browser."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.children import secrets_put_away
from cli.output import complain, marked, one_line, print_json, print_table, say, unmarked

if TYPE_CHECKING:
    from rich.text import Text

    from pipeline.search.stored import Found

Limit = Annotated[int, typer.Option(min=1, max=1000, help="at most this many hits")]
Offset = Annotated[int, typer.Option(min=0, help="skip this many hits")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]
AsCsv = Annotated[bool, typer.Option("--csv", help="print CSV, for a spreadsheet")]
Excel = Annotated[
    Path | None, typer.Option("--excel", metavar="FILE", help="write an Excel workbook (.xlsx) to this file")
]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="with --csv: do not escape cells that a spreadsheet would take for a formula"),
]
Open = Annotated[
    str | None,
    typer.Option(
        "--open", metavar="N|ISSUE", help="open this hit in the browser, by its position or issue number"
    ),
]

_COLUMNS = ("issue_id", "tracker", "title", "product", "status", "rank", "snippet", "url", "found_in")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How hits are to be shown."""

    as_json: bool = False
    as_csv: bool = False
    excel: Path | None = None  # a workbook's file
    raw: bool = False
    opened: str | None = None  # the hit to open, by its place or its number
    offset: int = 0  # places count from here


def show_hits(found: Found, shape: Shape) -> None:
    """Show hits.

    Raises:
        UsageError: the hit to open is not there, or has no address that a browser takes.
    """

    if shape.opened is not None:
        _open(_chosen(found.hits, shape.opened, shape.offset))
        return
    if shape.as_json:
        print_json(found.hits)
    elif shape.as_csv:
        _print_csv(found.hits, raw=shape.raw)
    elif shape.excel is not None:
        _write_excel(found.hits, shape.excel)
    else:
        _print(found.hits, shape.offset)
    if found.more and not shape.as_json and not shape.as_csv:
        complain(f"There are more results: use --offset {shape.offset + len(found.hits)}.")


def _print(hits: list[dict[str, Any]], offset: int) -> None:
    if not sys.stdout.isatty():
        names = (
            *("issue_id", "status", "product", "title", "snippet", "tracker", "url", "found_in"),
            *_owner(hits),
        )
        print_table(names, [[_unmarked(hit[name]) for name in names] for hit in hits], empty="Nothing found.")
        return
    print_table(
        ("#>", "issue", "status", "product", "title", *_owner(hits)),
        [
            (
                place,
                hit["issue_id"],
                hit["status"],
                hit["product"],
                _titled(hit),
                *(hit[name] for name in _owner(hits)),
            )
            for place, hit in enumerate(hits, offset + 1)
        ],
        empty="Nothing found.",
    )


def _owner(hits: list[dict[str, Any]]) -> tuple[str, ...]:
    """The column of the owners, where hits have one."""
    return ("owner_user",) if any("owner_user" in hit for hit in hits) else ()


def _titled(hit: dict[str, Any]) -> Text:
    from rich.text import Text

    title = Text(one_line(hit["title"] or ""), style="bold")
    if hit["found_in"] is not None and hit["found_in"] not in ("title", "description"):
        title.append("\n" + one_line(hit["found_in"]), style="dim")
    if hit["snippet"]:
        title.append("\n").append_text(marked(hit["snippet"]))
    return title


def _unmarked(text: str | None) -> str:
    return unmarked(text or "")


def _print_csv(hits: list[dict[str, Any]], *, raw: bool) -> None:
    from cli.csv_cells import Sheet

    text = io.StringIO()
    sheet = Sheet(text, raw=raw)
    columns = _COLUMNS + _owner(hits)
    sheet.add(columns)
    for hit in hits:
        sheet.add(hit[name] for name in columns)
    say(text.getvalue().removesuffix("\n"))


def _write_excel(hits: list[dict[str, Any]], path: Path) -> None:
    from pipeline.reports.export import output_file
    from pipeline.reports.workbook import write_workbook

    columns = _COLUMNS + _owner(hits)
    rows = [[_unmarked(hit[name]) if name == "snippet" else hit[name] for name in columns] for hit in hits]
    with output_file(path) as file:
        write_workbook("hits", columns, [rows], file)
    complain(f"{len(hits):,} hits were written to {path}.")


def _chosen(hits: list[dict[str, Any]], wanted: str, offset: int) -> dict[str, Any]:
    from crawler.errors import UsageError

    for hit in hits:
        if hit["issue_id"].casefold() == wanted.casefold():
            return hit
    place = int(wanted) - offset if wanted.isascii() and wanted.isdigit() else 0
    if not 1 <= place <= len(hits):
        raise UsageError(
            f"Hit {wanted} does not exist: the search shows {len(hits)}. List them without --open."
        )
    return hits[place - 1]


def _open(hit: dict[str, Any]) -> None:
    """Print the hit's address; on a terminal, open it too. A tracker gave it: nothing but the web."""
    import webbrowser

    from crawler.errors import UsageError
    from crawler.http.web_address import is_web_address

    url = hit["url"] or ""
    if not is_web_address(url):
        raise UsageError(f"Issue {one_line(hit['issue_id'])} has no address that a browser could open.")
    say(url)
    if sys.stdout.isatty():
        with secrets_put_away():
            webbrowser.open(url)
