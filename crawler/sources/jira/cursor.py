"""Where a search in Jira stands between two pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class JiraCursor(Cursor, frozen=True, kw_only=True, tag="jira"):
    """Issues come by falling time of creation, so a new one never shifts those that are still to come."""

    projects: tuple[str, ...] = ()  # the keys of those that the product stands for; empty: all
    last: str | None = None  # the key of the last issue that was given
    created: datetime | None = None  # when it was created
    until: datetime | None = None  # only issues created about then or before; None: all
    start: Annotated[int, Meta(ge=0)] = 0  # of Server: where the next page begins among those
    token: str | None = None  # of Cloud: what the next page is asked with
    total: Annotated[int, Meta(ge=0)] | None = None  # as the first page told it
    looked_up: Annotated[int, Meta(ge=0)] = 0  # of a query of numbers: keys that were asked for
