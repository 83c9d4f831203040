"""XML read as it comes, by expat: no tree, no entities, nothing fetched, no recursion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from xml.parsers import expat

from crawler.files.source import TooMuch

_LONGEST_TAG = 1 << 20  # bytes
_DEEPEST = 1_000  # elements within each other

Attributes = Mapping[str, str]


class Handler(Protocol):
    """What is told of an XML document. Names are without their namespaces."""

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""
        ...

    def end(self, name: str) -> None:
        """An element ends."""
        ...

    def text(self, text: str) -> None:
        """Characters between."""
        ...


def parse(read: Callable[[int], bytes], handler: Handler) -> None:
    """Tell a handler of a document.

    Raises:
        ExpatError: it is no XML.
        TooMuch: it declares entities, which no document of an Office program does, or the handler has enough.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.EntityDeclHandler = _refuse
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise TooMuch("nests its elements deeper than any real one")
        handler.start(
            name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        )

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(name.rpartition(" ")[2])

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    fed = 0
    while block := read(1 << 16):
        parser.Parse(block, False)
        fed += len(block)
        # Each block of a tag that does not end would cost as much as all before it.
        if fed - parser.CurrentByteIndex > _LONGEST_TAG:
            raise TooMuch("has a tag that is longer than any real one")
    parser.Parse(b"", True)


def _refuse(*_: object) -> None:
    raise TooMuch("declares entities, which no real document does")
