"""English words, and any others that spaces part."""

from __future__ import annotations

import re

from crawler.query.direct import bare
from crawler.query.natural.lexicon import lexicon
from crawler.query.natural.negation import read_negation
from crawler.query.natural.terms import Item, Kind, left_out, term
from crawler.query.script import fold, says_something

_IDENTIFIER = re.compile(r".*(?:[0-9_@$\\]|\w[.:/\-#+]|[/\\]\w|[#+]$)", re.DOTALL)
_PAUSE = re.compile(r"[,;]$")


def is_identifier(word: str) -> bool:
    """Tell whether a word is a name or code that is never taken apart: ORA-01555, x.log, C++."""
    return bool(_IDENTIFIER.match(word))


def read_words(words: list[str], *, begun: bool, shouting: bool) -> list[Item]:
    """Read words.

    Args:
        words: as typed, with their punctuation.
        begun: something to be looked for came before, so that "show" is no longer a verb of asking.
        shouting: the whole question is in capitals, so that capitals say nothing.
    """
    items: list[Item] = []
    denied = False
    at = 0
    while at < len(words):
        taken, found = _read(words, at, begun=begun, shouting=shouting)
        denied = denied or any(item.kind in (Kind.NOT_NEXT, Kind.NOT_ONE) for item in found)
        begun = begun or (not denied and any(item.kind is Kind.TERM for item in found))
        items += found
        if _PAUSE.search(words[at + taken - 1]):
            items.append(Item(Kind.COMMA, ","))
            denied = False  # "without tests, show outages": what is asked for begins here
        at += taken
    return items


def _read(words: list[str], at: int, *, begun: bool, shouting: bool) -> tuple[int, list[Item]]:
    taken, item = _longest(words[at:], begun=begun, shouting=shouting)
    if item.kind is Kind.BREAK or item.text == words[at]:
        denied = read_negation(words[at:], words[:at], shouting=shouting) if taken == 1 else None
        if denied is not None:
            return denied
    return taken, [item]


def _longest(words: list[str], *, begun: bool, shouting: bool) -> tuple[int, Item]:
    known = lexicon("en")
    for length in range(min(known.longest, len(words)), 0, -1):
        if any(map(_PAUSE.search, words[: length - 1])):
            continue
        plain = [_plain(word) for word in words[:length]]
        text = fold(" ".join(plain))
        item = known.joint(text)
        if item is None and not begun and known.has("asking", text):
            item = left_out(text)
        if item is None or _is_name(plain, item, shouting=shouting):
            continue
        return length, item
    word = bare(words[0])
    return 1, term(word) if says_something(word) else left_out("")


def _is_name(words: list[str], item: Item, *, shouting: bool) -> bool:
    """Tell whether capitals make a name of what would be left out: "ORDER BY", "IN"."""
    return (
        item.kind is Kind.BREAK
        and not shouting
        and any(w.isupper() and len(w) > 1 and w.isalpha() for w in words)
    )


def _plain(word: str) -> str:
    return bare(word).replace("’", "'") or word
