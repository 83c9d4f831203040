"""``report``: one page for a meeting."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import AsJson, Everybody, products
from cli.output import say, tell_done


class Language(StrEnum):
    """The languages of a report."""

    EN = "en"
    KO = "ko"
    JA = "ja"


def report(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="write the page to this file; - for standard output")
    ],
    product: Annotated[
        str | None, typer.Option(help="only this product or family", autocompletion=products)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="from this time on: 2026-01-31, 30d (UTC); default: the last 12 weeks"
        ),
    ] = None,
    lang: Annotated[Language, typer.Option(help="the page's language")] = Language.EN,
    everybody: Everybody = False,
    as_json: AsJson = False,
) -> None:
    """Write an HTML report: issues created and closed, backlog, response times, new and old issues."""
    from datetime import UTC, datetime

    from crawler.errors import UsageError
    from pipeline.bootstrap import start
    from pipeline.reports.export import output_file
    from pipeline.reports.html.gather import gather
    from pipeline.reports.html.page import render
    from pipeline.search.moments import read_moment

    first = read_moment(since)
    if first is not None and first >= datetime.now(UTC):
        raise UsageError(f"{since} is in the future: give an earlier time.")
    program = start()
    page = render(gather(program.user_id, first, product, everybody=everybody), lang.value)
    if str(output) == "-":
        if as_json:
            raise UsageError("--json tells about a file: give -o FILE.")
        say(page)
        return
    with output_file(output) as file:
        file.write(page.encode())
    tell_done(
        f"The report was written to {output}.",
        {"file": str(output), "bytes": len(page.encode())},
        as_json=as_json,
    )
