"""Cells of tables for spreadsheets."""

from __future__ import annotations

from cli.output import safe

# What makes a spreadsheet take a cell for a formula, in plain and in full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")


def csv_cell(value: object, *, raw: bool = False) -> object:
    """Return the value as a cell: without what steers a terminal, and never taken for a formula.

    Args:
        value: anything; only texts are changed.
        raw: leave a text alone that a spreadsheet would calculate.
    """
    if not isinstance(value, str):
        return value
    text = safe(value)
    calculated = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if calculated and not raw else text
