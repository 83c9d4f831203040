"""Dates as HTML trackers write them, in their server's own zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100

_DATE = re.compile(
    r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})\.?"
    r"(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?)?"
)


def parse_date(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read `2026-01-05`, `2026/01/05` or `2026.01.05`, each with or without ` HH:MM[:SS]`.

    A day without a time is that day's midnight. A time that the clocks skipped is taken as if they had not
    been put forward; of a time that came twice, the first is meant.

    Args:
        text: the whole of what the tracker shows, white space around it allowed.
        zone: the server's own zone.

    Returns:
        The moment in UTC; None for anything else, impossible days, and years outside 1970 to 2100. The caller
        keeps the raw words then.
    """
    match = _DATE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    year, _, month, day, hour, minute, second = match.groups()
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
    except ValueError:
        return None
    return local.astimezone(UTC)
