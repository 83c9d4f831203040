"""Where a search in Bugzilla stands between two pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class BugzillaCursor(Cursor, frozen=True, kw_only=True, tag="bugzilla"):
    """Bugs come by falling number, so that a new one never shifts those that are still to come."""

    below: Annotated[int, Meta(ge=0)] | None = (
        None  # the next page starts below this number; None: at the top
    )
    products: tuple[str, ...] = ()  # those that the product stands for; empty: all
