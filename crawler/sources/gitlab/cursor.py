"""Where a search in GitLab stands between two pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class GitLabCursor(Cursor, frozen=True, kw_only=True, tag="gitlab"):
    """Issues come by falling time of creation, so a new one never shifts those that are still to come."""

    until: datetime | None = None  # the next page starts with what was created then; None: at the newest
    known: tuple[int, ...] = ()  # numbers of those created then that were given already
    offset: Annotated[int, Meta(ge=0)] = 0  # rows to pass over, where a whole page was created then
    below: int | None = None  # of the numbers that are asked for, those below this one are still to come
    seen: Annotated[int, Meta(ge=0)] = 0  # references given so far
