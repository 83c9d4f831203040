"""Say a query in the parameters of Bugzilla's custom search.

It looks for a part of a text, so that a word is sent as the beginning that all its forms have, and a text of
several words as its longest one. Bugzilla then answers with more than was asked for and never with less, as
long as every field is looked at that the query is applied to afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from crawler.query import Clause, Occur, Tree
from crawler.query.matching import stems

_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
_RUN = re.compile(r"[A-Za-z0-9]+")
_DAY = re.compile(r"[0-9-]{1,10}")
_SHORTEST = 3  # characters that are worth a question
_MOST_BYTES = 6000  # of conditions in an address, of which servers take 8 KiB
# Texts of a bug under their names in searches, besides those that an administrator added.
FIELDS = (
    "short_desc", "longdesc", "status_whiteboard", "bug_file_loc", "alias", "op_sys", "rep_platform",
    "resolution", "classification", "qa_contact", "version", "target_milestone", "attachments.filename",
)  # fmt: skip

Parameters = list[tuple[str, str]]


def words_of(query: Tree | None) -> list[tuple[str, ...]]:
    """Groups of texts: a bug that is meant has one text of each group somewhere."""
    clauses = () if query is None else query.clauses
    must = [clause for clause in clauses if clause.occur is Occur.MUST]
    if must:
        return [texts for clause in must if (texts := _texts(clause))]
    should = [_texts(clause) for clause in clauses if clause.occur is Occur.SHOULD]
    if not should or not all(should):
        return []
    return [tuple(dict.fromkeys(text for texts in should for text in texts))]


def _texts(clause: Clause) -> tuple[str, ...]:
    """Texts of which a bug with the clause has one; none where Bugzilla may not see it."""
    if clause.number or _DAY.fullmatch(
        clause.text
    ):  # a deadline is shown, but not everybody may search for it
        return ()
    longest = max(_RUN.findall(clause.text), key=len, default="")
    whole = not clause.phrase and longest == clause.text
    texts = stems(longest.lower()) if whole else [longest]
    if not clause.text.isascii() or min(map(len, texts), default=0) < _SHORTEST:
        return ()
    return tuple(texts)


def conditions(groups: Sequence[Sequence[str]], fields: Sequence[str]) -> Parameters:
    """Write groups of texts; those that do not fit into an address are left out, which only brings more."""
    written: Parameters = []
    number = 1
    room = _MOST_BYTES
    for texts in groups:
        group: Parameters = [(f"f{number}", "OP"), (f"j{number}", "OR")]
        number += 1
        for field in fields:
            for text in texts:
                group += [(f"f{number}", field), (f"o{number}", "substring"), (f"v{number}", text)]
                number += 1
        group.append((f"f{number}", "CP"))
        number += 1
        room -= sum(len(name) + len(value) + 2 for name, value in group)
        if room < 0:
            break
        written += group
    return written


def since_of(moment: datetime) -> str:
    """A time as Bugzilla reads it."""
    shown = max(moment.astimezone(UTC), _EPOCH)
    return f"{shown:%Y-%m-%dT%H:%M:%SZ}"
