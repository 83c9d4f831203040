"""Files that are text as they stand: logs, patches, tables, and JSON and XML, whose escapes only are undone.

XML is never parsed here, so that there are no entities to be expanded.
"""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header
from typing import TYPE_CHECKING

from crawler.files.source import Source
from crawler.files.text import normal, texts

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

_UNICODE_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*")
_REFERENCE = re.compile(r"&(?:#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}))|(lt|gt|amp|quot|apos));")
_ENCODED_WORD = re.compile(r"=\?[\w.:+-]{2,40}\?[bBqQ]\?[^?\s]{1,300}\?=(?:\s{1,5}(?==\?))?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def read_plain(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read a text; its lines are those of the file."""
    pieces = texts(source, patch=kind == "patch")
    if kind == "json" or place.name.lower().endswith(".properties"):
        pieces = (_without_escapes(piece) for piece in pieces)
    elif kind == "xml":
        pieces = (_without_references(piece) for piece in pieces)
    elif kind == "patch":
        pieces = (_without_encoded_words(piece) for piece in pieces)
    reading.keep(place, pieces)
    return kind


def _without_escapes(text: str) -> str:
    """JSON's and Java's `\\uc624` as what it means, where that is no control character and no ASCII."""
    if "\\u" not in text:
        return text

    def meant(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - 100) : found.start()]
        if (len(before) - len(before.rstrip("\\"))) % 2:  # it is the backslash that is escaped
            return found[0]
        word = bytes.fromhex(found[0].replace("\\u", "")).decode("utf-16-be", "replace")
        return word if word.isprintable() and not word.isascii() else found[0]

    return _UNICODE_ESCAPE.sub(meant, text)


def _without_references(text: str) -> str:
    if "&" not in text:
        return text

    def meant(found: re.Match[str]) -> str:
        if found[3]:
            return _NAMED[found[3]]
        number = int(found[1]) if found[1] else int(found[2], 16)
        character = chr(number) if number < 0x110000 else "\ufffd"
        return character if character.isprintable() else " "

    return _REFERENCE.sub(meant, text)


def _without_encoded_words(text: str) -> str:
    return decoded_words(text) if "=?" in text else text


def decoded_words(text: str) -> str:
    """A text whose encoded words, as mails have them in their headers, are read."""

    def meant(found: re.Match[str]) -> str:
        word = found[0].strip()
        try:
            [(raw, charset)] = decode_header(word)
            told = raw.decode(charset or "ascii", "replace") if isinstance(raw, bytes) else raw
        except (LookupError, ValueError, HeaderParseError):
            return found[0]
        return normal(told).replace("\n", " ")

    return _ENCODED_WORD.sub(meant, text)
