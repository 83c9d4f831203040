"""The days a question is about: "since 2024-01-01", "지난달", "先週まで"."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from crawler.query.natural.period import CUED, PLAIN, read_period

_FIRST = r"(?<![0-9A-Za-z_/.:\-])"
_LAST = r"(?![0-9A-Za-z_]|[-/.:][0-9A-Za-z])"
_ENGLISH_VERB = r"(?:\b(?:reported|registered|created|opened|filed|raised|happened|occurring)\s+)?"


# Whatever names days has one of these: a digit, the beginning of a word, or a sign of an Asian one.
_CUES = re.compile(
    "[0-9]|last|past|previous|this|today|yesterday|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
    "|[최지저이금전당작올오어그今本昨き一お過直最こ先前当去]",
    re.IGNORECASE,
)


class Days(NamedTuple):
    """From when to when, both included; None: no bound."""

    since: date | None
    until: date | None


def may_name(text: str) -> bool:
    """Tell whether days may be named in a text. ``pattern`` knows; it takes far longer to compile."""
    return _CUES.search(text) is not None


@cache
def pattern() -> re.Pattern[str]:
    """Compile the one pattern for all ways to name days; the group that matched says which way."""
    plain = "|".join(f"(?:{_uncaptured(form)})" for form, _ in PLAIN)
    every = plain + "|" + "|".join(f"(?:{_uncaptured(form)})" for form, _ in CUED)
    one, other = f"{_FIRST}(?:{every}){_LAST}", f"(?:{every}){_LAST}"
    ways = (
        rf"\b(?:between|from)\s+(?P<a1>{one})\s+(?:and|to|until|till|-|through)\s+(?P<a2>{other})",
        rf"(?P<b1>{one})\s*(?:부터|에서|から|~|〜|～)\s*(?P<b2>{other})\s*(?:까지의?|までの?|사이의?|の間の?)?",
        rf"\b(?:since|starting(?:\s+from)?|from(?=\s+[0-9]))\s+(?P<since1>{one})",
        rf"(?P<since2>{one})\s*(?:이후로?|이래|부터|以降|以来|から)(?:[의에는の、にで]|には|では)?",
        rf"\bafter\s+(?P<after1>{one})",
        rf"(?P<after2>{one})\s*(?:후에|후|より後|の後)[의の]?",
        rf"\bbefore\s+(?P<before1>{one})",
        rf"(?P<before2>{one})\s*(?:이전|전|より前|の前)(?:에는|[의에のに])?",
        rf"\b(?:until|till|up\s+to)\s+(?P<until1>{one})",
        rf"(?P<until2>{one})\s*(?:까지|まで|以前)(?:에는|[의에のには])?",
        rf"\b(?:in|on|of|during|for|from|within|over)\s+(?:the\s+)?(?P<in1>{one})",
        rf"(?P<in2>{_FIRST}(?:{plain}){_LAST})"
        r"(?:에만|에는|에서|에|의|중에?|동안에?|간|까지|には|では|の間に|中に?|の|に|は|で)?(?![가-힣])(?!度|末)",
    )
    return re.compile("|".join(ways), re.IGNORECASE)


def read_days(found: re.Match[str], today: date) -> Days | None:
    """Turn a match of ``pattern`` into days; None where the calendar has no such day."""
    groups = {name: text for name, text in found.groupdict().items() if text}
    periods = [read_period(text.strip(), today) for text in groups.values()]
    if None in periods:
        return None
    (first, last), *rest = [period for period in periods if period is not None]
    way = next(iter(groups)).rstrip("12")
    try:
        return _bounds(way, first, rest[0][1] if rest else last, today)
    except OverflowError:  # the day after the last of all days
        return None


def _bounds(way: str, first: date, last: date, today: date) -> Days:
    match way:
        case "since":
            return Days(first, None)
        case "after":
            return Days(last + timedelta(1), None)
        case "before":
            return Days(None, first - timedelta(1))
        case "until":
            return Days(None, last)
        case _:
            return Days(first, None if last >= today and way == "in" else last)


def _uncaptured(form: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", form)
