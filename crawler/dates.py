"""Dates as HTML trackers write them, in their server's own zone."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
_LONGEST = 100  # characters; more is no date

_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = re.compile(
    r"(?<![0-9])(?:"
    r"([0-9]{4})\s*+([-/.])\s*+([0-9]{1,2})\s*+\2\s*+([0-9]{1,2})\.?(?![0-9])"
    r"|([0-9]{4})\s*+[년年]\s*+([0-9]{1,2})\s*+[월月]\s*+([0-9]{1,2})\s*+[일日]"
    r"|([0-9]{4})([0-9]{2})([0-9]{2})(?![0-9])"
    r"|([0-9]{1,2})[\s-]\s*+" + _MONTH + r"[\s,-]\s*+([0-9]{4})(?![0-9])"
    r")|\b" + _MONTH + r"\s*+([0-9]{1,2})\s*+,?\s*+([0-9]{4})(?![0-9])",
    re.IGNORECASE,
)
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?(?![0-9:])"
    r"|(?P<hour2>[0-9]{1,2})\s*+[시時](?!間)(?:\s*+(?P<minute2>[0-9]{1,2})\s*+[분分])?"
    r"(?:\s*+(?P<second2>[0-9]{1,2})\s*+[초秒])?"
)
_WEEKDAY = (
    r"[월화수목금토일]요일|[月火水木金土日]曜日?|(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
    r"|[월화수목금토일月火水木金土日]"
)
_WORD = re.compile(
    rf"\s*+[(\[,]?\s*+(?:{_CLOCK}|(?P<half>오전|오후|午前|午後|[ap]\.?m\b\.?)"
    r"|(?P<offset>(?:UTC|GMT)?\s*+[+-][0-9]{1,2}(?::?[0-9]{2})?)(?![0-9:])"
    rf"|(?P<weekday>{_WEEKDAY})(?![a-z])|(?P<zone>[a-z]{{1,5}}))\s*+[)\],]?\s*+",
    re.IGNORECASE,
)
_ZONES: Final = {"z": 0, "utc": 0, "gmt": 0, "kst": 9, "jst": 9}  # hours east
_AFTERNOON: Final = ("오후", "午後", "p")
_OFFSET = re.compile(r"[^+-]*+([+-])([0-9]{1,2}):?([0-9]{2})?")


def parse_date(text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read a day, with or without a time, as Korean, Japanese and English pages write them.

    `2026-01-05`, `2026/01/05`, `2026. 1. 5.`, `20260105`, `2026년 1월 5일`, `2026年1月5日`, `Jan 5, 2026` or
    `5 Jan 2026`; with ` HH:MM[:SS]`, a half of the day (`오후 3:20`, `3:20 PM`), a weekday, and a zone
    (`Z`, `+09:00`, `KST`, or what the server's own zone is called), which then holds. A day without a time is
    that day's midnight, and 24:00 the next one's. A time that the clocks skipped is taken as if they had not
    been put forward; of a time that came twice, the first is meant.

    Args:
        text: the whole of what the tracker shows, white space around it allowed.
        zone: the server's own zone.

    Returns:
        The moment in UTC; None for anything else, impossible days, and years outside 1970 to 2100. The caller
        keeps the raw words then.
    """
    if not text or len(text) > _LONGEST:
        return None
    if _PLAIN.fullmatch(text):  # as most are; what is odd in it is left to the words below
        with suppress(ValueError):
            plain = datetime.fromisoformat(text)
            if FIRST_YEAR <= plain.year <= LAST_YEAR:
                return plain.replace(tzinfo=zone).astimezone(UTC)
    text = " ".join(text.split())
    day = _DAY.search(text)
    if day is None:
        return None
    words = _words(f"{text[: day.start()]} "), _words(text[day.end() :].removeprefix("T"))
    if words[0] is None or words[1] is None or not words[0].keys().isdisjoint(words[1]):
        return None
    try:
        return _moment(_date(day), words[0] | words[1], zone)
    except (ValueError, OverflowError):
        return None


def _date(found: re.Match[str]) -> datetime:
    year, month, day = (
        found[1] or found[5] or found[8] or found[13] or found[16],
        found[3] or found[6] or found[9] or found[12] or found[14],
        found[4] or found[7] or found[10] or found[11] or found[15],
    )
    number = int(month) if month.isdecimal() else _MONTHS.index(month[:3].lower()) + 1
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError(year)
    return datetime(int(year), number, int(day))


def _words(text: str) -> dict[str, str] | None:
    """What stands beside a day, each at most once; None where something else does."""
    found: dict[str, str] = {}
    place = 0
    text = text.strip()
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None or match.end() == place:
            return None
        for name, value in match.groupdict().items():
            if value is not None and found.setdefault(name.rstrip("2"), value) is not value:
                return None
        place = match.end()
    return found


def _moment(day: datetime, words: dict[str, str], zone: ZoneInfo) -> datetime | None:
    hour, minute, second = (int(words.get(name, 0)) for name in ("hour", "minute", "second"))
    half = words.get("half", "").lower()
    if half and ("hour" not in words or (not half.startswith(_AFTERNOON) and hour > 12)):
        return None
    if half and hour <= 12:
        hour = hour % 12 + (12 if half.startswith(_AFTERNOON) else 0)
    if (hour, minute, second) == (24, 0, 0):
        day, hour = day + timedelta(days=1), 0
    local = day.replace(hour=hour, minute=minute, second=second)
    told = _zone(words, local.replace(tzinfo=zone))
    return None if told is None else local.replace(tzinfo=told).astimezone(UTC)


def _zone(words: dict[str, str], local: datetime) -> tzinfo | None:
    """The zone that stands beside a time, else the server's own; None where the words are no zone."""
    if "offset" in words:
        offset = _OFFSET.fullmatch(words["offset"])
        if offset is None or "zone" in words:
            return None
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(-east if offset[1] == "-" else east)
    name = words.get("zone", "").lower()
    if not name or name == (local.tzname() or "").lower():
        return local.tzinfo
    return timezone(timedelta(hours=_ZONES[name])) if name in _ZONES else None
