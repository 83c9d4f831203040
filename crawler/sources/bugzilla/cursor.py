"""Where a search in Bugzilla stands between two pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor

LOOKED_UP = 200  # numbers in one address


class BugzillaCursor(Cursor, frozen=True, kw_only=True, tag="bugzilla"):
    """Bugs come by falling number, so that a new one never shifts those that are still to come."""

    below: Annotated[int, Meta(ge=0)] | None = (
        None  # the next page starts below this number; None: at the top
    )
    products: tuple[str, ...] = ()  # those that the product stands for; empty: all


def below_which(found: Iterable[int], asked: Sequence[int] | None) -> int | None:
    """The number below which the next page starts; None: there is none.

    Args:
        found: the numbers on this page.
        asked: those that were looked up, by falling number; None: it is a page of a list.
    """
    floor = min(found, default=None)
    if asked and floor is None and len(asked) == LOOKED_UP:
        return asked[-1]  # these are hidden or none, and others are still to be looked up
    # Nothing is below bug 1. That a page is not full says nothing: Bugzilla may have its own limit.
    return None if floor == 1 else floor
