"""A small document interface with two engines that read the same text from the same page.

`LexborDocument` is the fast one, `SoupDocument` the second opinion for pages that the first one gets wrong.
Parsers are written against `Document` and `Node` and do not know which of the two they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from crawler.html.lexbor import LexborDocument
from crawler.html.soup import SoupDocument

__all__ = ["Document", "LexborDocument", "Node", "SoupDocument"]


class Node(Protocol):
    """One element of a page."""

    @property
    def name(self) -> str:
        """The element's name in lower case."""
        ...

    @property
    def key(self) -> int:
        """What tells this element from the others of its document."""
        ...

    @property
    def parent(self) -> Node | None:
        """The element around this one."""
        ...

    @property
    def following(self) -> Node | None:
        """The next element beside this one."""
        ...

    def select(self, css: str) -> Sequence[Node]:
        """Every element below this one that matches, in the page's order."""
        ...

    def select_one(self, css: str) -> Node | None:
        """The first element below this one that matches."""
        ...

    def children(self) -> Sequence[Node]:
        """The elements directly below this one."""
        ...

    def attribute(self, name: str) -> str | None:
        """An attribute's value, empty where it has none; None where there is no such attribute."""
        ...

    def replace(self, text: str) -> None:
        """Put a text in the place of this element, which is of no further use."""
        ...

    def text(self) -> str:
        """What a reader sees, with its line breaks, `<pre>` as it stands; scripts and comments left out."""
        ...

    def prose(self) -> str:
        """The text with what only its markup tells, see :mod:`crawler.html.prose`: of what people wrote."""
        ...

    def line(self) -> str:
        """The text on one line."""
        ...


class Document(Protocol):
    """A page, read by one of the engines."""

    def select(self, css: str) -> Sequence[Node]:
        """Every element that matches, in the page's order."""
        ...

    def select_one(self, css: str) -> Node | None:
        """The first element that matches."""
        ...
