"""The direct syntax: text to tree, and tree to its canonical text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from crawler.errors import QueryError
from crawler.query.script import says_something
from crawler.query.tokens import MINUS, PLUS, QUOTES, Lexeme, closing, scan
from crawler.query.tree import Clause, Occur, Tree

EVERYTHING = "*"
MOST_CLAUSES = 1000
LONGEST_CLAUSE = 1000  # characters
_OCCUR = {"": Occur.SHOULD, "+": Occur.MUST, "-": Occur.MUST_NOT}
_SIGN = {occur: sign for sign, occur in _OCCUR.items()}
_NUMBER = re.compile(r"(?:[#＃]|(?:IMS-)[#＃]?)?([0-9０-９]{1,18})", re.IGNORECASE)
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", "（": "）", "［": "］", "【": "】"}


def read(text: str) -> Tree:
    """Parse the direct syntax.

    Raises:
        QueryError: a quote stands alone, nothing is asked for, or it is too much.
    """
    lexemes = scan(text)
    if lexemes and lexemes[-1] == Lexeme(EVERYTHING) and all(one.text == "=" for one in lexemes[:-1]):
        return Tree()
    return grow(clause for one in dict.fromkeys(lexemes) if (clause := as_clause(one)) is not None)


def is_literal(lexemes: list[Lexeme]) -> bool:
    """Tell whether no word of a query with signs is an operator."""
    return lexemes[:1] == [Lexeme("=")] or not any(_is_operator(one) for one in lexemes)


def with_operators(lexemes: list[Lexeme]) -> Tree:
    """Make a tree of a query in which AND, OR and NOT stand beside signs: they do what signs would.

    Raises:
        QueryError: nothing is asked for, or it is too much.
    """
    signs = {"AND": "+", "OR": "", "NOT": "-"}
    terms: list[Lexeme] = []
    pending: list[str] = []
    for one in lexemes:
        if _is_operator(one):
            pending.append(one.text)
            continue
        if "AND" in pending and terms and not terms[-1].sign:
            terms[-1] = replace(terms[-1], sign="+")
        last = pending[-1] if pending else "OR"
        terms.append(one if one.sign else replace(one, sign=signs[last]))
        pending = []
    return grow(clause for one in dict.fromkeys(terms) if (clause := as_clause(one)) is not None)


def _is_operator(lexeme: Lexeme) -> bool:
    return not lexeme.quoted and not lexeme.sign and lexeme.text in ("AND", "OR", "NOT")


def grow(clauses: Iterable[Clause]) -> Tree:
    """Make a tree of clauses, each once.

    Raises:
        QueryError: there are none, too many, or one is too long.
    """
    kept = tuple(dict.fromkeys(clauses))
    if not kept:
        raise QueryError("There is nothing to look for: name at least one word, phrase or issue number.")
    if len(kept) > MOST_CLAUSES:
        raise QueryError(f"The query has more than {MOST_CLAUSES} different terms: leave some out.")
    for clause in kept:
        _bounded(clause.text)
    return Tree(kept)


def as_clause(lexeme: Lexeme) -> Clause | None:
    """Read one lexeme; None where it says nothing."""
    occur = _OCCUR[lexeme.sign]
    if lexeme.quoted:
        return Clause(lexeme.text, occur, phrase=True) if lexeme.text else None
    word = bare(_bounded(lexeme.text))
    if not says_something(word):
        return None
    if digits := issue_number(word):
        return Clause(digits, occur, number=True)
    return Clause(word, occur, phrase=not _stands_alone(word))


def bare(word: str) -> str:
    """Strip a word of the punctuation around it, but not of what belongs to it."""
    before = ""
    while word != before:
        before = word
        word = word.rstrip(",;:!?.").lstrip(",;:!?")
        for opened, closed in _BRACKETS.items():
            if word.startswith(opened) and (word.endswith(closed) or closed not in word):
                word = word[1:]
            if word.endswith(closed) and opened not in word:
                word = word[:-1]
    return word


def issue_number(word: str) -> str | None:
    """Return the digits of ``348115``, ``#348115`` or ``IMS-348115``."""
    found = _NUMBER.fullmatch(word)
    return found.group(1).translate(_DIGITS) if found else None


def write(tree: Tree) -> str:
    """Write a tree in the direct syntax; reading it gives the same tree."""
    return " ".join(map(_written, tree.clauses)) if tree.clauses else EVERYTHING


def _written(clause: Clause) -> str:
    sign = _SIGN[clause.occur]
    if clause.number:
        return f"{sign}#{clause.text}" if sign == "-" else sign + clause.text
    return sign + (_quoted(clause.text) if clause.phrase else clause.text)


def _quoted(text: str) -> str:
    for opened, closed in QUOTES.items():
        quoted = opened + text + closed
        if closing(quoted, 0) == len(quoted) - 1:
            return quoted
    raise QueryError("A phrase has every kind of quote in it: leave one kind out.")


def _stands_alone(word: str) -> bool:
    """Tell whether the word without quotes is read as itself, here and by a tracker that has signs too."""
    if word[0] in PLUS + MINUS:
        return False
    try:
        return scan(word) == [Lexeme(word)] and bare(word) == word
    except QueryError:
        return False


def _bounded(text: str) -> str:
    if len(text) > LONGEST_CLAUSE:
        raise QueryError(f"A term is longer than {LONGEST_CLAUSE} characters: shorten it.")
    return text
