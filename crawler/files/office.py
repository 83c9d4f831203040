"""Documents that are zip archives of XML: of Microsoft Office, of OpenDocument, and of Hangul (hwpx).

Their text is in a handful of elements. To read these as they come takes no memory and follows no reference.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from crawler.files import xml_events
from crawler.files.file_text import MOST_CHARACTERS
from crawler.files.source import TooMuch
from crawler.files.text import tidy
from crawler.files.xml_events import Attributes, Handler

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

ENCRYPTED = 1 << 0  # a flag of a member

_MIMES = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.graphics": "odp",
    "application/hwp+zip": "hwpx",
}
# Which parts have text, in order, and the name of the member that it is shown as.
_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "docx": (
        (r"word/document\d*\.xml", ""),
        (r"word/comments\.xml", "comments"),
        (r"word/(?:foot|end)notes\.xml", "notes"),
        (r"word/(?:header|footer)\d*\.xml", "headers"),
    ),
    "pptx": (
        (r"ppt/slides/slide\d+\.xml", ""),
        (r"ppt/notesSlides/notesSlide\d+\.xml", "notes"),
        (r"ppt/comments/.+\.xml", "comments"),
    ),
    "hwpx": ((r"Contents/section\d+\.xml", ""),),
    "odt": ((r"content\.xml", ""),),
    "odp": ((r"content\.xml", ""),),
}
_MOST = 2 * MOST_CHARACTERS  # of a part; more is not kept anyway
_CELLS = 1 << 26  # characters of the strings that a workbook's cells share


def office_kind(archive: zipfile.ZipFile) -> str | None:
    """What kind of document an archive is; None: none."""
    names = archive.NameToInfo
    if "[Content_Types].xml" in names:
        for name, kind in (("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx")):
            if name in names:
                return kind
        return "pptx" if any(name.startswith("ppt/slides/") for name in names) else None
    if "mimetype" in names and names["mimetype"].file_size < 200:
        return _MIMES.get(archive.read("mimetype").decode("ascii", "replace").strip())
    return None


def read_office(reading: Reading, archive: zipfile.ZipFile, place: Place, kind: str) -> None:
    """Read a document's text."""
    if kind == "xlsx":
        _read_workbook(reading, archive, place)
    elif kind == "ods":
        sheets = _Tables()
        _parse(reading, archive, "content.xml", sheets, place)
        for name, rows in sheets.tables:
            reading.keep_lines(place.within(name), rows)
    else:
        for pattern, member in _PARTS[kind]:
            reading.keep_lines(
                place.within(member) if member else place, _lines(reading, archive, place, pattern, kind)
            )


def _lines(
    reading: Reading, archive: zipfile.ZipFile, place: Place, pattern: str, kind: str
) -> Iterator[tuple[int, str]]:
    number = 0
    for at, name in enumerate(_in_order(archive, pattern), 1):
        words = _Words()
        _parse(reading, archive, name, words, place)
        for slide, line in words.lines:
            number += 1
            yield (at if kind == "pptx" else slide if kind == "odp" else number), line


def _in_order(archive: zipfile.ZipFile, pattern: str) -> list[str]:
    """Parts of that pattern by their numbers, the tenth after the ninth."""
    names = [name for name in archive.NameToInfo if re.fullmatch(pattern, name)]
    return sorted(names, key=lambda name: (int("0" + "".join(re.findall(r"\d", name))[:9]), name))


def _parse(reading: Reading, archive: zipfile.ZipFile, name: str, handler: Handler, place: Place) -> None:
    """Read a part, as far as it can be read."""
    if name not in archive.NameToInfo:
        return
    if archive.NameToInfo[name].flag_bits & ENCRYPTED:
        reading.trouble(place, "is encrypted")
        return
    with reading.guarded(place), archive.open(name) as stream:
        xml_events.parse(reading.inner(stream).read, handler)


class _Words:
    """Paragraphs of any of these formats: their elements are called alike."""

    _PARAGRAPHS = frozenset({"p", "h", "tr", "table-row"})
    _TEXTS = frozenset({"t", "delText"})  # where text stands in Microsoft's and Hangul's formats
    _OPEN = frozenset({"p", "h"})  # and in OpenDocument

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self._line: list[str] = []
        self._depth = 0
        self._left = _MOST
        self._slide = 1
        self._slides = 0
        self._open_document = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "document-content":
            self._open_document = True
        elif name == "page" and self._open_document:
            self._slides += 1
            self._slide = self._slides
        elif name in self._TEXTS or (self._open_document and name in self._OPEN):
            self._depth += 1
        elif name in ("tab", "tc", "table-cell"):
            self._add("\t")
        elif name in ("br", "cr", "line-break", "lineBreak"):
            self._end_line()
        elif name == "s" and self._open_document:
            self._add(" " * min(_number(attributes.get("c"), 1), 100))

    def end(self, name: str) -> None:
        if name in self._TEXTS or (self._open_document and name in self._OPEN):
            self._depth = max(0, self._depth - 1)
        if name in self._PARAGRAPHS:
            self._end_line()

    def text(self, text: str) -> None:
        if self._depth:
            self._add(text)

    def _add(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise TooMuch("has more text than is kept")
        self._line.append(text)

    def _end_line(self) -> None:
        line = tidy("".join(self._line)).replace("\n", " ").strip()
        self._line.clear()
        if line:
            self.lines.append((self._slide, line))


def _read_workbook(reading: Reading, archive: zipfile.ZipFile, place: Place) -> None:
    strings = _Strings()
    _parse(reading, archive, "xl/sharedStrings.xml", strings, place)
    targets = _Relations()
    _parse(reading, archive, "xl/_rels/workbook.xml.rels", targets, place)
    sheets = _Sheets()
    _parse(reading, archive, "xl/workbook.xml", sheets, place)
    for name, relation in sheets.sheets:
        target = targets.targets.get(relation, "").removeprefix("/xl/").removeprefix("xl/")
        cells = _Cells(strings.strings)
        _parse(reading, archive, f"xl/{target}", cells, place.within(name))
        reading.keep_lines(place.within(name), cells.rows)
    for part in _in_order(archive, r"xl/(?:comments\d*|threadedComments/.+)\.xml"):
        words = _Words()
        _parse(reading, archive, part, words, place)
        reading.keep_lines(place.within("comments"), words.lines)


class _Ignoring:
    """Does nothing with what it is told."""

    def start(self, name: str, attributes: Attributes) -> None: ...

    def end(self, name: str) -> None: ...

    def text(self, text: str) -> None: ...


class _Relations(_Ignoring):
    def __init__(self) -> None:
        self.targets: dict[str, str] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if (
            name == "Relationship"
            and attributes.get("TargetMode") != "External"
            and len(self.targets) < 10_000
        ):
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Sheets(_Ignoring):
    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet" and len(self.sheets) < 1_000:
            self.sheets.append((attributes.get("name", ""), attributes.get("id", "")))


class _Strings(_Ignoring):
    """The strings that cells share, without the readings of Japanese words."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._string: list[str] = []
        self._in_text = False
        self._reading = False
        self._left = _CELLS

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "si":
            self._string = []
        self._in_text = name == "t" and not self._reading
        self._reading = self._reading or name == "rPh"

    def end(self, name: str) -> None:
        if name == "si":
            self._left -= 50
            self.strings.append("".join(self._string))
        elif name == "rPh":
            self._reading = False
        self._in_text = False

    def text(self, text: str) -> None:
        if self._in_text:
            self._left -= len(text)
            self._string.append(text)
        if self._left < 0:
            raise TooMuch("has more text in its cells than is read")


class _Cells(_Ignoring):
    """The rows of a sheet, their cells parted by tabs; numbers and dates as the file has them."""

    def __init__(self, strings: list[str]) -> None:
        self.rows: list[tuple[int, str]] = []
        self._strings = strings
        self._row: list[str] = []
        self._number = 0
        self._type = ""
        self._value: list[str] | None = None
        self._left = _MOST

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._number = min(max(_number(attributes.get("r"), self._number + 1), 1), 1 << 30)
            self._row = []
        elif name == "c":
            self._type = attributes.get("t", "")
        elif name in ("v", "t"):
            self._value = []

    def end(self, name: str) -> None:
        if name in ("v", "t") and self._value is not None:
            value, self._value = "".join(self._value), None
            if self._type == "s":
                at = _number(value, -1)
                value = self._strings[at] if 0 <= at < len(self._strings) else ""
            self._left -= len(value)
            if self._left < 0:
                raise TooMuch("has more text than is kept")
            if value:
                self._row.append(tidy(value).replace("\n", " "))
        elif name == "row" and self._row:
            self.rows.append((max(self._number, 1), "\t".join(self._row)))

    def text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)


class _Tables(_Ignoring):
    """The sheets of an OpenDocument spreadsheet. Repeated rows and cells are counted, not repeated."""

    def __init__(self) -> None:
        self.tables: list[tuple[str, list[tuple[int, str]]]] = []
        self._number = 0
        self._repeated = 1
        self._row: list[str] = []
        self._cell: list[str] = []
        self._in_text = 0
        self._left = _MOST

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table" and len(self.tables) < 1_000:
            self.tables.append((attributes.get("name", ""), []))
            self._number = 0
        elif name == "table-row":
            self._row = []
            self._repeated = max(1, _number(attributes.get("number-rows-repeated"), 1))
        elif name in ("table-cell", "covered-table-cell"):
            self._cell = []
        elif name in ("p", "h"):
            self._in_text += 1
            if self._cell:
                self._cell.append(" ")

    def end(self, name: str) -> None:
        if name in ("p", "h"):
            self._in_text -= 1
        elif name == "table-cell" and self._cell:
            self._row.append(tidy("".join(self._cell)).replace("\n", " "))
            self._cell = []
        elif name == "table-row" and self.tables:
            self._number = min(self._number + 1, 1 << 30)
            if self._row:
                self.tables[-1][1].append((self._number, "\t".join(self._row)))
            self._number = min(self._number + self._repeated - 1, 1 << 30)

    def text(self, text: str) -> None:
        if self._in_text > 0:
            self._left -= len(text)
            if self._left < 0:
                raise TooMuch("has more text than is kept")
            self._cell.append(text)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and len(text) < 10 and text.isdecimal() else otherwise
