"""Compound files: mails of Outlook, documents of Hangul 5; those of old Office programs are not read."""

from __future__ import annotations

import io
import re
import struct
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from crawler.files.compressed import Deflated
from crawler.files.encoding import guess
from crawler.files.html import shown_text
from crawler.files.source import IN_MEMORY, Source, TooMuch
from crawler.files.text import tidy

if TYPE_CHECKING:
    from olefile import OleFileIO

    from crawler.files.reading import Place, Reading

_OLD = {"WordDocument": "doc", "Workbook": "xls", "Book": "xls", "PowerPoint Document": "ppt"}
# Numbers of MAPI's properties. [MS-OXPROPS]
_FIELDS = (("From", "0C1A"), ("To", "0E04"), ("Cc", "0E03"), ("Subject", "0037"))
_BODY, _HTML, _FILE, _FILE_NAMES = "1000", "1013", "3701", ("3707", "3704")
_UNICODE, _BYTES, _BINARY = "001F", "001E", "0102"

_HWP = b"HWP Document File"
_COMPRESSED, _SECRET, _DISTRIBUTED = 1 << 0, 1 << 1, 1 << 2
_PARAGRAPH = 67  # the tag of a record with the text of a paragraph
# Of the characters below 32 these take seven more, which are no text.
_CONTROL = re.compile("[\x01-\x09\x0b\x0c\x0e-\x17].{7}", re.DOTALL)


def read_ole(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read what the streams show it to be."""
    try:
        import olefile
    except ImportError:
        raise TooMuch(
            "is of Outlook, Hangul or an old Office program: "
            "the first two are read once 'ims-crawler[office]' is installed"
        ) from None
    file = source.whole(IN_MEMORY)
    try:
        document = olefile.OleFileIO(file)
    except OSError:
        raise ValueError from None
    if document.exists("__properties_version1.0"):
        _read_message(reading, document, place, [])
        return "msg"
    if document.exists("FileHeader") and document.openstream("FileHeader").read(17) == _HWP:
        _read_hangul(reading, document, place)
        return "hwp"
    if document.exists("EncryptedPackage"):
        raise TooMuch("is encrypted")
    kind = next((old for stream, old in _OLD.items() if document.exists(stream)), "ole")
    reading.trouble(place, "is of an old Office program, whose files are not read")
    return kind


def _read_message(reading: Reading, document: OleFileIO, place: Place, folder: list[str]) -> None:
    reading.keep_lines(place, enumerate(_message_lines(document, folder), 1))
    for name in sorted({path[len(folder)] for path in document.listdir() if path[: len(folder)] == folder}):
        if not name.startswith("__attach_version1.0_"):
            continue
        if not reading.may_open(place) or not reading.member():
            return
        here = [*folder, name]
        names = (_property(document, here, number) for number in _FILE_NAMES)
        inside = place.inside(next((each for each in names if each), ""))
        stream = [*here, f"__substg1.0_{_FILE}{_BINARY}"]
        if document.exists(stream):
            content = document.openstream(stream).read()
            reading.read(reading.inner(io.BytesIO(content), io.BytesIO(content)), inside)
        elif document.exists([*here, f"__substg1.0_{_FILE}000D"]):  # a mail with a mail
            _read_message(reading, document, inside, [*here, f"__substg1.0_{_FILE}000D"])


def _message_lines(document: OleFileIO, folder: list[str]) -> Iterator[str]:
    for field, number in _FIELDS:
        if value := _property(document, folder, number):
            yield f"{field}: {' '.join(value.split())}"
    yield ""
    body = _property(document, folder, _BODY)
    stream = [*folder, f"__substg1.0_{_HTML}{_BINARY}"]
    if not body.strip() and document.exists(stream):
        raw = document.openstream(stream).read()
        body = shown_text(_decoded(raw)) or ""
    yield from body.rstrip("\n").split("\n")


def _property(document: OleFileIO, folder: list[str], number: str) -> str:
    """A text of a message, empty where there is none."""
    stream = [*folder, f"__substg1.0_{number}{_UNICODE}"]
    if document.exists(stream):
        return tidy(document.openstream(stream).read().decode("utf-16-le", "replace"))
    stream = [*folder, f"__substg1.0_{number}{_BYTES}"]
    return tidy(_decoded(document.openstream(stream).read())) if document.exists(stream) else ""


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(guess(raw), "replace")


def _read_hangul(reading: Reading, document: OleFileIO, place: Place) -> None:
    (flags,) = struct.unpack_from("<I", document.openstream("FileHeader").read(), 36)
    if flags & (_SECRET | _DISTRIBUTED):
        raise TooMuch("is encrypted")
    reading.keep_lines(place, enumerate(_hangul_lines(reading, document, bool(flags & _COMPRESSED)), 1))


def _hangul_lines(reading: Reading, document: OleFileIO, compressed: bool) -> Iterator[str]:
    for number in range(1_000):
        stream = ["BodyText", f"Section{number}"]
        if not document.exists(stream):
            return
        content = document.openstream(stream).read()
        packed = Deflated(io.BytesIO(content), len(content), deflated=compressed)
        for record in _records(reading.inner(packed).whole(IN_MEMORY).read()):
            units = array("H", record[: len(record) & ~1])
            text = _CONTROL.sub(lambda found: "\t" if found[0][0] == "\t" else "", "".join(map(chr, units)))
            for line in tidy(text).split("\n"):
                if line.strip():
                    yield line.rstrip()


def _records(content: bytes) -> Iterator[bytes]:
    """The paragraphs' records of a section."""
    at = 0
    while at + 4 <= len(content):
        (head,) = struct.unpack_from("<I", content, at)
        at += 4
        size = head >> 20
        if size == 0xFFF:
            (size,) = struct.unpack_from("<I", content, at)
            at += 4
        if head & 0x3FF == _PARAGRAPH:
            yield content[at : at + size]
        at += size
