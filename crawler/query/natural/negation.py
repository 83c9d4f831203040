"""What "not" is about in English: a phrase to be looked for, or what is not wanted."""

from __future__ import annotations

import re

from crawler.query.direct import bare
from crawler.query.natural.lexicon import lexicon
from crawler.query.natural.terms import Item, Kind, term
from crawler.query.script import fold, says_something

OPERATOR = "NOT"
_PAUSE = re.compile(r"[,;]$")
_VERBS_WITH = re.compile(
    r"(?:log|sign)(?:ging)? (?:in|on|out|off)|(?:start|come|boot|shut|back|catch) (?:up|down)"
)
# What something does or is, by its ending: "not working", "not accepted", "not available".
_HAPPENS = re.compile(r".{2,}(?:ing|ed|en|able|ible|ful|ive)$")


def read_negation(words: list[str], before: list[str], *, shouting: bool) -> tuple[int, list[Item]] | None:
    """Read what begins with a word that denies something.

    Args:
        words: from that word on, as typed.
        before: the words before it.
        shouting: the whole question is in capitals, so that NOT is no operator.

    Returns:
        How many words were read and what they are; None where the first one denies nothing.
    """
    known = lexicon("en")
    first = _plain(words[0])
    if first == OPERATOR and not shouting:
        return 1, [Item(Kind.NOT_ONE, first)]
    if not known.has("negations", fold(first)):
        return None
    size = _denied(words)
    if size is None:
        return None
    if _VERBS_WITH.fullmatch(" ".join(fold(_plain(word)) for word in words[size - 1 : size + 1])):
        size += 1  # "cannot log in"
    denied = [_plain(word) for word in words[1:size]]
    if fold(first) == "not" and not _is_said(before, fold(denied[-1])):
        return 1, [Item(Kind.NOT_NEXT, first)]
    # "Why can't I connect": whoever it is about stands between the two in a question only.
    spoken = [word for word in denied if not known.has("persons", fold(word))]
    return size, [term(" ".join([first, *spoken]), phrase=True)]


def _denied(words: list[str]) -> int | None:
    """Where the first word ends after which the denial says something; None: it says nothing."""
    known = lexicon("en")
    if _PAUSE.search(words[0]):
        return None
    for at, word in enumerate(words[1:4], start=1):
        plain = fold(_plain(word))
        if known.has("between", plain) or known.has("persons", plain):
            if _PAUSE.search(word):
                return None
            continue
        if known.joint(plain) is not None or not says_something(plain):
            return None
        return at + 1
    return None


def _is_said(before: list[str], denied: str) -> bool:
    """Tell whether "not" belongs to what something does or is, and is not a "without"."""
    known = lexicon("en")
    if before and _PAUSE.search(before[-1]):
        return False
    auxiliary = any(known.has("auxiliaries", fold(_plain(word))) for word in before[-3:])
    return auxiliary or bool(_HAPPENS.match(denied)) or known.has("states", denied)


def _plain(word: str) -> str:
    return bare(word).replace("’", "'") or word
