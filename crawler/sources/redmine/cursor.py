"""Where a search in Redmine stands between two pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class RedmineCursor(Cursor, frozen=True, kw_only=True, tag="redmine"):
    """Issues come by falling number, so a new one never shifts those that are still to come."""

    below: int | None = None  # the next page starts below this number; None: at the newest issue
    project: int | None = None  # the number of the project that the product stands for
    words: bool = False  # whether the numbers are through, and the words of the query are searched for
    offset: Annotated[int, Meta(ge=0)] = 0  # of the search for words, which has no other way to go on
    seen: Annotated[int, Meta(ge=0)] = 0  # references given so far
