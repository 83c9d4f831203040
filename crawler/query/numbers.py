"""Which issues a query can only mean by its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.query.tree import Occur, Tree

_LONGEST = 10  # digits of an issue's number


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The numbers that a query asks for."""

    numbers: frozenset[int] | None  # None: any issue may match
    exact: bool  # whether this is the whole query


def asked_numbers(query: Tree | None) -> Asked:
    """Find the numbers outside of which no issue can match."""
    clauses = () if query is None else query.clauses
    must = [clause for clause in clauses if clause.occur is Occur.MUST]
    should = [clause for clause in clauses if clause.occur is Occur.SHOULD]
    required = {int(clause.text) for clause in must if clause.number}
    if required:
        only = frozenset(required) if len(required) == 1 else frozenset[int]()
        return Asked(
            numbers=_possible(only), exact=len(must) == len(clauses) == sum(each.number for each in must)
        )
    if not must and should and all(clause.number for clause in should):
        numbers = frozenset(int(clause.text) for clause in should)
        return Asked(numbers=_possible(numbers), exact=len(should) == len(clauses))
    return Asked(numbers=None, exact=not clauses)


def _possible(numbers: frozenset[int]) -> frozenset[int]:
    return frozenset(number for number in numbers if 0 < number < 10**_LONGEST)
