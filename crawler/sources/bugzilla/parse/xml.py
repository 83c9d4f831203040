"""Read Bugzilla's XML of bugs: into elements, and into the bytes of each bug by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from msgspec import Struct, field

from crawler.errors import PageCut, PageRejected

# Bugzilla writes what people typed, and some of that is forbidden in XML.
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_END = b"</bugzilla>"
_DEEPEST = 20


class Element(Struct):
    """An element: its attributes, the words directly in it, and what it has within."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)
    start: int = 0  # of its bytes in the document
    end: int = 0

    def text(self) -> str:
        """The words, without blank space at their ends."""
        return "".join(self.words).strip()

    def each(self, name: str) -> Iterator[Element]:
        """The children of a name."""
        return (child for child in self.children if child.name == name)

    def find(self, name: str) -> str | None:
        """The words of the first child of a name; None: there is none."""
        found = next(self.each(name), None)
        return None if found is None else found.text()


def clean(body: bytes) -> bytes:
    """The document without the characters that XML forbids."""
    return _FORBIDDEN.sub(b"", body)


def read_bugzilla(body: bytes) -> Element:
    """Read a cleaned document.

    Raises:
        PageCut: its end is missing.
        PageRejected: it is no XML of a Bugzilla, or it defines entities.
    """
    if b"<bugzilla" not in body[:4000]:
        raise PageRejected("The answer is no XML of a Bugzilla: it may be a page of an error or of a login.")
    if not body.rstrip().endswith(_END):
        raise PageCut("The answer's XML is cut off: its end is missing.")
    return _Builder().read(body)


def alone(body: bytes, root: Element, bug: Element) -> bytes:
    """The document as it would be with one bug only."""
    first = next(root.each("bug"))
    return body[: first.start] + body[bug.start : bug.end] + b"\n" + _END


class _Builder:
    """Makes elements of what the parser meets; of its own entities a document may have none."""

    def __init__(self) -> None:
        self._open: list[Element] = [Element("")]
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._close
        self._parser.CharacterDataHandler = self._say
        self._parser.EntityDeclHandler = self._refuse

    def read(self, body: bytes) -> Element:
        try:
            self._parser.Parse(body, True)
        except expat.ExpatError as error:
            raise PageRejected(f"The answer's XML is broken in line {error.lineno}.") from None
        (root,) = self._open[0].children
        if root.name != "bugzilla":
            raise PageRejected("The answer is not the XML of a Bugzilla.")
        return root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > _DEEPEST:
            raise PageRejected("The answer's XML is nested too deeply.")
        element = Element(name, attributes, start=self._parser.CurrentByteIndex)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _close(self, name: str) -> None:
        # The parser tells where the end tag begins.
        element = self._open.pop()
        element.end = self._parser.CurrentByteIndex + len(f"</{name}>".encode())

    def _say(self, words: str) -> None:
        self._open[-1].words.append(words)

    def _refuse(self, *_: object) -> None:
        raise PageRejected("The answer's XML defines entities, which Bugzilla's never does.")
