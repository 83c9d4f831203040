"""Where a search in Request Tracker stands between two pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class RtCursor(Cursor, frozen=True, kw_only=True, tag="rt"):
    """Tickets come by falling number, so a new one never shifts those that are still to come."""

    below: int | None = None  # the next page starts below this number; None: at the newest ticket
    page: Annotated[int, Meta(ge=1)] = 1  # of what is below; only pages without a ticket are passed over
    queue: int | None = None  # the number of the queue that the product stands for
    seen: Annotated[int, Meta(ge=0)] = 0  # references given so far
