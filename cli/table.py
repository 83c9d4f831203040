"""Rows on a terminal: columns where they fit, else one field a line; nothing is ever cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

SHORT_ID = 8  # digits of a session's id, at least
_NARROWEST = 16  # a column of text is not made narrower than this
_LONG, _READABLE = 60, 30  # a text longer than the one is not put into fewer columns than the other
_GAP = 2  # between two columns


def layout(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> Table:
    """Lay rows out for a terminal.

    Args:
        columns: the headings; one that ends in ``>`` is aligned to the right.
        rows: cells, as :func:`cli.output.cell` takes them.
        width: of the terminal, in its columns.
    """
    shown = _texts(rows)
    names = [name.rstrip(">") for name in columns]
    natural = [
        max(_cells(name), *(row[place].cell_len for row in shown)) if shown else _cells(name)
        for place, name in enumerate(names)
    ]
    least = [
        wide if name.endswith(">") else min(wide, max(_cells(name), _NARROWEST))
        for name, wide in zip(columns, natural, strict=True)
    ]
    room = width - _GAP * (len(columns) - 1)
    widths = _widths(natural, least, room)
    cramped = any(wide > _LONG and given < _READABLE for wide, given in zip(natural, widths, strict=True))
    if sum(least) > room or cramped:
        return _by_field(names, shown)
    return _by_column(columns, shown, widths)


def short_ids(ids: Sequence[UUID]) -> int:
    """Return how many digits tell these ids apart."""
    digits = SHORT_ID
    while len({str(one)[:digits] for one in ids}) < len(set(ids)):
        digits += 1
    return digits


def _by_column(columns: Sequence[str], rows: Sequence[Sequence[Text]], widths: Sequence[int]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name, width in zip(columns, widths, strict=True):
        justify = "right" if name.endswith(">") else "left"
        table.add_column(name.rstrip(">"), justify=justify, width=width, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    return table


def _by_field(names: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=False)
    table.add_column(style="bold", width=max(map(_cells, names)), overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for number, row in enumerate(rows):
        if number:
            table.add_row()
        for name, text in zip(names, row, strict=True):
            if text.plain:
                table.add_row(name, text)
    return table


def _widths(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Give what is left of the room to the columns that want more, in equal shares."""
    widths = list(least)
    while (spare := room - sum(widths)) > 0:
        wanting = [place for place, width in enumerate(widths) if width < natural[place]]
        if not wanting:
            break
        share = max(1, spare // len(wanting))
        for place in wanting[:spare]:
            widths[place] = min(natural[place], widths[place] + share)
    return widths


def _texts(rows: Sequence[Sequence[object]]) -> list[list[Text]]:
    from cli.output import cell

    digits = short_ids([value for row in rows for value in row if isinstance(value, UUID)])
    return [
        [cell(str(value)[:digits] if isinstance(value, UUID) else value) for value in row] for row in rows
    ]


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
