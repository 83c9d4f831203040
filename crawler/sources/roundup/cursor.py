"""Where a search in Roundup stands between two pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from crawler.cursor import Cursor


class RoundupCursor(Cursor, frozen=True, kw_only=True, tag="roundup"):
    """Issues come by falling number in pages, which shift when one of them is retired."""

    page: Annotated[int, Meta(ge=1)] = 1  # the next one to ask for
    below: int | None = None  # only issues with a smaller number are new
    total: int | None = None  # what the last page said
    product: str | None = None  # the id of the product
    seen: Annotated[int, Meta(ge=0)] = 0  # references given so far
