"""The days a question is about: "since 2024-01-01", "지난달", "先週まで"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from crawler.query.natural.period import CUED, PLAIN, read_period
from crawler.query.natural.terms import Item, Kind, Piece, few_blanks

_FIRST = r"(?<![0-9A-Za-z_/.:\-])"
_LAST = r"(?![0-9A-Za-z_]|[-/.:][0-9A-Za-z])"
_SPAN = r"(?:[0-9]{1,4}|a|one|two|three|four|five|six|seven|ten|twelve)\s+(?:day|week|month|year)s?"
_PLAIN, _CUED = "\ue001", "\ue002"  # stand for periods: those that say so by themselves, and others
_CHANGED = r"(?:\b(?:updated|modified|changed)\s+)?"


# Whatever names days has one of these: a digit, the beginning of a word, or a sign of an Asian one.
_CUES = re.compile(
    "[0-9]|last|past|previous|this|today|yesterday|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    "|older|newer|younger|begin|start|ago|night|weekend|quarter|half|mon|tue|wed|thu|fri|sat|sun"
    "|[최지저이금전당작올오어그재엊간상하주몇요이사나열보월今本昨き一お過直最こ先前当去曜上下週ゆ数四月아새저午朝夕]",
    re.IGNORECASE,
)


class Days(NamedTuple):
    """From when to when, both included; None: no bound."""

    since: date | None
    until: date | None


def may_name(text: str) -> bool:
    """Tell whether days may be named in a text. What knows takes far longer to compile."""
    return _CUES.search(text) is not None


def split(pieces: Iterable[Piece], today: date, take: Callable[[Days], bool]) -> list[Piece]:
    """Read the days that are named in the parts that are not understood yet.

    Args:
        pieces: the question's parts.
        today: what days are counted from.
        take: takes what was read, or leaves it as words.
    """
    return [
        part
        for piece in pieces
        for part in ([piece] if isinstance(piece, Item) else _parts(piece, today, take))
    ]


def _parts(text: str, today: date, take: Callable[[Days], bool]) -> Iterator[Piece]:
    """Read a text whose periods are each one character: the ways to name them are few then."""
    written: list[str] = []

    def mask(found: re.Match[str]) -> str:
        written.append(found.group())
        return _PLAIN if found.lastgroup == "plain" else _CUED

    masked = _periods().sub(mask, re.sub(f"[{_PLAIN}{_CUED}]", " ", text))
    names = iter(written)

    def unmasked(part: str) -> str:
        return re.sub(f"[{_PLAIN}{_CUED}]", lambda _: next(names), part)

    at = 0
    for found in _ways().finditer(masked):
        first = len(re.findall(f"[{_PLAIN}{_CUED}]", masked[: found.start()]))
        days = _read(found, written[first:], today)
        if days is not None and take(days):
            yield unmasked(masked[at : found.start()])
            yield Item(Kind.FILTER, unmasked(found.group()).strip())
            at = found.end()
    yield unmasked(masked[at:])


@cache
def _periods() -> re.Pattern[str]:
    """Compile how a period is written, whatever stands beside it."""
    plain, cued = ("|".join(f"(?:{_uncaptured(form)})" for form, _ in forms) for forms in (PLAIN, CUED))
    return re.compile(few_blanks(f"{_FIRST}(?:(?P<plain>{plain})|(?:{cued})){_LAST}"), re.IGNORECASE)


@cache
def _ways() -> re.Pattern[str]:
    """Compile all ways to name days around a period; the group that matched says which way."""
    one = f"[{_PLAIN}{_CUED}]"
    ways = (
        rf"\b(?:between|from)\s+(?P<a1>{one})\s+(?:and|to|until|till|-|through)\s+(?P<a2>{one})",
        rf"(?P<b1>{one})\s*(?:부터|에서|から|~|〜|～)\s*(?P<b2>{one})\s*(?:까지의?|までの?|사이의?|の間の?)?",
        rf"(?P<c1>{_PLAIN})\s+(?:to|through|until|till|-|–|~)\s+(?P<c2>{_PLAIN})",
        rf"\b(?:older\s+than|for\s+(?:over|more\s+than))\s+(?P<older>{_SPAN})(?:\s+(?:ago|old))?\b",
        rf"\b(?:newer|younger)\s+than\s+(?P<newer>{_SPAN})\b",
        rf"{_CHANGED}\b(?:since|starting(?:\s+from)?|from(?=\s+{_CUED}))\s+(?P<since1>{one})",
        rf"(?P<since2>{one})\s*(?:이후로?|이래|부터|以降|以来|から)(?:[의에는の、にで]|には|では)?",
        rf"\bafter\s+(?P<after1>{one})",
        rf"(?P<after2>{one})\s*(?:후에|후|より後|の後)[의の]?",
        rf"\bbefore\s+(?P<before1>{one})",
        rf"(?P<before2>{one})\s*(?:이전|전|より前|の前)(?:에는|[의에のに])?",
        rf"\b(?:until|till|up\s+to)\s+(?P<until1>{one})",
        rf"(?P<until2>{one})\s*(?:까지|まで|以前)(?:에는|[의에のには])?",
        rf"{_CHANGED}\b(?:in|on|of|during|for|from|within|over)\s+(?:the\s+)?(?P<in1>{one})",
        rf"(?P<in3>{one})\s*(?:에|에만|에는|의|に|の)?\s*"
        r"(?=(?:등록|발생|보고|접수|생성|登録|報告|発生|作成|起票)(?:된|한|した|された))",
        rf"{_CHANGED}(?P<in2>{_PLAIN})"
        r"(?:에만|에는|에서|에|의|중에?|동안에?|간|까지|には|では|の間に|中に?|の|に|は|で)?(?![가-힣])(?!度|末)",
    )
    return re.compile("|".join(ways), re.IGNORECASE)


def _read(found: re.Match[str], written: Sequence[str], today: date) -> Days | None:
    """Turn what was found into days; None where the calendar has no such day."""
    groups = {name: text for name, text in found.groupdict().items() if text}
    way = next(iter(groups)).rstrip("123")
    texts = written[: len(groups)]
    if way in ("older", "newer"):
        texts = [f"{groups[way]} ago"]
    periods = [read_period(text.strip(), today, exact=way != "in") for text in texts]
    if None in periods:
        return None
    (first, last), *rest = [period for period in periods if period is not None]
    try:
        if (
            rest and first > rest[0][1]
        ):  # "between Monday and Friday", on a Wednesday; "from November to March"
            week, year = first - timedelta(7), first.replace(year=first.year - 1, day=1)
            first = week if week <= rest[0][1] else year
        return _bounds(way, first, rest[0][1] if rest else last, today)
    except (OverflowError, ValueError):  # the day after the last of all days
        return None


def _bounds(way: str, first: date, last: date, today: date) -> Days:
    match way:
        case "since" | "newer":
            return Days(first, None)
        case "after":
            return Days(last + timedelta(1), None)
        case "before" | "older":
            return Days(None, first - timedelta(1))
        case "until":
            return Days(None, last)
        case _:
            return Days(first, None if last >= today and way == "in" else last)


def _uncaptured(form: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", form)
