"""Read a list of bugs as CSV, and the products that a page of the search offers."""

from __future__ import annotations

import csv
from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.errors import TrackerError
from crawler.html import LexborDocument

_HINT = ": look whether one may search there without a login, or give a user name with its password."


def read_list(text: str, zone: ZoneInfo) -> list[tuple[int, datetime | None]]:
    """Read numbers with their times of change.

    Raises:
        TrackerError: this is no list.
    """
    rows = list(csv.reader(text.lstrip("\ufeff").splitlines()))
    columns = rows[0] if rows else []
    if "bug_id" not in columns:
        raise TrackerError(f"Bugzilla's answer to a search is not a list{_HINT}")
    number = columns.index("bug_id")
    changed = columns.index("changeddate") if "changeddate" in columns else None
    found: list[tuple[int, datetime | None]] = []
    for row in rows[1:]:
        if not row:
            continue
        if len(row) != len(columns) or not (row[number].isascii() and row[number].isdecimal()):
            raise TrackerError("Bugzilla's list of bugs has a row that cannot be read.")
        found.append((int(row[number][:12]), None if changed is None else parse_date(row[changed], zone)))
    return found


def read_products(html: str) -> list[str]:
    """The products that one may choose.

    Raises:
        TrackerError: this is not the page of the search.
    """
    document = LexborDocument(html)
    chosen = document.select('select[name="product"] option')
    if document.select_one('select[name="product"]') is None:
        raise TrackerError(f"Bugzilla does not list its products{_HINT}")
    return list(dict.fromkeys(name for each in chosen if (name := each.attribute("value") or each.line())))
