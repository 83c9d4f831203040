"""The query language: one syntax on every tracker and on what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from crawler.query.tree import Clause, Occur, ParsedQuery, Tree

__all__ = [
    "LOW_CONFIDENCE",
    "Clause",
    "Occur",
    "ParsedQuery",
    "Tree",
    "canonical",
    "matches",
    "parse_direct",
    "parse_query",
]

LOW_CONFIDENCE = 0.7  # below this, whoever asked should confirm how the question was understood


def parse_query(text: str, *, products: Sequence[str] | None = (), today: date | None = None) -> ParsedQuery:
    """Understand a question in the direct syntax or in English, Korean or Japanese.

    Args:
        text: any text.
        products: the tracker's products, recognised besides those that are always known; None: none is,
            for a tracker that has other products, to which these names are words.
        today: what "last week" is counted from; None: the day in UTC.

    Returns:
        The query; ``text`` parsed again gives the same tree. ``filters`` holds ``product``, ``status``
        (``open`` or ``closed``), ``since`` and ``until`` (ISO days, both included), ``reporter`` and
        ``owner`` (what their names hold).

    Raises:
        QueryError: nothing is asked for, a quote is left open, or there are too many or too long terms.
    """
    from crawler.query.understand import understand  # word lists are loaded by whoever asks a question

    return understand(text, products=products, today=today)


def parse_direct(text: str) -> Tree:
    """Parse the direct syntax only: no word is left out, none is taken for an operator.

    A space is OR, ``+word`` is required, ``-word`` excluded, quotes make a phrase, a bare number
    (``#348115``, ``IMS-348115``) is an issue number, a minus before a digit belongs to an error code
    (``-5213`` is a phrase), ``*`` asks for everything.

    Raises:
        QueryError: nothing is asked for, a quote is left open, or there are too many or too long terms.
    """
    from crawler.query.direct import read  # word lists are loaded by whoever asks a question

    return read(text)


def canonical(tree: Tree, *, products: Sequence[str] = ()) -> str:
    """Write a tree so that ``parse_direct`` and ``parse_query`` both give it back.

    Where the words alone would be taken for a question, ``=`` stands before them: ``= find the error``.
    """
    from crawler.query.understand import written  # word lists are loaded by whoever asks a question

    return written(tree, products=products)


def matches(tree: Tree, texts: Sequence[str], issue_id: str) -> bool:
    """Apply a whole query to an issue, for what a tracker cannot express.

    Every required term, no excluded one, and, where nothing is required, at least one of the others. A word
    matches whole words in any usual ending and the parts of an identifier; a phrase matches as written;
    Korean, Japanese and Chinese match anywhere in the text; an issue number matches the issue's number only.

    Args:
        tree: the query.
        texts: the issue's title, description, comments, …; a phrase lies within one of them.
        issue_id: the tracker's number or key.
    """
    from crawler.query.matching import Texts  # word lists are loaded by whoever asks a question

    return Texts(texts, issue_id).match(tree)
