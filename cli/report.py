"""``report``: one page for a meeting."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.output import complain


class Language(StrEnum):
    """The languages of a report."""

    EN = "en"
    KO = "ko"
    JA = "ja"


def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="write the page to this file")],
    product: Annotated[str | None, typer.Option(help="only this product or family")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="from this time on: 2026-01-31, 30d (UTC); default: the last 12 weeks"
        ),
    ] = None,
    lang: Annotated[Language, typer.Option(help="the page's language")] = Language.EN,
) -> None:
    """Write one HTML page about the issues you may see: flow, backlog, times, what is new and what is old."""
    from datetime import UTC, datetime

    from crawler.errors import UsageError
    from pipeline.bootstrap import start
    from pipeline.reports.export import output_file
    from pipeline.reports.html.gather import gather
    from pipeline.reports.html.page import render
    from pipeline.search.moments import read_moment

    first = read_moment(since)
    if first is not None and first >= datetime.now(UTC):
        raise UsageError(f"{since} has not been yet: say an earlier time.")
    program = start()
    page = render(gather(program.user_id, first, product), lang.value)
    with output_file(output) as file:
        file.write(page.encode())
    complain(f"The report is in {output}.")
