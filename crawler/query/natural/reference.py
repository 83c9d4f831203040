"""Parts of a question that say what they are: "issue 348115", "exact phrase …", "out of memory"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from crawler.query.direct import issue_number
from crawler.query.natural.lexicon import lexicon
from crawler.query.natural.terms import Item, Piece, term

_KOREAN_CLOSE = r"(?=(?<!\s)\s*+(?:찾아|검색|보여|알려|조회|라는|이라는|또는|혹은|그리고|및|$))"
_JAPANESE_CLOSE = r"(?=を|という|または|もしくは|および|$)"
_ENGLISH_CLOSE = (
    r"(?=(?<!\s)\s++(?:and|or|in|on|with|without|since|from|before|after|except|for|please)\b|[,?]|$)"
)


def split(
    pieces: Iterable[Piece], pattern: re.Pattern[str], read: Callable[[re.Match[str]], Item | None]
) -> list[Piece]:
    """Read what matches in the parts that are not understood yet; None from ``read`` leaves it as it is."""
    return [
        part
        for piece in pieces
        for part in ([piece] if isinstance(piece, Item) else _parts(piece, pattern, read))
    ]


def _parts(
    text: str, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Item | None]
) -> Iterator[Piece]:
    at = 0
    for found in pattern.finditer(text):
        item = read(found)
        if item is not None:
            yield text[at : found.start()]
            yield item
            at = found.end()
    yield text[at:]


@cache
def number_pattern() -> re.Pattern[str]:
    """Compile what is an issue's number whatever stands around it."""
    return re.compile(
        r"(?<![0-9A-Za-z])(?:(?:issue|ticket|bug|case|이슈|티켓|課題|チケット|イシュー)s?\s*(?:no\.?|number|id|번호|番号)?\s*"
        r"[:=]?\s*[#＃]?(?P<a>[0-9]{1,18})|[#＃](?P<b>[0-9]{1,18})|IMS-(?P<c>[0-9]{1,18})|(?P<d>[0-9]{4,18})(?=번|番))"
        r"(?![0-9A-Za-z_]|[-./:][0-9A-Za-z])(?:번|番の?)?\s*(?:이슈|課題)?",
        re.IGNORECASE,
    )


def read_number(found: re.Match[str]) -> Item | None:
    """Return the issue's number."""
    digits = issue_number(found["a"] or found["b"] or found["c"] or found["d"])
    return term(digits, number=True) if digits else None


@cache
def phrase_pattern() -> re.Pattern[str]:
    """Compile what is a phrase without being quoted."""
    known = "|".join(r"\s".join(map(re.escape, one.split())) for one in lexicon("en").ordered("phrases"))
    return re.compile(
        r"\b(?:the\s)?exact\s(?:phrase|words|text|string|match)\s(?:of\s)?(?P<en>\S.*?)" + _ENGLISH_CLOSE
        + r"|(?:정확히|정확하게)\s(?P<ko>\S.*?)" + _KOREAN_CLOSE
        + r"|正確に\s?(?P<ja>[^\sを].*?)" + _JAPANESE_CLOSE
        + rf"|(?<![\w-])(?P<known>{known})(?![\w-])",
        re.IGNORECASE,
    )  # fmt: skip


def read_phrase(found: re.Match[str]) -> Item | None:
    """Return the phrase."""
    text = (
        found["en"]
        or found["ja"]
        or found["known"]
        or re.sub(r"(?<=[가-힣])(?:을|를)$", "", found["ko"] or "")
    )
    return term(text.strip(), phrase=True) if text.strip() else None
