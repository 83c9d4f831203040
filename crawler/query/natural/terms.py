"""What a question is made of once its words are understood."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias


class Kind(Enum):
    """What a part of a question does."""

    TERM = auto()  # to be looked for
    AND = auto()  # joins the terms on both sides
    OR = auto()
    COMMA = auto()  # joins like the next AND or OR does
    NOT_NEXT = auto()  # excludes the terms after it: "without"
    NOT_ONE = auto()  # excludes the terms after it up to the next joint: NOT
    NOT_PREV = auto()  # excludes the terms before it: "제외", "以外"
    BREAK = auto()  # nothing to look for, but what is around it does not belong together
    FILTER = auto()  # became a filter


@dataclass(frozen=True, slots=True)
class Item:
    """One part of a question."""

    kind: Kind
    text: str = ""
    phrase: bool = False
    number: bool = False
    dropped: bool = False  # a word that is left out, and said to be


Piece: TypeAlias = "str | Item"  # a part still to be read, or one that is understood


def term(text: str, *, phrase: bool = False, number: bool = False) -> Item:
    """Make an item that is looked for."""
    return Item(Kind.TERM, text, phrase=phrase, number=number)


def left_out(text: str) -> Item:
    """Make an item that is not looked for."""
    return Item(Kind.BREAK, text, dropped=bool(text))


def few_blanks(pattern: str) -> str:
    """A regular expression that takes at most nine blanks where it took any number.

    Two that may take the same blanks need time that grows with their square.
    """
    return pattern.replace(r"\s*", r"\s{0,9}").replace(r"\s+", r"\s{1,9}")
