"""The second opinion: BeautifulSoup on `html.parser`, which forgives what the standard punishes."""

from __future__ import annotations

from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from bs4.exceptions import ParserRejectedMarkup

from crawler.errors import PageRejected
from crawler.html.sanitize import cleaned, closed, guarded
from crawler.html.text import UNSEEN, VERBATIM, Flow, one_line


class _SoupElement:
    __slots__ = ("_tag",)

    def __init__(self, tag: Tag) -> None:
        self._tag = tag

    @property
    def name(self) -> str:
        return self._tag.name

    @property
    def parent(self) -> _SoupElement | None:
        above = self._tag.parent
        return None if above is None or isinstance(above, BeautifulSoup) else _SoupElement(above)

    @property
    def following(self) -> _SoupElement | None:
        beside = self._tag.find_next_sibling(True)
        return _SoupElement(beside) if isinstance(beside, Tag) else None

    def select(self, css: str) -> list[_SoupElement]:
        return [_SoupElement(tag) for tag in self._tag.select(css)]

    def select_one(self, css: str) -> _SoupElement | None:
        first = self._tag.select_one(css)
        return None if first is None else _SoupElement(first)

    def children(self) -> list[_SoupElement]:
        return [_SoupElement(child) for child in self._tag.children if isinstance(child, Tag)]

    def attribute(self, name: str) -> str | None:
        value = self._tag.get(name)
        return " ".join(value) if isinstance(value, list) else value

    def text(self) -> str:
        flow = Flow()
        _walk_soup(self._tag, flow)
        return flow.text()

    def line(self) -> str:
        return one_line(self.text())


def _walk_soup(root: Tag, flow: Flow) -> None:
    if root.name in VERBATIM:
        flow.enter("pre")
    above: list[tuple[Iterator[object], str]] = []
    children: Iterator[object] = iter(root.contents)
    first_in_pre = root.name == "pre"
    while True:
        child = next(children, None)
        if child is None:
            if not above:
                return
            children, tag = above.pop()
            flow.leave(tag)
            continue
        if isinstance(child, Tag):
            if child.name not in UNSEEN:
                flow.enter(child.name)
                above.append((children, child.name))
                children = iter(child.contents)
                first_in_pre = child.name in ("pre", "textarea", "listing")
                continue
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            # The standard drops a line break right after <pre>, html.parser does not.
            flow.words(child[1:] if first_in_pre and child.startswith("\n") else child)
        first_in_pre = False


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
        try:
            self._soup = BeautifulSoup(closed(cleaned(guarded(html))), "html.parser")
        except (ParserRejectedMarkup, AssertionError, ValueError, RecursionError) as error:
            raise PageRejected("The page cannot be read as HTML.") from error

    def select(self, css: str) -> list[_SoupElement]:
        """Every element that matches, in the page's order."""
        return [_SoupElement(tag) for tag in self._soup.select(css)]

    def select_one(self, css: str) -> _SoupElement | None:
        """The first element that matches."""
        first = self._soup.select_one(css)
        return None if first is None else _SoupElement(first)
