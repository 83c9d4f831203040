"""Say a query in JQL.

Jira looks for words in an index of whole words, cut to their stems in the language that its administrator
chose. Our query language also finds a part of a name (``memory`` in ``OutOfMemoryError``), a word in a
field's value, and Korean and Japanese words within others, none of which that index can find. So words are
only sent where the option ``word_index`` asks for it, and are applied to what was fetched anyway.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from crawler.query import Clause, Occur, Tree
from crawler.query.matching import bases, stems

_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_WIDEST = timedelta(hours=26)  # between the clocks of two places at one moment
_WORD = re.compile(r"[a-z]{3,40}|[A-Z][a-z]{2,39}")
_SHORTEST = 3  # letters of a stem that is asked for
# Words that an index of English leaves out, so that asking for one finds nothing.
_STOP_WORDS = frozenset({
    "and", "are", "but", "for", "into", "not", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "was", "will", "with",
})  # fmt: skip


def words_of(query: Tree | None) -> str:
    """The condition for the words that Jira's index knows in each of their forms; empty where it is none."""
    clauses = () if query is None else query.clauses
    must = [word for clause in clauses if clause.occur is Occur.MUST and (word := _word(clause))]
    if any(clause.occur is Occur.MUST for clause in clauses):
        return " AND ".join(must)
    should = [_word(clause) for clause in clauses if clause.occur is Occur.SHOULD]
    if not should or not all(should):
        return ""
    return should[0] if len(should) == 1 else f"({' OR '.join(should)})"


def _word(clause: Clause) -> str:
    """The condition for a plain word in each of its forms; empty where the index may miss one."""
    if clause.number or clause.phrase or not _WORD.fullmatch(clause.text):
        return ""
    word = clause.text.lower()
    begun = stems(word)
    if word in _STOP_WORDS or min(map(len, begun)) < _SHORTEST:
        return ""
    # The index may hold words as they are, or cut to stems in a way of its own: memory as memori.
    whole = [f"text ~ {quoted(each)}" for each in sorted(bases(word))]
    parts = [f"text ~ {quoted(each + '*')}" for each in begun]
    return f"({' OR '.join(whole + parts)})"


def quoted(text: str) -> str:
    """A text as a value of JQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Dates(Struct, frozen=True, kw_only=True):
    """How times are written in JQL.

    Args:
        is_cloud: as milliseconds since 1970, which needs no zone; else as minutes of somebody's clock.
        zone: of the account's profile, by whose clock a Server goes; None: nobody told.
    """

    is_cloud: bool
    zone: ZoneInfo | None = None

    def since(self, moment: datetime) -> str:
        """A time at or shortly before a moment."""
        return self._written(max(moment, _EPOCH), -1)

    def until(self, moment: datetime) -> str:
        """A time at or shortly after a moment."""
        try:
            return self._written(max(moment, _EPOCH), +1)
        except OverflowError:
            return quoted("9999/12/31 00:00")

    def _written(self, moment: datetime, side: int) -> str:
        if self.is_cloud:
            return str(int(moment.timestamp() * 1000) + (side > 0))
        if self.zone is None:
            shown = moment.astimezone(UTC) + side * _WIDEST
        else:
            shown = moment.astimezone(self.zone)
            # An hour that comes twice: whichever Jira takes it for, nothing is to be lost.
            earlier, later = (shown.replace(fold=fold).utcoffset() for fold in (0, 1))
            shown += side * abs((earlier or timedelta()) - (later or timedelta()))
        if side > 0:
            shown += _MINUTE
        return quoted(f"{shown.year:04}/{shown:%m/%d %H:%M}")


def jql(
    dates: Dates,
    *,
    projects: Sequence[str] = (),
    words: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> str:
    """The whole question, the newest issue first."""
    conditions = [words] if words else []
    if projects:
        conditions.append(f"project in ({', '.join(map(quoted, projects))})")
    if since is not None:
        conditions.append(f"updated >= {dates.since(since)}")
    if until is not None:
        conditions.append(f"created <= {dates.until(until)}")
    if not conditions:
        conditions.append("project is not EMPTY")  # Cloud refuses a question without a condition
    return f"{' AND '.join(conditions)} ORDER BY created DESC, key DESC"


def keyed(keys: Sequence[str]) -> str:
    """The question for issues by their keys."""
    return f"key in ({', '.join(map(quoted, keys))})"
