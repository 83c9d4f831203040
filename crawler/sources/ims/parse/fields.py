"""The table of fields: which header is which of a record's fields, and what an IMS value looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.html import Document, Node
from crawler.records import Json
from crawler.sources.ims.parse.landmarks import SECTIONS
from crawler.states import state_of

_TEXTS: Final = {
    "subject": "title",
    "product": "product",
    "status": "status",
    "priority": "priority",
    "urgency": "priority",
    "severity": "severity",
    "category": "issue_type",
    "project": "project_name",
    "customer": "customer",
    "site": "site",
    "module": "module",
    "found version": "found_version",
    "fixed version": "fixed_version",
    "target version": "target_version",
}
_PEOPLE: Final = {"reporter": "reporter", "register": "reporter", "owner": "owner", "manager": "manager"}
_DATES: Final = {
    "registered date": "registered_date",
    "modified date": "modified_date",
    "closed date": "closed_date",
}
_LONGEST_PERSON: Final = 400  # characters
_NAMED_ONLY: Final = frozenset({"handler"})  # a person without a field of its own
_HEADERS: Final = ", ".join(
    f"{cell}:not({', '.join(f'#{section} *' for section in SECTIONS)})"
    for cell in ("td.tableHeaderTitle", "th")
)
_MAIL = re.compile(r"[^\s()@]++@[^\s()@]++")


@dataclass(slots=True)
class Fields:
    """What the table of fields says."""

    known: dict[str, Any] = field(default_factory=dict)  # by the names of an IssueRecord's fields
    extra: dict[str, Json] = field(default_factory=dict)  # everything else, under its own header
    warnings: list[str] = field(default_factory=list)


def read_pairs(document: Document) -> list[tuple[str, Node]]:
    """Every header with its value's cell, outside of the sections, where people's own tables may stand.

    A row may hold several pairs; a header cell that no `td` follows is a title, not a field.
    """
    pairs = []
    for cell in document.select(_HEADERS):
        value = cell.following
        if value is None or value.name != "td" or _is_header(value):
            continue
        header = cell.line().rstrip(" :*")
        if header:
            pairs.append((header, value))
    return pairs


def read_fields(document: Document, zone: ZoneInfo) -> Fields:
    """Read the table of fields.

    A header must match whole. A header that comes twice keeps its first value that says something; another
    one stays under the header with a number. A field that is not there has no entry.

    Args:
        document: the issue page.
        zone: the tracker's own.
    """
    fields = Fields()
    texts: dict[str, str] = {}
    for header, cell in read_pairs(document):
        value = cell.text()
        name, number = header, 2
        while texts.get(name) and value and texts[name] != value:
            name, number = f"{header} ({number})", number + 1
        if value or name not in texts:
            texts[name] = value
    for header, value in texts.items():
        _place(fields, header, value, zone)
    fields.known["state"] = state_of(fields.known.get("status"))
    return fields


def _is_header(cell: Node) -> bool:
    return "tableHeaderTitle" in (cell.attribute("class") or "").split()


def _place(fields: Fields, header: str, value: str, zone: ZoneInfo) -> None:
    key = header.lower()
    if (key in _PEOPLE or key in _NAMED_ONLY) and len(value) < _LONGEST_PERSON:
        person, _, mail = value.removesuffix(")").rpartition("(")
        if value.endswith(")") and _MAIL.fullmatch(mail.strip()):
            value = person.rstrip()
            fields.extra[f"{header} mail"] = mail.strip()
    name = _TEXTS.get(key) or _PEOPLE.get(key)
    if name is not None and not fields.known.get(name):
        fields.known[name] = " ".join(value.split())
    elif key in _DATES and _DATES[key] not in fields.known:
        moment = parse_date(value, zone)
        fields.known[_DATES[key]] = moment
        if moment is None and value:
            fields.extra[header] = value
            fields.warnings.append(f"{header} is no date that can be read.")
    else:
        fields.extra[header] = value
