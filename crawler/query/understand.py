"""A question of any kind becomes a query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from crawler.errors import QueryError
from crawler.query import LOW_CONFIDENCE
from crawler.query.direct import grow, is_literal, read, with_operators, write
from crawler.query.script import clean, language_of, says_something
from crawler.query.tokens import Lexeme, scan
from crawler.query.tree import Clause, Occur, ParsedQuery, Tree

if TYPE_CHECKING:
    from crawler.query.natural.sentence import Sentence

LONGEST_QUESTION = 5000  # characters; whatever is longer is not a question but a list of words
MANY_TERMS = 8  # more words than this are a story, of which not every word is worth looking for
_DAY = date(2000, 1, 3)  # which day it is does not change the words


def understand(text: str, *, products: Sequence[str] | None, today: date | None) -> ParsedQuery:
    """Do what ``crawler.query.parse_query`` promises."""
    lexemes = scan(text)
    language = language_of(clean(text[:LONGEST_QUESTION]))
    if _is_direct(text, lexemes):
        tree = read(text) if is_literal(lexemes) else with_operators(lexemes)
        return ParsedQuery(
            tree=tree,
            text=written(tree, products=products or ()),
            language=language,
            explanation=_told(tree, ["Read as it stands."]),
        )
    from crawler.query.natural.clauses import combine  # word lists, which a query with signs needs none of
    from crawler.query.natural.sentence import take_apart

    sentence = take_apart(lexemes, products, today or datetime.now(UTC).date())
    combined = combine(sentence.items)
    dropped = list(dict.fromkeys(item.text for item in sentence.items if item.dropped))
    if not combined.clauses and not sentence.filters:
        return _as_it_stands(text, language, products)
    tree = grow(map(_safe, combined.clauses)) if combined.clauses else Tree()
    if not sentence.filters and tree == _read_or_none(text):
        return ParsedQuery(
            tree=tree,
            text=written(tree, products=products or ()),
            language=language,
            explanation=_told(tree, []),
        )
    notes = [f"Read as {_LANGUAGES[language]} by rules."]
    notes += [f"Left out: {', '.join(dropped)}."] if dropped else []
    notes += [f"Only {name}: {value}." for name, value in sentence.filters.items()]
    return ParsedQuery(
        tree=tree,
        text=written(tree, products=products or ()),
        filters=sentence.filters,
        language=language,
        method="rules",
        confidence=_confidence(sentence, combined.sure, tree),
        explanation=_told(tree, notes + sentence.guesses + combined.guesses),
    )


def _as_it_stands(text: str, language: str, products: Sequence[str] | None) -> ParsedQuery:
    """Look for words that are usually left out, where a question has no others."""
    tree = read(text)
    return ParsedQuery(
        tree=tree,
        text=written(tree, products=products or ()),
        language=language,
        method="rules",
        confidence=LOW_CONFIDENCE,
        explanation=_told(tree, [f"Read as {_LANGUAGES[language]} by rules.", "It has no other words."]),
    )


def written(tree: Tree, *, products: Sequence[str]) -> str:
    """Do what ``crawler.query.canonical`` promises."""
    text = write(tree)
    lexemes = scan(text)
    if _is_direct(text, lexemes):
        return text if is_literal(lexemes) or with_operators(lexemes) == tree else f"= {text}"
    from crawler.query.natural.clauses import combine
    from crawler.query.natural.sentence import take_apart

    sentence = take_apart(lexemes, products, _DAY)
    clauses = tuple(dict.fromkeys(map(_safe, combine(sentence.items).clauses)))
    return text if Tree(clauses) == tree and not sentence.filters else f"= {text}"


_NEGATION = re.compile(r"^(?:not?|cannot|.*n't|안.*|못)$|(?:ない|ません|なかった|なく.*|ずに?)$")
_LANGUAGES = {"en": "English", "ko": "Korean", "ja": "Japanese"}


def _is_direct(text: str, lexemes: list[Lexeme]) -> bool:
    """Tell whether the text has signs, so that no word of it is an operator or left out."""
    return (
        len(text) > LONGEST_QUESTION
        or (bool(lexemes) and lexemes[0].text in ("=", "*"))
        or any(one.sign and (one.quoted or says_something(one.text)) for one in lexemes)
    )


def _safe(clause: Clause) -> Clause:
    """Quote what would not be read as itself when it is written down."""
    if clause.number or clause.phrase:
        return clause
    alone = Tree((clause,))
    return clause if _read_or_none(write(alone)) == alone else replace(clause, phrase=True)


def _read_or_none(text: str) -> Tree | None:
    try:
        return read(text)
    except QueryError:
        return None


def _confidence(sentence: Sentence, sure: float, tree: Tree) -> float:
    from crawler.query.natural.terms import Kind

    left_out = sum(item.dropped for item in sentence.items)
    negated = any(item.dropped and _NEGATION.search(item.text) for item in sentence.items)
    doubts = [
        1.0 - sentence.sure,
        1.0 - sure,
        0.05 if left_out else 0.0,
        0.15 if negated else 0.0,
        0.25 if len(tree.clauses) > MANY_TERMS else 0.0,
        0.1 if not tree.clauses else 0.0,
        0.05 if any(item.kind is Kind.FILTER for item in sentence.items) else 0.0,
    ]
    return round(max(0.05, 0.95 - sum(doubts)), 2)


def _told(tree: Tree, notes: list[str]) -> str:
    words = {occur: [clause.text for clause in tree.clauses if clause.occur is occur] for occur in Occur}
    must, should, without = words[Occur.MUST], words[Occur.SHOULD], words[Occur.MUST_NOT]
    told = [f"Required: {', '.join(must)}."] if must else []
    if should:
        role = "Better with" if must else "Any of" if len(should) > 1 else "Looked for"
        told.append(f"{role}: {', '.join(should)}.")
    told += [f"Excluded: {', '.join(without)}."] if without else []
    return " ".join([*notes, *(told or ["No search words: every issue matches."])])
