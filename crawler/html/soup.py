"""The second opinion: BeautifulSoup on `html.parser`, which forgives what the standard punishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.html.sanitize import cleaned, closed, guarded

if TYPE_CHECKING:
    from crawler.html.soup_tree import SoupElement


class SoupDocument:
    """A page read by BeautifulSoup on `html.parser`, which forgives what the standard punishes.

    Comments, scripts and text areas that the page never closes are taken for text before it reads, whatever
    `html.parser` of this Python would make of them.

    Args:
        html: the decoded page.

    Raises:
        PageRejected: the page is too large, nested too deeply, or not readable at all.
    """

    def __init__(self, html: str) -> None:
        # Loaded with the first page that needs it: that takes longer than reading thirty pages.
        from crawler.html.soup_tree import read_tree

        self._root = read_tree(closed(cleaned(guarded(html))))

    def select(self, css: str) -> list[SoupElement]:
        """Every element that matches, in the page's order."""
        return self._root.select(css)

    def select_one(self, css: str) -> SoupElement | None:
        """The first element that matches."""
        return self._root.select_one(css)
