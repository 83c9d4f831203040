"""Times and spans as people type them for an option: ``2026-01-31``, ``yesterday``, ``7d``, ``A..B``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from crawler.errors import UsageError

_HOW = "write 2026-01-31, 2026-01-31T08:30, yesterday, last week, or 7d for the last seven days"
_AGO = re.compile(r"([0-9]{1,5})\s*(h|d|w|mo|y)(?:\s*ago)?", re.IGNORECASE)
_WORDS_AGO = re.compile(r"([0-9]{1,5})\s+(hour|day|week|month|year)s?(?:\s+ago)?", re.IGNORECASE)


def read_moment(text: str | None, *, end: bool = False, now: datetime | None = None) -> datetime | None:
    """Read a time; without a zone it is UTC.

    Args:
        text: a day, a time, or a stretch of days as in questions, in English, Korean or Japanese; None stays.
        end: the moment after a stretch of days instead of its first one.
        now: what ``7d`` is counted from; None: now.

    Raises:
        UsageError: it is no time.
    """
    if text is None:
        return None
    from crawler.query.natural.period import read_period  # word lists, for whoever names a time

    now = now or datetime.now(UTC)
    wanted = text.strip()
    try:
        if (ago := _ago(wanted, now)) is not None:
            return ago
        if (period := read_period(wanted, now.date())) is not None:
            first, last = period
            return _midnight(last) + timedelta(days=1) if end else _midnight(first)
        moment = datetime.fromisoformat(wanted)
        if end and len(wanted) <= len("2026-01-31"):
            moment += timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a time: {_HOW}.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_span(text: str | None, *, now: datetime | None = None) -> tuple[datetime | None, datetime | None]:
    """Read ``A..B``, ``A..``, ``..B``, or a stretch of days by its name; a day at the end is included.

    Returns:
        From this time on, and before that one; None: no bound.

    Raises:
        UsageError: it is neither, or it ends before it begins.
    """
    if text is None:
        return None, None
    first, dots, last = text.partition("..")
    if not dots:
        is_ago = _ago(text.strip(), now or datetime.now(UTC)) is not None
        return read_moment(text, now=now), None if is_ago else read_moment(text, end=True, now=now)
    span = read_moment(first.strip() or None, now=now), read_moment(last.strip() or None, end=True, now=now)
    if span == (None, None):
        raise UsageError(f"{text!r} is not a span of time: write A..B, and for A and B {_HOW}.")
    if span[0] is not None and span[1] is not None and span[0] >= span[1]:
        raise UsageError(f"{text!r} ends before it begins: write the earlier time first.")
    return span


def _ago(text: str, now: datetime) -> datetime | None:
    """The beginning of ``7d``: so long before now by hours, and from that day's midnight on by days."""
    found = _AGO.fullmatch(text) or _WORDS_AGO.fullmatch(text)
    if found is None:
        return None
    from crawler.query.natural.period import months_before

    number, unit = int(found[1]), found[2].lower()
    if unit in ("h", "hour"):
        return now - timedelta(hours=number)
    if unit in ("mo", "month"):
        return _midnight(months_before(now.date(), number))
    if unit in ("y", "year"):
        return _midnight(months_before(now.date(), 12 * number))
    return _midnight(now.date()) - timedelta(days=number * (7 if unit in ("w", "week") else 1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
