"""The history of an issue, which IMS tells in free text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.html import Node
from crawler.records import ChangeRecord

_LONGEST_NAME = 60  # characters of a field's name; more is a sentence
_ARROW = re.compile(r"(?:(?<=\s)|^)->(?=\s|$)|\s?→\s?")


@dataclass(frozen=True, slots=True)
class History:
    """The history of one page."""

    records: tuple[ChangeRecord, ...]
    rows: int  # as many as the page shows
    warnings: tuple[str, ...]


def read_history(section: Node | None, zone: ZoneInfo) -> History:
    """Read the history, in the page's order; identical entries are all kept.

    Args:
        section: where it stands; None: there is none.
        zone: the tracker's own.
    """
    records: list[ChangeRecord] = []
    warnings = []
    rows = section.select("tr.data") if section else ()
    for row in rows:
        cells = [cell for cell in row.children() if cell.name == "td"]
        if len(cells) < 3:
            continue  # a single cell that says that there is no history
        when, by, details = cells[0].line(), cells[1].line(), cells[2].text()
        at = parse_date(when, zone)
        if at is None:
            warnings.append("An entry of the history has no date that can be read.")
        for record in changes_in(details, by=by, at=at):
            if when and at is None:
                record = replace(record, description=f"{when} {record.description}")
            records.append(record)
    return History(tuple(records), len(rows), tuple(warnings))


def changes_in(details: str, *, by: str | None = None, at: datetime | None = None) -> Iterator[ChangeRecord]:
    """Take an entry's words apart: `Field : old -> new` or `old → new`, each on a line of its own.

    Lines that cannot be taken apart without guessing, because they have no arrow or several, stay together as
    they are.

    Args:
        details: the words, with their line breaks.
        by: who made the entry.
        at: when.
    """
    words: list[str] = []
    for line in details.split("\n"):
        parts = _parts(line)
        if parts is None:
            words.append(line)
            continue
        if any(words):
            yield _as_text(words, by, at)
        words = []
        name, old, new = parts
        yield ChangeRecord(
            changed_by=by, changed_at=at, field_name=name, old_value=old, new_value=new, description=line
        )
    if any(words):
        yield _as_text(words, by, at)


def _as_text(words: list[str], by: str | None, at: datetime | None) -> ChangeRecord:
    description = "\n".join(words).strip()
    return ChangeRecord(changed_by=by, changed_at=at, change_type="text", description=description)


def _parts(line: str) -> tuple[str, str, str] | None:
    name, colon, values = line.partition(":")
    name = name.strip()
    arrows = list(_ARROW.finditer(values))
    if not colon or not 0 < len(name) <= _LONGEST_NAME or len(arrows) != 1 or _ARROW.search(name):
        return None
    arrow = arrows[0]
    return name, values[: arrow.start()].strip(), values[arrow.end() :].strip()
