"""Where a search in GitHub stands between two pages."""

from __future__ import annotations

from crawler.cursor import Cursor


class GitHubCursor(Cursor, frozen=True, kw_only=True, tag="github"):
    """GitHub names the next page of a list itself; issues that come meanwhile shift nothing there."""

    page: str | None = None  # the address of the next page; None: at the newest issue
    below: int | None = None  # of the numbers that are asked for, those below this one are still to come
