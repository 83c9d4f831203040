"""Whether a list goes on.

The addresses in GitLab's ``Link`` header are those of the host name that its administrators once set, so only
what they say is used. ``X-Total`` is left out above ten thousand rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from crawler.http.link import next_page


def has_more(headers: Mapping[str, str], count: int, size: int) -> bool:
    """Whether there is another page.

    Args:
        headers: of the answer, with lower-case names.
        count: rows of this page.
        size: rows that were asked for.
    """
    if next_page(headers) is not None or headers.get("x-next-page", "").strip():
        return True
    tells = "link" in headers or "x-next-page" in headers
    return count >= size and not tells  # somebody on the way took the headers out


def total_of(headers: Mapping[str, str]) -> int | None:
    """How many rows the whole list has, where GitLab says so."""
    told = headers.get("x-total", "").strip()
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 12 else None
