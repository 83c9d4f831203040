"""Bytes of a text, in any encoding or several, as text that can be stored and shown."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from crawler.files.encoding import guess
from crawler.files.source import HEAD, Source
from crawler.http.decode import declared

_GLANCE = 2_000  # bytes that tell whether lines are in the same encoding as those before
_MOST_SECTIONS = 5_000  # of a patch, each of which may have an encoding of its own
_NOT_ASCII = bytes(range(0x80, 0x100))
_LONGEST_KEPT_BACK = 1 << 16  # bytes of a line that has not ended
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)|[ -/]{1,4}[0-~]|[0-Z\\^-~])"
)
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\0\a\t\n\r\x1b") + b"\x7f"
_WITHOUT_CONTROLS = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_WIDE_CONTROLS = re.compile("[\x01-\x06\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_SECTION = re.compile(rb"^(?:diff |Index: |--- |From [0-9a-f]{40} )", re.MULTILINE)  # of a patch


def texts(source: Source, *, patch: bool = False) -> Iterator[str]:
    """The text piece by piece, whole lines where they are not too long.

    Args:
        source: of a text.
        patch: whether each file in it may have an encoding of its own.
    """
    head = source.head
    codec = wide_codec(head)
    cr = b"\n" not in head and codec is None  # as old Macs wrote it; elsewhere it goes back in the line
    pieces = _wide_texts(source, codec) if codec else _narrow_texts(source, _Narrow(head, patch))
    first = True
    for piece in pieces:
        text = piece.removeprefix("\ufeff") if first else piece
        first = False
        yield normal(text, "\n" if cr else " ")


def normal(text: str, instead_of_cr: str = " ") -> str:
    """Text with line feeds only, without escape sequences, NUL and lone surrogates."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", instead_of_cr)
    if "\x1b" in text:
        text = _ESCAPE.sub("", text).replace("\x1b", "")
    return text.replace("\0", "").replace("\a", "")


def tidy(text: str) -> str:
    """Text that did not come by :func:`texts`, as that gives it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _WIDE_CONTROLS.sub(" ", normal(text))


def wide_codec(head: bytes) -> str | None:
    """The encoding of several bytes for each character, where this is one; with or without its mark."""
    for mark, codec in _MARKS.items():
        if head.startswith(mark):
            return None if codec == "utf-8" else codec
    if b"\0" not in head:
        return None
    pairs = head[: len(head) & ~1]
    first, second = pairs[0::2].count(0), pairs[1::2].count(0)
    if second > 4 * first and _is_likely(pairs.decode("utf-16-le", "replace"), second):
        return "utf-16-le"
    if first > 4 * second and _is_likely(pairs.decode("utf-16-be", "replace"), first):
        return "utf-16-be"
    return None


def _is_likely(text: str, zeros: int) -> bool:
    """Whether a text has letters of few alphabets, and hardly anything that stands in no text.

    Args:
        text: to be judged.
        zeros: how many of its characters have a byte of zero.
    """
    pages = Counter(ord(character) >> 8 for character in text)
    # Two letters of ASCII would be one of these, should the zeros be a few in a text of single bytes.
    packed = sum(0x20 <= ord(each) >> 8 < 0x7F and 0x20 <= ord(each) & 0xFF < 0x7F for each in text)
    controls = sum(text.count(chr(each)) for each in range(32) if chr(each) not in "\t\n\r\f\x1b")
    odd = controls + text.count("\ufffd") + sum(pages[page] for page in range(0xD8, 0xF9))
    alphabets = sum(not 0x4E <= page < 0xD8 for page in pages)
    return (
        zeros > 4
        and 50 * odd <= len(text)
        and alphabets <= 12
        and 10 * packed < 7 * (len(text) - zeros) + zeros
    )


def _wide_texts(source: Source, codec: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)("replace")
    rest = ""
    while block := source.read():
        *whole, rest = (rest + decoder.decode(block)).rpartition("\n")
        if len(rest) > _LONGEST_KEPT_BACK:
            whole, rest = [*whole, rest], ""
        if any(whole):
            yield _WIDE_CONTROLS.sub(" ", "".join(whole))
    if rest := rest + decoder.decode(b"", True):
        yield _WIDE_CONTROLS.sub(" ", rest)


def _narrow_texts(source: Source, narrow: _Narrow) -> Iterator[str]:
    rest = b""
    while block := source.read():
        if not rest and not block.strip(b"\0"):  # a hole: a log that was cut while it was written
            continue
        block = (rest + block).translate(_WITHOUT_CONTROLS, b"\0")
        end = block.rfind(b"\n") + 1
        if len(block) - end > _LONGEST_KEPT_BACK:
            end = _before_half_a_character(block)
        rest = block[end:]
        if end:
            yield narrow.decode(block[:end])
    if rest:
        yield narrow.decode(rest)


def _before_half_a_character(block: bytes) -> int:
    """Where to cut a line that is too long: behind a blank or sign if one is near, else as UTF-8 has it."""
    near = max(0, len(block) - 1000)
    end = near + len(block[near:].rstrip(bytes(range(0x40, 0x100))))
    if end > near:
        return end
    at = len(block)
    while at > near and block[at - 1] & 0xC0 == 0x80:
        at -= 1
    return at - 1 if at > near + 1 and block[at - 1] >= 0xC0 else len(block)


class _Narrow:
    """Decodes what has ASCII in it as it stands: each line as UTF-8, else in the encoding of its like."""

    def __init__(self, head: bytes, patch: bool) -> None:
        self._sections = _MOST_SECTIONS if patch else 0
        self._before: str | None = None
        self._sure: str | None = None
        if b"\x1b$" in head:
            self._sure = "iso2022_jp"
        elif head.lstrip()[:5] in (b"<?xml", b"<!DOC", b"<html", b"<HTML"):
            # Latin-1 is what editors declare of what they do not know.
            told = [codec for codec in declared(head) if codec != "cp1252" and not codec.startswith("utf-")]
            self._sure = next((codec for codec in told if _fits(head, codec)), None)

    def decode(self, block: bytes) -> str:
        if self._sure is not None:
            return block.decode(self._sure, "replace")
        try:
            return block.decode()
        except UnicodeDecodeError:
            pass
        if self._sections <= 0:
            return self._decode_section(block)
        starts = [0, *(found.start() for found in _SECTION.finditer(block)), len(block)]
        self._sections -= len(starts)
        return "".join(self._decode_section(block[start:end]) for start, end in pairwise(starts))

    def _decode_section(self, block: bytes) -> str:
        lines: list[str | bytes] = []
        others: list[bytes] = []
        mixed = False
        for line in block.split(b"\n"):
            try:
                lines.append(line.decode())
                mixed = mixed or not line.isascii()
            except UnicodeDecodeError:
                lines.append(line)
                others.append(line)
        if not others:
            return block.decode()
        foreign = b"\n".join(others)
        # The first lines tell which encoding it is; later ones are looked at only whether it still is.
        codec = self._before = guess(foreign[: _GLANCE if self._before else None], self._before)
        if not mixed and not _is_nearly_utf_8(foreign):
            try:
                return block.decode(codec)
            except UnicodeDecodeError:
                pass
        return "\n".join(line if isinstance(line, str) else _decode_line(line, codec) for line in lines)


def _decode_line(line: bytes, codec: str) -> str:
    """A line that is no UTF-8: in the encoding of its like, unless it is UTF-8 with a bad place or two."""
    if _is_nearly_utf_8(line):
        return line.decode("utf-8", "replace")
    try:
        return line.decode(codec)
    except UnicodeDecodeError:
        readings = [line.decode(each, "replace") for each in (codec, guess(line[:_GLANCE], codec))]
        return min(readings, key=lambda reading: reading.count("\ufffd"))


def _is_nearly_utf_8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    foreign = len(text) - len(data.translate(None, _NOT_ASCII))
    return foreign > 4 * text.count("\ufffd")


def _fits(head: bytes, codec: str) -> bool:
    text = head[: HEAD - 8].decode(codec, "replace")
    return 100 * text.count("\ufffd") <= len(text)
