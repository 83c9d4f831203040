"""Tables as a real Excel workbook: dates are dates, numbers of issues stay texts, nothing is a formula."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any

MOST_ROWS = 1_048_576  # of a sheet, its header included
LONGEST = 32_767  # characters of a cell, as Excel counts them: of UTF-16
CUT = " … [cut: the whole text has {:,} characters]"

_EXACT = 2**53  # a cell's number is a float: whole numbers beyond are not all to be had
_FIRST_YEAR = 1900
_WIDTHS = {"title": 60, "description": 60, "content": 60, "snippet": 60, "url": 40}  # characters
_UNFIT = re.compile("[\ud800-\udfff\ufffe\uffff]")  # what XML cannot say at all


def write_workbook(
    name: str, columns: Sequence[str], portions: Iterable[Iterable[Sequence[Any]]], target: IO[bytes]
) -> int:
    """Write rows as a workbook, in memory that does not grow with them; their number.

    More rows than a sheet takes go on in a further sheet. Times are in UTC, as the headers say.

    Args:
        name: of the sheets.
        columns: the headers.
        portions: the rows, in portions.
        target: a file to be written to.
    """
    from xlsxwriter import Workbook

    texts_stay = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = Workbook(target, {"constant_memory": True, "remove_timezone": True, **texts_stay})
    styles = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    written = 0
    sheet = _begin(book, name, columns, styles[0])
    for row in (row for portion in portions for row in portion):
        place = written % (MOST_ROWS - 1) + 1
        if written and place == 1:
            sheet = _begin(book, f"{name} {written // (MOST_ROWS - 1) + 1}", columns, styles[0])
        for column, value in enumerate(row):
            _write(sheet, place, column, value, styles[1])
        written += 1
    book.close()
    return written


def _begin(book: Any, name: str, columns: Sequence[str], style: Any) -> Any:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, _WIDTHS.get(column, 20))
        sheet.write_string(
            0, place, f"{column} (UTC)" if column.endswith(("_at", "_date")) else column, style
        )
    return sheet


def _write(sheet: Any, row: int, place: int, value: Any, dates: Any) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, place, value)
        case int() | float() if abs(value) <= _EXACT:
            sheet.write_number(row, place, value)
        case datetime() if value.astimezone(UTC).year >= _FIRST_YEAR:
            sheet.write_datetime(row, place, value.astimezone(UTC), dates)
        case datetime():
            sheet.write_string(row, place, value.astimezone(UTC).isoformat())
        case dict() | list():
            sheet.write_string(row, place, fitting(json.dumps(value, ensure_ascii=False)))
        case _:
            sheet.write_string(row, place, fitting(str(value)))


def fitting(text: str) -> str:
    """The text as a cell takes it; a longer one is cut, and says so."""
    text = _UNFIT.sub("\ufffd", text)
    if _length(text) <= LONGEST:
        return text
    mark = CUT.format(len(text))
    kept = text[: LONGEST - len(mark)]
    while _length(kept) > LONGEST - len(mark):  # each character may count for two
        kept = kept[: len(kept) - max(1, (_length(kept) - LONGEST + len(mark)) // 2)]
    return kept + mark


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
