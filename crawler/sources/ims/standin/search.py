"""The tracker's own query syntax.

A space means OR, ``+word`` is required, ``'exact phrase'`` stands in single quotes, both combine as
``+'phrase'``, and a bare number is an issue number. Nothing else is an operator: ``-word`` looks for a word
that begins with a hyphen, and a ``+`` that stands alone looks for a plus sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TERM = re.compile(r"(?P<plus>\+?)(?:'(?P<phrase>[^']+)'|(?P<word>\S+))")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One term, in lower case."""

    text: str
    required: bool
    number: bool

    def matches(self, number: int, text: str) -> bool:
        """Tell whether an issue of this number with this lower-case text has the term."""
        return str(number) == self.text if self.number else self.text in text


@dataclass(frozen=True, slots=True)
class Keyword:
    """A question in the tracker's syntax."""

    terms: tuple[Term, ...]

    def score(self, number: int, text: str) -> int | None:
        """Count the optional terms that an issue has; None when it is not a hit at all.

        Args:
            number: the issue's number.
            text: everything that is searched, in lower case.
        """
        optional = 0
        required = False
        for term in self.terms:
            found = term.matches(number, text)
            if term.required:
                if not found:
                    return None
                required = True
            elif found:
                optional += 1
        return optional if optional or required or not self.terms else None


def parse_keyword(text: str) -> Keyword:
    """Read a question. Anything can be asked; a quote without its partner is part of a word."""
    terms = []
    for match in _TERM.finditer(text):
        plus, phrase, word = match["plus"], match["phrase"], match["word"]
        if phrase is not None:
            if not phrase.strip():
                continue
            terms.append(Term(" ".join(phrase.lower().split()), bool(plus), number=False))
        else:
            bare = not plus and _NUMBER.fullmatch(word) is not None
            terms.append(Term(word.lower(), bool(plus), number=bare))
    return Keyword(tuple(terms))
