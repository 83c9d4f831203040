"""``export``: what is kept, in the formats of other programs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.output import complain, print_json


def export(
    warc: Annotated[
        Path | None, typer.Option("--warc", help="write the kept pages to this file, .warc or .warc.gz")
    ] = None,
    tracker: Annotated[str | None, typer.Option(help="only this tracker's pages")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Write kept pages as a web archive (WARC 1.1), without the network and without any credential."""
    from cli.statuses import FAILED_ISSUES
    from crawler.errors import UsageError
    from pipeline.bootstrap import start
    from pipeline.warc import export_warc

    if warc is None:
        raise UsageError("Say what to export, and where to: --warc FILE.")
    program = start()
    archived = asyncio.run(export_warc(program.conninfo, program.user_id, warc, tracker=tracker))
    if as_json:
        print_json({"file": str(warc), "pages": archived.pages, "bytes": archived.bytes})
    else:
        complain(f"{archived.pages} pages, {archived.bytes:,} bytes, are in {warc}.")
    if archived.damaged:
        complain(f"{archived.damaged} pages were left out: their bytes in the database are damaged.")
        raise typer.Exit(FAILED_ISSUES)
