"""A query in the tracker's own keyword syntax."""

from __future__ import annotations

from collections.abc import Sequence

from crawler.query import Clause, Occur, Tree
from crawler.source import Rendering


def render(query: Tree) -> Rendering:
    """Say a query in IMS syntax: a space is OR, `+word`, `'exact phrase'`, `+'phrase'`, a bare number.

    IMS has no exclusion, no escape for a quote, and no required number. What it cannot say is left out, or
    said more broadly, in such a way that the answer has never less than was asked for.

    Args:
        query: what to look for.
    """
    required = [clause for clause in query.clauses if clause.occur is Occur.MUST]
    optional = [clause for clause in query.clauses if clause.occur is Occur.SHOULD]
    excluded = len(query.clauses) > len(required) + len(optional)
    text, exact = _required(required) if required else _optional(optional)
    if required and text and not any(clause.number for clause in required):
        # Beside required words the optional ones only rank; the hits are the same without them.
        rank, _ = _optional(optional)
        text = f"{text} {rank}".strip()
    return Rendering(text=text, exact=exact and not excluded)


def _required(clauses: Sequence[Clause]) -> tuple[str, bool]:
    numbers = [clause.text for clause in clauses if clause.number]
    words = [clause for clause in clauses if not clause.number]
    said = [f"+{term}" for clause in words for term in _terms(clause)]
    if said:
        return " ".join(said), not numbers and all(_sayable(clause) for clause in words)
    # A bare number matches its issue; with a plus it would be a word.
    return (numbers[0], len(clauses) == 1) if numbers else ("", False)


def _optional(clauses: Sequence[Clause]) -> tuple[str, bool]:
    said = []
    for clause in clauses:
        terms = [clause.text] if clause.number else _terms(clause)
        if not terms:
            return "", False
        said.append(max(terms, key=len))
    return " ".join(said), all(clause.number or _sayable(clause) for clause in clauses)


def _sayable(clause: Clause) -> bool:
    return "'" not in clause.text and bool(clause.text.strip())


def _terms(clause: Clause) -> list[str]:
    """The clause's text as IMS terms that all must match; several where a quote parts it."""
    pieces = [" ".join(piece.split()) for piece in clause.text.split("'")]
    return [_term(piece, clause.phrase) for piece in pieces if piece]


def _term(text: str, phrase: bool) -> str:
    # A word that begins like an operator, or looks like an issue's number, is said as a phrase.
    plain = not phrase and " " not in text and text[0] not in "+-" and not text.isdecimal()
    return text if plain else f"'{text}'"
