"""XML read as it comes, by expat: no tree, no entities, nothing fetched, no recursion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from xml.parsers import expat

from crawler.files.source import TooMuch

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
    parser.StartElementHandler = lambda name, attributes: handler.start(
        name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: handler.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = handler.text
    while block := read(1 << 16):
        parser.Parse(block, False)
    parser.Parse(b"", True)


def _refuse(*_: object) -> None:
    raise TooMuch("declares entities, which no real document does")
