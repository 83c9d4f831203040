"""Say a query in the language of Redmine's search, which looks for parts of words.

It looks at the subject, the description, the notes, the names of files and the searchable custom fields, each
on its own: two words that must both occur may stand in different ones, so only one word is sent where several
are required. Of a word that part is sent which all its endings have in common, and letters of scripts other
than Latin are sent only where every database compares them alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from crawler.query import Clause, Occur, Tree
from crawler.query.matching import bases

LAST = 2_147_483_647  # the largest number that an issue can have
_MOST_TOKENS = 5  # Redmine drops the others
_SHORTEST = 3  # of a Latin token; Redmine drops single letters, and two are in nearly every text
_TOKEN = re.compile(r"[A-Za-z0-9]{3,}|[\uac00-\ud7a3\u4e00-\u9fff]{2,}")


class Question(Struct, frozen=True, kw_only=True):
    """What Redmine is asked for: all issues, some numbers, and what has one of some words."""

    numbers: frozenset[int] | None = None  # None: any, unless there are words
    words: tuple[str, ...] = ()  # one of them must occur
    exact: bool = True  # whether this is the whole query

    def text(self) -> str:
        """The question as Redmine's parameters say it; empty where all issues are asked for."""
        parts = []
        if self.numbers is not None:
            parts.append("issue_id=" + ",".join(map(str, sorted(self.numbers))))
        if self.words:
            parts.append("q=" + " ".join(self.words))
        return " | ".join(parts)


def question_of(query: Tree | None) -> Question:
    """Find the narrowest question whose answer has everything that the query asks for."""
    clauses = () if query is None else query.clauses
    must = [clause for clause in clauses if clause.occur is Occur.MUST]
    should = [clause for clause in clauses if clause.occur is Occur.SHOULD]
    required = _numbers(must)
    if required:
        only = required if len(required) == 1 else frozenset[int]()
        return Question(numbers=only, exact=len(clauses) == len(must) == sum(each.number for each in must))
    if must:
        tokens = [token for clause in must if (token := _token(clause)) is not None]
        return Question(words=(max(tokens, key=_weight),) if tokens else (), exact=False)
    if not should:
        return Question(exact=not clauses)
    numbers, words = _numbers(should), [clause for clause in should if not clause.number]
    if not words:
        return Question(numbers=numbers, exact=len(should) == len(clauses))
    found = [_token(clause) for clause in words]
    tokens = list(dict.fromkeys(token for token in found if token is not None))
    if None in found or len(tokens) > _MOST_TOKENS:
        return Question(exact=False)
    return Question(numbers=numbers or None, words=tuple(tokens), exact=False)


def _numbers(clauses: Iterable[Clause]) -> frozenset[int]:
    return frozenset(int(clause.text) for clause in clauses if clause.number)


def _token(clause: Clause) -> str | None:
    """A part of every text that has the term; None: there is none that Redmine surely finds."""
    if not clause.phrase and clause.text.isascii() and clause.text.isalnum():
        return _stem(clause.text.lower())
    tokens = [token.lower() for token in _TOKEN.findall(clause.text)]
    return max(tokens, key=_weight) if tokens else None


def _weight(token: str) -> int:
    """How rare a token may be taken to be: a Korean or Chinese character says more than a letter."""
    return sum(1 if letter.isascii() else 3 for letter in token)


def _stem(word: str) -> str | None:
    """What all forms of a word begin with; see :func:`crawler.query.matching.bases`."""
    ends = [base[:-1] if base.endswith(("e", "y")) else base for base in bases(word)]
    first, last = min(ends), max(ends)
    same = (at for at, letter in enumerate(first) if not last.startswith(letter, at))
    stem = first[: next(same, len(first))]
    return stem if len(stem) >= _SHORTEST else None
