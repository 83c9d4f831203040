"""The table of fields: which header is which of a record's fields, and what an IMS value looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from crawler.dates import parse_date
from crawler.html import Document, Node
from crawler.records import Json
from crawler.sources.ims.parse.labels import DATES, FIELDS, PEOPLE, key_of
from crawler.sources.ims.parse.landmarks import SECTIONS
from crawler.sources.ims.parse.shown import Shown
from crawler.states import state_of

UNNAMED: Final = "Without a header"  # what stands in the table of fields and has none
_LONGEST_PERSON: Final = 400  # characters
_NAMED_ONLY: Final = frozenset({"handler"})  # a person without a field of its own
_ROWS: Final = f"tr:not({', '.join(f'#{section} *' for section in SECTIONS)})"
_CELLS: Final = frozenset({"td", "th"})
_MAIL = re.compile(r"[^\s()@]++@[^\s()@]++")


class Fields(Struct):
    """What the table of fields says."""

    known: dict[str, Any] = field(default_factory=dict)  # by the names of an IssueRecord's fields
    extra: dict[str, Json] = field(default_factory=dict)  # everything else, under its own header
    warnings: list[str] = field(default_factory=list)

    def keep(self, name: str, value: str) -> None:
        """Keep what has no field of a record; another value of that name stays under it with a number."""
        self.extra[_free(self.extra, name, value)] = value


class Pair(Struct):
    """A header, and the cells after it up to the next one."""

    header: Node | None  # None: cells before the first header of a row
    cells: list[Node]  # the one that is marked as the value is the first
    is_marked: bool = False  # the first one is

    @property
    def label(self) -> str:
        """What the header says."""
        return "" if self.header is None else self.header.line().rstrip(" :*：")

    @property
    def lacks_value(self) -> bool:
        """Whether this is a field's header, and no title, and the page has no cell for it."""
        if self.cells or self.header is None or not self.label:
            return False
        is_title = self.header.name == "th" or self.header.attribute("colspan") is not None
        return not is_title or key_of(self.label) in FIELDS


def read_fields(document: Document, zone: ZoneInfo) -> Fields:
    """Read the table of fields, outside of the sections, where people's own tables may stand.

    A row may hold several headers with their values. A header that comes twice keeps its first value that
    says something; another one stays under the header with a number. A field that is not there has no entry.

    Args:
        document: the issue page.
        zone: the tracker's own.
    """
    fields = Fields()
    shown = Shown(document)
    texts: dict[str, str] = {}
    for pair in _pairs(document.select(_ROWS)):
        label = pair.label
        values = shown.texts(pair.cells)
        if not (values and pair.is_marked and label):
            values = [value for value in values if value] or values[:1]
        if not label and any(values):
            fields.warnings.append("The table of fields has a value without a header.")
        elif any(values[1:]):
            fields.warnings.append(f"{label} has more than one value.")
        elif not values and pair.lacks_value:
            fields.warnings.append(f"{label} has no cell with its value.")
        for place, value in enumerate(values):
            if value or (label and not place):
                name = _free(texts, label or UNNAMED, value) if texts else label or UNNAMED
                texts[name] = value or texts.get(name, "")
    for header, value in texts.items():
        _place(fields, header, value, zone)
    if fields.known.get("status") == "":
        fields.warnings.append("The page shows no status.")
    fields.known["state"] = state_of(fields.known.get("status"))
    return fields


def read_notice(section: Node, fields: Fields) -> None:
    """Read the notices of the product; every word of the section is kept."""
    rows = [pair for row in section.select("tr") for pair in _split(row)]
    if any(pair.lacks_value for pair in rows):
        fields.warnings.append("A notice has no cell with its words.")
    if len({bool(pair.label) for pair in rows if pair.cells}) > 1:
        fields.warnings.append("A notice has no header.")
    pairs = [(pair.label, cell) for pair in rows for cell in pair.cells]
    told = "".join(cell.text() for row in section.select("tr") for cell in row.children())
    whole = _squeezed(section.text())
    if whole != _squeezed(told):
        headings = "".join(heading.line() for heading in section.select("h1, h2, h3, h4, h5, h6, legend"))
        if whole != _squeezed(headings + told):
            pairs = [("", section)]
    for label, place in pairs:
        if text := place.prose():
            fields.keep(label or "Product Notice", text)


def _pairs(rows: Sequence[Node]) -> Iterator[Pair]:
    """The headers with their cells, of the tables that have headers beside cells.

    A header cell that no `td` follows is a title, not a field. Cells that reach over several columns are
    the page's own, such as a row of buttons.
    """
    tables: dict[int, list[list[Pair]]] = {}
    for row in rows:
        above = row.parent
        if above is not None:
            tables.setdefault(above.key, []).append(_split(row))
    for table in tables.values():
        if any(pair.header is not None and pair.cells for row in table for pair in row):
            yield from (pair for row in table for pair in row)


def _split(row: Node) -> list[Pair]:
    pairs: list[Pair] = []
    for cell in row.children():
        name = cell.name
        if name not in _CELLS:
            continue
        classes = cell.attribute("class") or ""  # mostly looked at without taking them apart
        if name == "th" or ("tableHeaderTitle" in classes and "tableHeaderTitle" in classes.split()):
            pairs.append(Pair(cell, []))
        elif pairs:
            pair = pairs[-1]
            if not pair.is_marked and (classes == "data" or "data" in classes.split()):
                pair.cells.insert(0, cell)
                pair.is_marked = True
            else:
                pair.cells.append(cell)
        elif cell.attribute("colspan") is None:
            pairs.append(Pair(None, [cell]))
    return pairs


def _free(taken: Mapping[str, Json], header: str, value: str) -> str:
    """The name for a value: the header, or with a number where it has another value already."""
    name, number = header, 2
    while taken.get(name) and value and taken[name] != value:
        name, number = f"{header} ({number})", number + 1
    return name


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _place(fields: Fields, header: str, value: str, zone: ZoneInfo) -> None:
    name = FIELDS.get(key_of(header))
    if name in PEOPLE:
        value, mail = person_in(value)
        if mail:
            fields.extra[f"{header} mail"] = mail
    if name is None or name in _NAMED_ONLY or fields.known.get(name):
        fields.extra[header] = value
    elif name in DATES:
        moment = parse_date(value, zone)
        fields.known[name] = moment
        if moment is None and value:
            fields.extra[header] = value
            fields.warnings.append(f"{header} is no date that can be read.")
    else:
        fields.known[name] = " ".join(value.split())


def person_in(text: str) -> tuple[str, str]:
    """A person's name and mail address, of `Name ( name@example.com)`; without an address all is the name."""
    if text.endswith(")") and len(text) < _LONGEST_PERSON:
        person, _, mail = text.removesuffix(")").rpartition("(")
        if _MAIL.fullmatch(mail.strip()):
            return person.rstrip(), mail.strip()
    return text, ""
