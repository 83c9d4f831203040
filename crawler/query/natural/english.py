"""English words, and any others that spaces part."""

from __future__ import annotations

import re

from crawler.query.direct import bare
from crawler.query.natural.lexicon import lexicon
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
    at = 0
    while at < len(words):
        taken, item = _longest(words[at:], begun=begun, shouting=shouting)
        begun = begun or item.kind is Kind.TERM
        items.append(item)
        if _PAUSE.search(words[at + taken - 1]):
            items.append(Item(Kind.COMMA, ","))
        at += taken
    return items


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
