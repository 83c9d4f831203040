"""The history of an issue, which IMS tells in free text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace

from crawler.dates import parse_date
from crawler.html import Node
from crawler.html.text import one_line
from crawler.records import ChangeRecord, Json
from crawler.sources.ims.parse.fields import person_in
from crawler.sources.ims.parse.labels import HISTORY, key_of

_LONGEST_NAME = 60  # characters of a field's name; more is a sentence
_MAIL = "mail"  # where the addresses of people are kept
_COLON = re.compile("[:：]")
_ARROW = re.compile(r"(?:(?<=\s)|^)->(?=\s|$)|\s?→\s?")


class History(Struct, frozen=True):
    """The history of one page."""

    records: tuple[ChangeRecord, ...] = ()
    rows: int = 0  # as many as the page shows
    problems: tuple[str, ...] = ()  # why this reading cannot be trusted
    warnings: tuple[str, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)  # what no record has a place for


class _Entry(Struct, frozen=True):
    """The words of one row."""

    when: str
    at: datetime | None
    who: str
    what: str
    others: Mapping[str, str]  # under the headers of their columns


def read_history(section: Node | None, zone: ZoneInfo) -> History:
    """Read the history, in the page's order; identical entries are all kept.

    Its columns are told by their headers, or else by what is in them: a date, a name, and then words.

    Args:
        section: where it stands; None: there is none.
        zone: the tracker's own.
    """
    headers: list[str] = []
    rows: list[list[str]] = []  # the words of each entry's cells, with their line breaks
    marked = 0
    for row in section.select("tr") if section else ():
        cells = [cell.text() for cell in row.children() if cell.name in ("td", "th")]
        is_marked = "data" in (row.attribute("class") or "").split()
        marked += is_marked
        if not headers and _is_header(cells):
            headers = list(map(one_line, cells))
        elif is_marked or (headers and len(cells) == len(headers)):
            rows.append(cells)
    records: list[ChangeRecord] = []
    warnings: list[str] = []
    extra: dict[str, list[Json]] = {}
    nothing = 0
    for cells in rows:
        words = sum(map(bool, cells))
        if not words:
            nothing += len(cells) > 1  # a single one parts entries
            continue
        if words > 1 or len(rows) > 1 or parse_date("".join(cells), zone):
            entry = _entry(cells, headers, zone)
            warnings += _flaws(entry)
            if headers and len(headers) != len(cells):
                warnings.append("An entry of the history has other columns than its headers.")
            records += _records(entry)
            for name, value in entry.others.items():
                column = extra.setdefault(f"History {name}", [])
                if not column and name != _MAIL:
                    warnings.append(f"The history has a column that no field takes: {name[:_LONGEST_NAME]}.")
                column.append(value)
        # else it says that there is no history
    problems = ("An entry of the history says nothing.",) * nothing
    return History(tuple(records), max(marked, len(rows)), problems, tuple(warnings), extra)


def _is_header(cells: Sequence[str]) -> bool:
    return len({HISTORY[key] for cell in cells if (key := key_of(one_line(cell))) in HISTORY}) > 1


def _entry(cells: Sequence[str], headers: Sequence[str], zone: ZoneInfo) -> _Entry:
    lines = list(map(one_line, cells))
    is_headed = len(headers) == len(cells)
    roles = _told(headers, lines, zone) if is_headed else _guessed(lines, zone)
    when = who = ""
    what: list[str] = []
    others: dict[str, str] = {}
    for place, (role, line) in enumerate(zip(roles, lines, strict=True)):
        if not line or role == "number":
            continue
        if role == "when" and not when:
            when = line
        elif role == "who" and not who:
            who, mail = person_in(line)
            if mail:
                others[_MAIL] = mail
        elif role == "what":
            what.append(cells[place])
        else:
            others[(headers[place] if is_headed else "") or f"column {place + 1}"] = line
    return _Entry(when, parse_date(when, zone), who, "\n".join(what), others)


def _told(headers: Sequence[str], lines: Sequence[str], zone: ZoneInfo) -> list[str | None]:
    """What is in each column by its header; of columns with other headers, a date and the last words."""
    roles = [HISTORY.get(key_of(header)) for header in headers]
    unknown = [place for place, role in enumerate(roles) if role is None]
    if "when" not in roles:
        dates = [place for place in unknown if parse_date(lines[place], zone)]
        for place in dates[:1]:
            roles[place] = "when"
            unknown.remove(place)
    if "what" not in roles and unknown:
        roles[unknown[-1]] = "what"
    return roles


def _guessed(lines: Sequence[str], zone: ZoneInfo) -> list[str | None]:
    """What is in each cell by its words: a number before the rest, a date, a name, and then words."""
    dates = [place for place, line in enumerate(lines) if parse_date(line, zone)]
    is_numbered = len(lines) > 3 and (not lines[0] or lines[0].isdecimal()) and dates[:1] != [0]
    roles: list[str | None] = ["number"] if is_numbered else []
    first = dates[0] if dates else len(roles)
    for place in range(len(roles), len(lines)):
        if place == first:
            roles.append("when")
        elif "who" not in roles and len(lines) - is_numbered > 2:
            roles.append("who")
        else:
            roles.append("what")
    return roles


def _flaws(entry: _Entry) -> Iterator[str]:
    if entry.at is None:
        yield "An entry of the history has no date that can be read."
    if not entry.who:
        yield "An entry of the history does not say who made it."
    if not entry.what:
        yield "An entry of the history has no words."


def _records(entry: _Entry) -> Iterator[ChangeRecord]:
    words = entry.what or " ".join(filter(None, (entry.when, entry.who)))
    for record in changes_in(words, by=entry.who, at=entry.at):
        if entry.what and entry.when and entry.at is None:
            yield replace(record, description=f"{entry.when} {record.description}")
        else:
            yield record


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
    colon = _COLON.search(line)
    if colon is None:
        return None
    name, values = line[: colon.start()].strip(), line[colon.end() :]
    arrows = list(_ARROW.finditer(values))
    if not 0 < len(name) <= _LONGEST_NAME or len(arrows) != 1 or _ARROW.search(name):
        return None
    arrow = arrows[0]
    return name, values[: arrow.start()].strip(), values[arrow.end() :].strip()
