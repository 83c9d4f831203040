"""Read the page with a bug's history, a table whose cells for who and when span several rows."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.errors import PageCut, PageRejected
from crawler.html import Document, Node
from crawler.records import ChangeRecord

_CELLS = 3  # of a row whose who and when are further up: what, removed, added
_ATTACHMENT = re.compile(r"Attachment #([0-9]+)\s*(.*)", re.DOTALL)
_LETTERS = re.compile(r"(.*[0-9])\s+([A-Z]{2,5})")
# What Bugzilla's pages call the zones that its servers mostly are in; others are told by the connection.
_OFFSETS = {
    "PST": "-08:00", "PDT": "-07:00", "MST": "-07:00", "MDT": "-06:00", "CST": "-06:00", "CDT": "-05:00",
    "EST": "-05:00", "EDT": "-04:00", "WET": "+00:00", "WEST": "+01:00", "CET": "+01:00", "CEST": "+02:00",
    "EET": "+02:00", "EEST": "+03:00", "MSK": "+03:00",
}  # fmt: skip


def read_activity(document: Document, html: str, number: str, zone: ZoneInfo) -> tuple[ChangeRecord, ...]:
    """Read every change.

    Raises:
        PageCut: the page's end is missing.
        PageRejected: it is not the history of that bug, or a row of it cannot be told.
    """
    if "</html>" not in html[-2000:].lower():
        raise PageCut(f"The page with the history of bug {number} ends early.")
    body = document.select_one("#bugzilla-body")
    ends = (f"id={number}", f"/{number}")
    links = [] if body is None else body.select("a[href]")
    if body is None or not any((link.attribute("href") or "").endswith(ends) for link in links):
        raise PageRejected(f"The page is not the history of bug {number}.")
    table = next((each for each in body.select("table") if len(each.select("th")) == _CELLS + 2), None)
    if table is None:
        if "<table" in html[html.find("bugzilla-body") :].lower().partition('id="footer"')[0]:
            raise PageRejected(f"The history of bug {number} has a table of an unknown form.")
        return ()
    return tuple(_rows(table, number, zone))


def _rows(table: Node, number: str, zone: ZoneInfo) -> list[ChangeRecord]:
    changes: list[ChangeRecord] = []
    who: str | None = None
    shown = ""
    for row in table.select("tr"):
        cells = [cell for cell in row.children() if cell.name == "td"]
        if not cells:
            continue
        if len(cells) == _CELLS + 2:
            who, shown = cells[0].line() or None, cells[1].line()
            cells = cells[2:]
        if len(cells) != _CELLS or not shown:
            raise PageRejected(f"The history of bug {number} has a row of an unknown form.")
        field = cells[0].line()
        file = _ATTACHMENT.fullmatch(field)
        moment = moment_of(shown, zone)
        told = [f"attachment {file[1]}"] if file is not None else []
        changes.append(
            ChangeRecord(
                changed_by=who,
                changed_at=moment,
                change_type="field" if file is None else "attachment",
                field_name=field if file is None else file[2] or field,
                old_value=cells[1].line() or None,
                new_value=cells[2].line() or None,
                description=", ".join(told if moment is not None else [*told, shown]) or None,
            )
        )
    return changes


def moment_of(shown: str, zone: ZoneInfo) -> datetime | None:
    """A time of a page; None where nobody knows what its letters for the zone mean."""
    moment = parse_date(shown, zone)
    letters = _LETTERS.fullmatch(shown) if moment is None else None
    if letters is None or letters[2] not in _OFFSETS:
        return moment
    return parse_date(f"{letters[1]} {_OFFSETS[letters[2]]}", zone)
