"""Mails: who, when and what about, the text, and the files that came with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesFeedParser
from typing import TYPE_CHECKING

from crawler.files.encoding import guess
from crawler.files.html import shown_text
from crawler.files.plain import decoded_words
from crawler.files.source import Source, TooMuch
from crawler.files.text import texts, tidy
from crawler.http.decode import declared

if TYPE_CHECKING:
    from crawler.files.reading import Place, Reading

_NESTED = 200
_LARGEST = 32 << 20  # bytes; the library holds a mail several times over

FIELDS = ("From", "To", "Cc", "Date", "Subject")


def read_mail(reading: Reading, source: Source, place: Place, kind: str) -> str:
    """Read a mail as mail programs save it; a whole mailbox is read as the text that it is."""
    if source.head.startswith(b"From "):
        reading.keep(place, map(decoded_words, texts(source)))
        return kind
    parser = BytesFeedParser()
    nested = read = 0
    while block := source.read(1 << 16):
        # Each line is held against the ends of all parts around it.
        nested += block.lower().count(b"boundary=") + block.lower().count(b"message/rfc822")
        if nested > _NESTED:
            raise TooMuch(f"has more than {_NESTED} mails or parts with parts in it")
        read += len(block)
        if read > _LARGEST:
            raise TooMuch(f"is a mail of more than {_LARGEST >> 20} MB")
        parser.feed(block)
    mail = parser.close()
    parts = [part for part in mail.walk() if not part.is_multipart()]
    bodies = [part for part in parts if _is_body(part)]
    # A mail says the same twice, as text and as HTML, for programs that cannot show the one.
    plain = [part for part in bodies if part.get_content_type() == "text/plain"] or bodies
    reading.keep_lines(place, enumerate(_lines(mail, plain), 1))
    for part in parts:
        name = part.get_filename()
        if part in bodies or name is None:
            continue
        if not reading.may_open(place) or not reading.member():
            break
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            inside = place.inside(decoded_words(str(name)))
            reading.read(reading.inner(io.BytesIO(content), io.BytesIO(content)), inside)
    return kind


def _is_body(part: Message) -> bool:
    return (
        part.get_content_type() in ("text/plain", "text/html")
        and part.get_filename() is None
        and part.get_content_disposition() != "attachment"
    )


def _lines(mail: Message, bodies: list[Message]) -> Iterator[str]:
    headers = {name.title(): value for name, value in reversed(list(mail.raw_items()))}  # the first counts
    for field in FIELDS:
        if field in headers:
            yield f"{field}: {' '.join(tidy(decoded_words(_header(headers[field]))).split())}"
    for body in bodies:
        yield ""
        yield from tidy(_text(body)).rstrip("\n").split("\n")


def _header(value: object) -> str:
    """A header as it came, which may be in no encoding at all."""
    raw = str(value).encode("utf-8", "surrogateescape")
    return raw.decode(guess(raw) if _is_no_utf_8(raw) else "utf-8", "replace")


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    told = declared(b"", str(part.get("Content-Type", "")))
    codec = told[0] if told and told[0] != "cp1252" else "utf-8"
    if codec == "utf-8" and _is_no_utf_8(content):
        codec = guess(content)
    text = content.decode(codec, "replace")
    return (shown_text(text) or "") if part.get_content_type() == "text/html" else text


def _is_no_utf_8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False
