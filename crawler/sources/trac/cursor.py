"""Where a search in Trac stands between two pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor
from crawler.sources.trac.query import LAST


class TracCursor(Cursor, frozen=True, kw_only=True, tag="trac"):
    """Tickets come by falling number, so a new ticket never shifts those that are still to come."""

    below: int = LAST  # the next page starts below this number
    page: Annotated[int, Meta(ge=1)] = 1  # of those below it; beyond 1 only after pages of hidden tickets
    size: Annotated[int, Meta(ge=0)] = 0  # rows of such a page; 0: as many as are wanted
    granted: Annotated[int, Meta(ge=0)] = 0  # rows of the longest page so far
    seen: int = 0  # references given so far
    components: tuple[str, ...] = ()  # those that the product stands for
