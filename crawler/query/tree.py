"""A query as it is understood: the small tree that every tracker and the database are asked with."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Occur(StrEnum):
    """Whether a matching issue should, must or must not have the term."""

    SHOULD = "should"
    MUST = "must"
    MUST_NOT = "must_not"


@dataclass(frozen=True, slots=True)
class Clause:
    """One term of a query."""

    text: str
    occur: Occur = Occur.SHOULD
    phrase: bool = False  # the words in this order
    number: bool = False  # an issue number


@dataclass(frozen=True, slots=True)
class Tree:
    """A query, parsed. Without clauses it asks for everything."""

    clauses: tuple[Clause, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedQuery:
    """How a question was understood."""

    tree: Tree
    text: str  # canonical: parsing it again gives the same tree
    filters: dict[str, str] = field(default_factory=dict)  # product, status, since, until, reporter, owner
    language: str = "en"  # en, ko, ja
    method: str = "direct"  # direct, rules, llm
    confidence: float = 1.0  # 0 to 1
    explanation: str = ""
