"""The tree that BeautifulSoup makes on `html.parser`, seen as nodes."""

from __future__ import annotations

from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from bs4.exceptions import ParserRejectedMarkup

from crawler.errors import PageRejected
from crawler.html.prose import Prose
from crawler.html.text import UNSEEN, VERBATIM, Flow, one_line


def read_tree(html: str) -> SoupElement:
    """Read a page.

    Args:
        html: cleaned, and safe to be read.

    Raises:
        PageRejected: it is not readable at all.
    """
    try:
        return SoupElement(BeautifulSoup(html, "html.parser"))
    except (ParserRejectedMarkup, AssertionError, ValueError, RecursionError) as error:
        raise PageRejected("The page cannot be read as HTML.") from error


class SoupElement:
    """One element of a page, or the page itself."""

    __slots__ = ("_tag",)

    def __init__(self, tag: Tag) -> None:
        self._tag = tag

    @property
    def name(self) -> str:
        """The element's name in lower case."""
        return self._tag.name

    @property
    def key(self) -> int:
        """What tells this element from the others of its document."""
        return id(self._tag)

    @property
    def parent(self) -> SoupElement | None:
        """The element around this one."""
        above = self._tag.parent
        return None if above is None or isinstance(above, BeautifulSoup) else SoupElement(above)

    @property
    def following(self) -> SoupElement | None:
        """The next element beside this one."""
        beside = self._tag.find_next_sibling(True)
        return SoupElement(beside) if isinstance(beside, Tag) else None

    def select(self, css: str) -> list[SoupElement]:
        """Every element below this one that matches, in the page's order."""
        return [SoupElement(tag) for tag in self._tag.select(css)]

    def select_one(self, css: str) -> SoupElement | None:
        """The first element below this one that matches."""
        first = self._tag.select_one(css)
        return None if first is None else SoupElement(first)

    def children(self) -> list[SoupElement]:
        """The elements directly below this one."""
        return [SoupElement(child) for child in self._tag.children if isinstance(child, Tag)]

    def attribute(self, name: str) -> str | None:
        """An attribute's value; None where there is no such attribute."""
        value = self._tag.get(name)
        return " ".join(value) if isinstance(value, list) else value

    def replace(self, text: str) -> None:
        """Put a text in the place of this element."""
        self._tag.replace_with(text)

    def text(self) -> str:
        """What a reader sees, with its line breaks."""
        flow = Flow()
        _walk_soup(self._tag, flow)
        return flow.text()

    def prose(self) -> str:
        """The same, with what only the markup tells."""
        flow = Prose()
        _walk_soup(self._tag, flow)
        return flow.text()

    def line(self) -> str:
        """The text on one line."""
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
                if isinstance(flow, Prose):
                    flow.meet(SoupElement(child).attribute)
                flow.enter(child.name)
                above.append((children, child.name))
                children = iter(child.contents)
                first_in_pre = child.name in ("pre", "textarea", "listing")
                continue
        elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
            # The standard drops a line break right after <pre>, html.parser does not.
            flow.words(child[1:] if first_in_pre and child.startswith("\n") else child)
        first_in_pre = False
