"""PDF, by PDFium: each line is numbered with its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crawler.files.source import IN_MEMORY, Source, TooMuch
from crawler.files.text import tidy

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

    from crawler.files.reading import Place, Reading

_PAGES = 5_000
_ENCRYPTED = (4, 5)  # PDFium's codes: a password is wanted, a way of encryption that it does not know


def read_pdf(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read a document's pages."""
    try:
        import pypdfium2 as pdfium
    except ImportError:
        raise TooMuch("is a PDF: its text is read once 'ims-crawler[office]' is installed") from None
    try:
        document = pdfium.PdfDocument(source.whole(IN_MEMORY))
    except pdfium.PdfiumError as error:
        encrypted = getattr(error, "err_code", None) in _ENCRYPTED
        raise TooMuch("is encrypted" if encrypted else "is a PDF that cannot be read") from None
    try:
        reading.keep_lines(place, _lines(reading, document, place))
    finally:
        document.close()
    return kind


def _lines(reading: Reading, document: PdfDocument, place: Place) -> Iterator[tuple[int, str]]:
    from pypdfium2 import PdfiumError

    for number in range(min(len(document), _PAGES)):
        reading.check()
        try:
            page = document[number]
            words = page.get_textpage()
            text = words.get_text_bounded()
            words.close()
            page.close()
        except PdfiumError:
            reading.trouble(place, f"has pages that cannot be read, as page {number + 1}")
            continue
        for line in tidy(text).split("\n"):
            if line.strip():
                yield number + 1, line.rstrip()
    if len(document) > _PAGES:
        raise TooMuch(f"has more than {_PAGES:,} pages")
