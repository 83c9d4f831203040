"""``export``: what is kept and stored, in the formats of other programs."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from cli.arguments import Everybody, trackers
from cli.csv_cells import Sheet
from cli.output import complain, print_json

if TYPE_CHECKING:
    from pipeline.bootstrap import Program
    from pipeline.reports.export import Table


class Subject(StrEnum):
    """What there is to export as a table."""

    ISSUES = "issues"
    COMMENTS = "comments"
    HISTORY = "history"


class Format(StrEnum):
    """How a table is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    EXCEL = "xlsx"


class Language(StrEnum):
    """What the pages of a site are in."""

    ENGLISH = "en"
    KOREAN = "ko"
    JAPANESE = "ja"


def export(
    subject: Annotated[Subject | None, typer.Argument(help="what to export as a table")] = None,
    form: Annotated[Format, typer.Option("--format", help="how to write the table")] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="write the table to this file, else it is printed")
    ] = None,
    excel: Annotated[
        Path | None,
        typer.Option("--excel", metavar="FILE", help="write the table to this file, as an Excel workbook"),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="do not escape CSV cells that a spreadsheet would take for a formula"),
    ] = False,
    warc: Annotated[
        Path | None, typer.Option("--warc", help="write the stored pages to this file, .warc or .warc.gz")
    ] = None,
    site: Annotated[
        Path | None,
        typer.Option(
            "--site", metavar="DIR", help="write an archive of pages with a search to this new folder"
        ),
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="of the archive's pages")] = Language.ENGLISH,
    tracker: Annotated[
        str | None, typer.Option(help="only what comes from this tracker", autocompletion=trackers)
    ] = None,
    everybody: Everybody = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Write issues, comments or history as a table, the stored pages as a web archive (WARC 1.1), or a site.

    The site opens without a server, searches in the browser, and has the attached files that are here.
    """
    from crawler.errors import UsageError
    from pipeline.bootstrap import start

    if (warc is not None) + (subject is not None) + (site is not None) != 1:
        raise UsageError("Say what to export: issues, comments, history, --warc FILE, or --site DIR.")
    if site is not None and everybody:
        raise UsageError("A site has your own issues only: leave --everybody out.")
    if warc is not None and str(warc) == "-":
        raise UsageError("A web archive needs a file: --warc pages.warc.gz.")
    if warc is not None and everybody:
        raise UsageError("A web archive has your own pages only: leave --everybody out.")
    if excel is not None and (output is not None or subject is None):
        raise UsageError("Say what to write, and where: export issues --excel FILE.")
    if excel is not None:
        form, output = Format.EXCEL, excel
    if output is not None and str(output) == "-":
        output = None  # standard output, where a table goes anyway
    if subject is not None and output is None and (as_json or form in (Format.PARQUET, Format.EXCEL)):
        raise UsageError("Say where to write the table: -o FILE.")
    program = start()
    if site is not None:
        _export_site(program, site, tracker, language, as_json=as_json)
    elif warc is not None:
        _export_warc(program, warc, tracker, as_json=as_json)
    elif subject is not None:
        _export_table(program, subject, form, output, tracker, raw=raw, everybody=everybody, as_json=as_json)


def _export_site(
    program: Program, site: Path, tracker: str | None, language: Language, *, as_json: bool
) -> None:
    from db.acting import acting_for
    from pipeline.search.filters import check_tracker
    from web.site.archive import write_site

    with acting_for(program.user_id, everybody=False, only_reads=True) as acting:
        check_tracker(acting, tracker)
        archived = write_site(acting, program.home, site.absolute(), tracker=tracker, language=language.value)
    if as_json:
        told = {"issues": archived.issues, "files": archived.files, "missing_files": archived.missing}
        print_json({"folder": str(site), **told})
        return
    complain(f"{archived.issues:,} issues and {archived.files:,} files were written to {site}/index.html.")
    if archived.missing:
        complain(f"{archived.missing:,} files were left out: their bytes are not in this data folder.")


def _export_warc(program: Program, warc: Path, tracker: str | None, *, as_json: bool) -> None:
    import asyncio

    from cli.exit_codes import FAILED_ISSUES
    from pipeline.reports.warc import export_warc

    archived = asyncio.run(export_warc(program.conninfo, program.user_id, warc, tracker=tracker))
    if as_json:
        print_json({"file": str(warc), "pages": archived.pages, "bytes": archived.bytes})
    else:
        complain(f"{archived.pages:,} pages ({archived.bytes:,} bytes) were written to {warc}.")
    if archived.damaged:
        complain(f"{archived.damaged} pages were left out: their bytes in the database are damaged.")
        raise typer.Exit(FAILED_ISSUES)


def _export_table(
    program: Program,
    subject: Subject,
    form: Format,
    output: Path | None,
    tracker: str | None,
    *,
    raw: bool,
    everybody: bool,
    as_json: bool,
) -> None:
    from db.acting import acting_for
    from pipeline.reports.export import open_table, output_file, write_parquet
    from pipeline.reports.workbook import write_workbook
    from pipeline.search.filters import check_tracker

    with acting_for(program.user_id, everybody=everybody) as acting:
        check_tracker(acting, tracker)
    with open_table(
        program.conninfo, program.user_id, subject.value, tracker=tracker, everybody=everybody
    ) as table:
        if output is None:
            _write_text(table, sys.stdout, form, raw=raw)
            return
        with output_file(output) as file:
            if form is Format.PARQUET:
                rows = write_parquet(table, file)
            elif form is Format.EXCEL:
                rows = write_workbook(subject.value, table.columns, table.portions, file)
            else:
                text = TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
                rows = _write_text(table, text, form, raw=raw)
                text.detach()  # what it holds back is written, the file stays open
    if as_json:
        print_json({"file": str(output), "rows": rows})
    else:
        named = "history entries" if subject is Subject.HISTORY else subject.value
        complain(f"{rows:,} {named} were written to {output}.")


def _write_text(table: Table, target: IO[str], form: Format, *, raw: bool) -> int:
    rows = 0
    if form is Format.JSONL:
        for portion in table.portions:
            for row in portion:
                named = dict(zip(table.columns, row, strict=True))
                target.write(json.dumps(named, ensure_ascii=target is sys.stdout, default=_moment) + "\n")
            rows += len(portion)
        return rows
    sheet = Sheet(target, raw=raw)
    sheet.add(table.columns)
    for portion in table.portions:
        for row in portion:
            sheet.add(map(_plain, row))
        rows += len(portion)
    return rows


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return _moment(value) if isinstance(value, datetime) else value


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value).__name__)
