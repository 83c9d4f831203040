"""HTML as a reader sees it; the lines are those of its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.errors import PageRejected
from crawler.files.source import Source
from crawler.files.text import texts, tidy
from crawler.html import LexborDocument

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

_MOST = 8 << 20  # characters that are taken for a page; what is longer is a log that calls itself one


def read_html(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read a page: its text, or the whole of it where it is too large or too deep to be understood."""
    pieces = texts(source)
    begun: list[str] = []
    with reading.guarded(place):
        for piece in pieces:
            begun.append(piece)
            if sum(map(len, begun)) > _MOST:
                break
    html = "".join(begun)
    shown = None if len(html) > _MOST else shown_text(html)
    if shown is None:
        reading.keep(place, (piece for group in (begun, pieces) for piece in group))
    else:
        reading.keep(place, [shown])
    return kind


def shown_text(html: str) -> str | None:
    """The text of a page with its title; None: it cannot be understood safely."""
    try:
        document = LexborDocument(html)
    except PageRejected:
        return None
    found = [document.select_one("title"), document.select_one("body")]
    return tidy("\n".join(node.text() for node in found if node is not None))
