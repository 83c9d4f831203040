"""Say a query in the language of Trac's custom query, whose every condition is a parameter of `/query`.

Trac matches text field by field, conditions on several fields are only ever AND-ed, and it cannot ask for the
text of comments at all. A word is therefore not sent: Trac answers with all tickets that the rest of the
question allows, which is never too few, and the words are applied to the fetched tickets. Its full-text
search is no way out: it looks at wiki markup, not at text, and on SQLite folds the case of ASCII only.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from crawler.query import Occur, Tree

LAST = 2_147_483_647  # the largest number that a database behind Trac gives to a ticket
_UNUSED = 2_000_000_000  # from here on up no tracker has tickets
_OPERATORS = "!~^$"
_MOST_BYTES = 6000  # of a list of numbers, within an address that has more to say
_COMMA = len("%2C")
_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)


class Numbers(Struct, frozen=True, kw_only=True):
    """Which tickets a query is about, as far as their numbers say."""

    only: frozenset[int] | None = None  # None: any
    without: frozenset[int] = frozenset()
    exact: bool = True  # whether the numbers are the whole query

    def text(self) -> str:
        """The condition as Trac writes it, empty where there is none."""
        if self.only is not None:
            return "id=" + ",".join(str(number) for number in sorted(self.only - self.without))
        return "id=!" + ",".join(str(number) for number in sorted(self.without)) if self.without else ""

    def below(self, end: int) -> tuple[str, int]:
        """The same condition for the tickets before a number, as a list of ranges.

        Returns:
            the list, and the number from where on it holds: above 1 where all of it would be too long for the
            address of a page, which servers take up to 8 KiB of.
        """
        if self.only is not None:
            numbers = sorted(number for number in self.only - self.without if number < end)
            ranges = [(number, number) for number in numbers]
        else:
            ranges = list(_ranges(sorted(number for number in self.without if number < end), end))
        kept: list[str] = []
        room = _MOST_BYTES
        for first, last in reversed(ranges):
            words = str(first) if first == last else f"{first}-{last}"
            room -= len(words) + _COMMA
            if room < 0:
                return ",".join(reversed(kept)), last + 1
            kept.append(words)
        return ",".join(reversed(kept)), 1

    def allow(self, number: int) -> bool:
        """Whether a ticket is meant."""
        return number not in self.without and (self.only is None or number in self.only)


def _ranges(holes: list[int], end: int) -> Iterable[tuple[int, int]]:
    start = 1
    for hole in [*holes, end]:
        if start < hole:
            yield start, hole - 1
        start = hole + 1


def numbers_of(query: Tree | None) -> Numbers:
    """Find what a query says about numbers; whatever else it says makes the answer inexact."""
    clauses = () if query is None else query.clauses
    numbers = {
        occur: [int(clause.text) for clause in clauses if clause.number and clause.occur is occur]
        for occur in Occur
    }
    words = {clause.occur for clause in clauses if not clause.number}
    without = frozenset(number for number in numbers[Occur.MUST_NOT] if number <= LAST)
    must, should = numbers[Occur.MUST], numbers[Occur.SHOULD]
    exact = not words and not (must and should)
    only: frozenset[int] | None = None
    if must:
        only = frozenset(must) if len(set(must)) == 1 else frozenset()
    elif should and words <= {Occur.MUST_NOT}:
        only = frozenset(should)
    if only is not None:
        only = frozenset(number for number in only if 0 < number <= LAST)
    return Numbers(only=only, without=without, exact=exact)


def conditions(
    numbers: Numbers, *, below: int, components: Sequence[str], since: datetime | None
) -> list[tuple[str, str]]:
    """Write the parameters of `/query` that select tickets.

    For an hour Trac adds to the answer of the very same question those tickets that it gave before, even if
    they do not match any more. A number that no ticket has makes every question a new one.

    Args:
        numbers: what the query says about numbers.
        below: only tickets with a smaller number.
        components: only tickets of one of these; empty: of all.
        since: only tickets that were changed at or after this time; Trac reads ISO 8601 with its offset.
    """
    unused = str(secrets.randbelow(LAST - _UNUSED) + _UNUSED)
    pairs = [("id", ",".join(filter(None, (numbers.below(below)[0], unused))))]
    # A first character of these would be an operator; "begins with" takes what follows as it is.
    mode = "^" if any(name[0] in _OPERATORS for name in components) else ""
    pairs += [("component", mode + name) for name in components]
    if since is not None:
        moment = max(since.astimezone(UTC), _EPOCH)
        pairs.append(("changetime", f"{moment:%Y-%m-%dT%H:%M:%SZ}.."))
    return pairs
