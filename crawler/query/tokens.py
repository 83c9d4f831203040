"""The smallest parts of a query: signed words and quoted phrases, as they were typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crawler.errors import QueryError
from crawler.query.script import clean, is_spaced_letter, is_unspaced

PLUS = "+＋"
MINUS = "-－−"
QUOTES = {"'": "'", '"': '"', "“": "”", "「": "」", "『": "』", "«": "»", "‘": "’", "＂": "＂", "＇": "＇"}
_SINGLE = "'‘＇"
_APART = "、。，！？；：…､｡"  # sentence marks that no identifier contains
_BEFORE_SINGLE = "([{<=:,;/|"  # after these a single quote opens a phrase, after others it is an apostrophe
# What starts with a minus and is a term all the same: error codes (-5213), options of programs and of Java.
_LITERAL_MINUS = re.compile(r"[-－−](?=[0-9０-９]|[-－−]|X[a-zA-Z]+[0-9:]|X[A-Z]:|D[\w.]+=)")
_RUN = re.compile(rf"[^\s{_APART}{''.join(QUOTES)}]*")
_CLOSERS = "".join(QUOTES.values())
_LITERAL_PLUS = re.compile(r"[+＋](?=[+＋])")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One word or one quoted phrase."""

    text: str
    sign: str = ""  # "+", "-" or nothing
    quoted: bool = False
    glued: bool = False  # nothing stands between this and the lexeme before it
    mark: str = ""  # the sentence mark that ended the word, such as "、"


def scan(text: str) -> list[Lexeme]:
    """Take a query apart.

    Args:
        text: any text.

    Returns:
        The lexemes in their order; words keep their punctuation, phrases have single spaces.

    Raises:
        QueryError: a quote is opened and never closed, or closed and never opened.
    """
    text = clean(text)
    lexemes: list[Lexeme] = []
    at, end, glued = 0, len(text), False
    while at < end:
        if _is_apart(text[at]):
            at, glued = at + 1, False
            continue
        sign, at = _sign(text, at)
        if opens(text, at):
            close = closing(text, at)
            phrase = " ".join(text[at + 1 : close].split())
            lexemes.append(Lexeme(phrase, sign, quoted=True, glued=glued))
            at, glued = close + 1, True
            continue
        stop = _word_end(text, at)
        mark = text[stop] if stop < end and text[stop] in _APART else ""
        lexemes.append(Lexeme(text[at:stop], sign, glued=glued, mark=mark))
        at, glued = stop, True
    return lexemes


def opens(text: str, at: int) -> bool:
    """Tell whether a quoted phrase starts at this place, taking apostrophes for what they are."""
    if at >= len(text) or text[at] not in QUOTES:
        return False
    if text[at] not in _SINGLE or at == 0:
        return True
    before = text[at - 1]
    return (
        _is_apart(before)
        or is_unspaced(before)
        or before in _BEFORE_SINGLE + PLUS + MINUS
        or before in _CLOSERS
    )


def closing(text: str, at: int) -> int:
    """Return where the quote opened at ``at`` is closed.

    Raises:
        QueryError: nowhere.
    """
    mark = QUOTES[text[at]]
    close = text.find(mark, at + 1)
    while close > 0 and text[at] in _SINGLE and _is_apostrophe(text, close):
        close = text.find(mark, close + 1)
    if close < 0:
        raise QueryError(
            f"A quote {text[at]} is opened but not closed: add the closing {mark} or leave it out."
        )
    return close


def _sign(text: str, at: int) -> tuple[str, int]:
    char = text[at]
    following = text[at + 1 : at + 2]
    if not following or _is_apart(following):
        return "", at
    if char in PLUS and not _LITERAL_PLUS.match(text, at):
        return "+", at + 1
    if char in MINUS and not _LITERAL_MINUS.match(text, at):
        return "-", at + 1
    return "", at


def _word_end(text: str, at: int) -> int:
    start, end = at, len(text)
    at = _RUN.match(text, at + 1).end()  # type: ignore[union-attr]  # an empty run matches too
    while at < end and not _is_apart(text[at]) and not opens(text, at):
        at = _RUN.match(text, at + 1).end()  # type: ignore[union-attr]  # the same
    if text[at - 1] == "'" and at - start > 1 and text[at - 2] not in "sS":
        raise QueryError("A quote ' is closed but not opened: add the opening ' or leave it out.")
    return at


def _is_apart(char: str) -> bool:
    return char.isspace() or char in _APART


def _is_apostrophe(text: str, at: int) -> bool:
    return at + 1 < len(text) and is_spaced_letter(text[at - 1]) and is_spaced_letter(text[at + 1])
