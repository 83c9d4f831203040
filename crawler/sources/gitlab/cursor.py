"""Where a search in GitLab stands between two pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class GitLabCursor(Cursor, frozen=True, kw_only=True, tag="gitlab"):
    """Issues come by falling time of creation, so what is new never shifts those that are still to come."""

    before: str | None = None  # only issues that were created until then; None: at the newest
    page: Annotated[int, Meta(ge=1)] = 1  # among these; above 1 where a whole page was created at once
    below: int | None = None  # of the numbers that are asked for, those below this one are still to come
    total: int | None = None  # as the first page told it
