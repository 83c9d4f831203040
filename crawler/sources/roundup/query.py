"""Say a query in Roundup's terms: numbers only.

Its index knows whole words of two to twenty-five letters, and messages apart from titles; so words are not
sent, and are looked for in what was fetched.
"""

from __future__ import annotations

from msgspec import Struct

from crawler.query import Occur, Tree

LAST = 2_147_483_647


class Question(Struct, frozen=True, kw_only=True):
    """Which issues a query is about, as far as its numbers say."""

    numbers: frozenset[int] | None = None  # None: any
    exact: bool = True  # whether the numbers are the whole query

    def text(self) -> str:
        """The question as Roundup's parameters say it; empty where all issues are asked for."""
        return "" if self.numbers is None else "id=" + ",".join(map(str, sorted(self.numbers)))


def question_of(query: Tree | None) -> Question:
    """Find what a query says about numbers; whatever else it says makes the answer inexact."""
    clauses = () if query is None else query.clauses
    by_occur = {occur: [clause for clause in clauses if clause.occur is occur] for occur in Occur}
    must, should = by_occur[Occur.MUST], by_occur[Occur.SHOULD]
    required = {int(clause.text) for clause in must if clause.number}
    only_numbers = not by_occur[Occur.MUST_NOT] and all(clause.number for clause in clauses)
    if required:
        numbers = frozenset(required) if len(required) == 1 else frozenset[int]()
        return Question(numbers=numbers, exact=only_numbers and not should)
    if not must and should and all(clause.number for clause in should):
        return Question(numbers=frozenset(int(clause.text) for clause in should), exact=only_numbers)
    return Question(exact=not clauses)
