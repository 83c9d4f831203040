"""Cells of tables for spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import IO, Any

from cli.output import safe

# What makes a spreadsheet take a cell for a formula: a sign, in full width, small or raised as well. In front
# of the cell, or within it where a spreadsheet parts cells at semicolons, tabs or, having done so, at lines.
_EQUALS = "=＝﹦⁼₌"
_SIGNS = f"{_EQUALS}+＋﹢⁺₊\\-－﹣⁻₋@＠﹫"
_FORMULA = re.compile(
    rf"(^(?=\s*+[{_SIGNS}])|[;\t](?=[^\S\t]*+[{_SIGNS}])|^(?=[\t\n])|[\r\n](?=[^\S\r\n]*+[{_EQUALS}]))"
)


class Sheet:
    """Rows for a spreadsheet. Every cell is quoted: some part cells at semicolons or tabs as well.

    Args:
        target: where the rows are written.
        raw: leave texts alone that a spreadsheet would calculate.
    """

    def __init__(self, target: IO[str], *, raw: bool = False) -> None:
        self._writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._raw = raw

    def add(self, row: Iterable[object]) -> None:
        """Write a row."""
        self._writer.writerow([csv_cell(value, raw=self._raw) for value in row])


def csv_cell(value: Any, *, raw: bool = False) -> Any:
    """Return the value as a cell: without what is not seen, and never taken for a formula.

    Args:
        value: anything; only texts are changed.
        raw: leave a text alone that a spreadsheet would calculate.
    """
    if not isinstance(value, str):
        return value
    text = safe(value)
    return text if raw else _FORMULA.sub(r"\1'", text)
