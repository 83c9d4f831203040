"""The history at the end of an issue's page, the latest entry first: when, who, what, and the values.

Each line of the values is `property: old -> new`, `property: value` where there was none before, or what was
put to a list and taken out of it: `property: + one, two, - three`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.errors import PageRejected
from crawler.html import Document, LexborDocument, Node, SoupDocument
from crawler.records import ChangeRecord

ENGINES: Final[tuple[Callable[[str], Document], ...]] = (LexborDocument, SoupDocument)
_LINE: Final = re.compile(r"(\w[\w-]{0,99}): ?(.*)", re.DOTALL)
_SIGN: Final = re.compile(r"(?:^|, )([+-]) ")
_NOTHING: Final = "(no value)"
_ARROW: Final = re.compile(r" ->(?: |$)")


def read_history(html: str, zone: ZoneInfo) -> tuple[tuple[ChangeRecord, ...], str | None]:
    """Read the changes, the oldest first, and a warning where only the second engine could.

    Raises:
        PageRejected: neither could.
    """
    if "</html>" not in html[-20_000:].lower():
        raise PageRejected("The end of the issue's page is missing.")
    for number, engine in enumerate(ENGINES):
        try:
            changes = tuple(_changes(engine(html), zone))
        except PageRejected:
            if engine is ENGINES[-1]:
                raise
            continue
        return changes, "The history was read by the second engine." if number else None
    raise PageRejected("There is no engine.")


def _changes(document: Document, zone: ZoneInfo) -> Iterator[ChangeRecord]:
    table = document.select_one("table.history")
    if table is None:
        raise PageRejected(
            "The page of the issue shows no history: where the tracker's pages never do, set the option"
            " history=no."
        )
    rows = [row.select("td") for row in table.select("tr")]
    for cells in reversed([cells for cells in rows if len(cells) == 4]):
        yield from _entry(cells[0], cells[1], cells[2], cells[3], zone)


def _entry(date: Node, who: Node, what: Node, values: Node, zone: ZoneInfo) -> Iterator[ChangeRecord]:
    moment = parse_date(date.line(), zone)
    if moment is None:
        raise PageRejected("An entry of the history has no date.")
    author, action = who.line() or None, what.line()
    lines = [line for line in values.text().split("\n") if line.strip()]
    if not lines or action in ("link", "unlink"):
        kind = {"create": "created", "link": "relation", "unlink": "relation"}.get(action, "field")
        told = " ".join([action, *(line.strip() for line in lines)])
        yield ChangeRecord(changed_by=author, changed_at=moment, change_type=kind, description=told)
        return
    for line in lines:
        old, new, name = _values(line)
        yield ChangeRecord(
            changed_by=author,
            changed_at=moment,
            change_type="field" if name is not None else "text",
            field_name=name,
            old_value=old,
            new_value=new,
            description=None if name is not None and (old, new) != (None, None) else line.strip(),
        )


def _values(line: str) -> tuple[str | None, str | None, str | None]:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None, None, None
    name, text = found[1], found[2].strip()
    if _SIGN.match(text):
        parts = _SIGN.split(text)[1:]
        went = [value for sign, value in zip(parts[::2], parts[1::2], strict=True) if sign == "-"]
        came = [value for sign, value in zip(parts[::2], parts[1::2], strict=True) if sign == "+"]
        return ", ".join(went) or None, ", ".join(came) or None, name
    sides = _ARROW.split(text)
    if len(sides) > 2:  # nobody knows where the old value ends
        return None, None, name
    old, new = sides if len(sides) == 2 else ("", text)
    return _told(old), _told(new), name


def _told(value: str) -> str | None:
    return None if value in ("", _NOTHING) else value
