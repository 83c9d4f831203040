"""From bytes to text, where neither header nor page can be trusted to name the encoding.

Strict UTF-8 comes first, because hardly any other text is valid UTF-8 by accident; then what is declared. A
charset of one byte a character decodes anything, so that its declaration proves nothing: web servers put
ISO-8859-1 into the header of pages of which they know nothing. It counts only where the bytes are no
plausible Korean or Japanese. A page that fits no encoding whole, such as one with half a character at the end
of a text that was cut, is read in the one that it fits best.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

# Declarations are read in a page's beginning only; browsers look at the first 1,024 bytes.
_HEAD = 4096
_CHUNK = 1 << 20  # bytes of a large page that are looked at together
_HEADER = re.compile(r"charset\s*+=\s*+(?:[\"']\s*+)?+([\w.:+-]{2,40})", re.IGNORECASE)
_META = re.compile(
    rb"<meta\s[^>]{0,300}?charset\s*+=\s*+(?:[\"']\s*+)?+([\w.:+-]{2,40})"
    rb"|<\?xml\s[^>]{0,100}?encoding\s*=\s*[\"']([\w.:+-]{2,40})",
    re.IGNORECASE,
)
# As in the WHATWG Encoding Standard a name means the superset that is really in use.
_CODECS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "utf-16-le": "utf-16 utf-16le",
    "utf-16-be": "utf-16be",
    "cp949": "euc-kr euckr cp949 ms949 uhc windows-949 ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean",
    "cp932": "shift_jis shift-jis sjis x-sjis cp932 ms932 windows-31j ms_kanji csshiftjis",
    "euc_jp": "euc-jp eucjp x-euc-jp",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "gb18030": "gb18030 gb2312 gbk cp936 x-gbk euc-cn",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5",
    "cp1252": "iso-8859-1 iso8859-1 latin1 latin-1 us-ascii ascii windows-1252 cp1252",
    "cp1254": "windows-1254 cp1254 iso-8859-9",
}
_BY_LABEL = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
# Python's codecs that are no encodings of pages, or can be made slow by what they are fed.
_NO_CHARSETS = frozenset(
    {"hz", "idna", "mbcs", "oem", "palmos", "punycode", "raw_unicode_escape", "rot_13", "tactis"}
    | {"undefined", "unicode_escape", "utf_7"}
)
_GUESSES = ("cp949", "cp932", "euc_jp")
_KOREAN = frozenset(
    bytes((lead, trail)).decode("euc_kr") for lead in range(0xB0, 0xC9) for trail in range(0xA1, 0xFF)
)
# In texts of either language, and told by neither: ideographs, and the punctuation of both.
_NEUTRAL = re.compile(
    "[\u00a0-\u00bf\u00d7\u2010-\u22ff\u2460-\u27bf\u3000-\u303f\u3200-\u33ff\u4e00-\u9fff\uff01-\uff5e\uffe0-\uffe6]"
)
_FEW = 4  # letters that tell a language for each place that does not fit, where a reading is to be believed


class Decoded(Struct, frozen=True):
    """A text and how it was read."""

    text: str  # without a byte order mark
    encoding: str  # Python's name of the codec
    replaced: int = 0  # how many places could not be read and became U+FFFD
    guessed: bool = False  # nothing declared this encoding

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful about the text, a sentence each."""
        told = []
        if self.guessed:
            told.append(f"The page does not say that it is {self.encoding}: that was guessed from its bytes.")
        if self.replaced:
            places = "1 place" if self.replaced == 1 else f"{self.replaced} places"
            told.append(f"{places} of the page could not be decoded.")
        return tuple(told)


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Read a page in the encoding that it fits best.

    Args:
        body: the page's bytes, inflated.
        content_type: the Content-Type header, if there was one.

    Returns:
        The text. It never fails: what cannot be read is replaced and counted.
    """
    if _may_differ_from_ascii(body):
        for codec in _not_like_ascii(body, content_type):
            text = body.decode(codec, "replace").removeprefix("\ufeff")
            replaced = text.count("\ufffd")
            if _FEW * replaced <= len(text):
                return Decoded(text, codec, replaced)
    try:
        return Decoded(body.decode().removeprefix("\ufeff"), "utf-8")
    except UnicodeDecodeError:
        told = _told(body, content_type)
    for codec in _proving(told):
        try:
            return Decoded(body.decode(codec), codec)
        except UnicodeDecodeError:
            continue
    best, guessed = _best([body], told)
    text = body.decode(best.codec, "replace").removeprefix("\ufeff")
    return Decoded(text, best.codec, best.replaced, guessed)


def examine(body: bytes, content_type: str | None = None) -> Decoded:
    """Tell how a page is to be read, as :func:`decode` does; its text, which may be four times as large, is
    left out.

    Args:
        body: the page's bytes, inflated.
        content_type: the Content-Type header, if there was one.
    """
    if _may_differ_from_ascii(body):
        decoded = replace(decode(body, content_type), text="")
        if not is_like_ascii(decoded.encoding):
            return decoded
    chunks = list(_chunks(body))
    told = _told(body, content_type)
    for codec in ("utf-8", *_proving(told)):
        if all(_fits(chunk, codec) for chunk in chunks):
            return Decoded("", codec)
    best, guessed = _best(chunks, told)
    return Decoded("", best.codec, best.replaced, guessed)


def is_like_ascii(codec: str) -> bool:
    """Whether ASCII characters are single bytes, and those of marks and controls no part of another one.

    Args:
        codec: Python's name, as :func:`decode` tells it.
    """
    return not codec.startswith(("utf-16", "utf-32", "utf_16", "utf_32", "iso2022")) and (
        b"<\n>".decode(codec, "replace") == "<\n>"
    )


def _chunks(body: bytes) -> Iterator[memoryview]:
    """A body in pieces, cut where no character is cut."""
    start = 0
    while start < len(body):
        end = body.find(b"<", start + _CHUNK)
        end = len(body) if end < 0 else end
        yield memoryview(body)[start:end]
        start = end


def _fits(chunk: memoryview, codec: str) -> bool:
    try:
        str(chunk, codec)
    except UnicodeDecodeError:
        return False
    return True


def _may_differ_from_ascii(body: bytes) -> bool:
    # One byte is found ten times as fast as two, and hardly any page has this one.
    may_switch = b"\x1b" in body and b"\x1b$" in body
    return may_switch or body.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in body[:_HEAD]


def _not_like_ascii(body: bytes, content_type: str | None) -> Iterator[str]:
    """The encodings in which ASCII letters are other bytes, or ASCII bytes other letters; they are told."""
    if body.startswith(b"\xff\xfe"):
        yield "utf-16-le"
    elif body.startswith(b"\xfe\xff"):
        yield "utf-16-be"
    zeros = 4 * body.count(b"\0", 0, _HEAD) > min(len(body), _HEAD)
    for codec in declared(body, content_type):
        if (zeros and codec.startswith("utf-16")) or codec.startswith("iso2022"):
            yield codec


class _Reading(Struct, frozen=True):
    """A page in one encoding, and how well that fits."""

    codec: str
    replaced: int
    telling: int  # letters of Korean or Japanese
    odd: int  # characters that hardly stand in a text of those languages
    foreign: int  # all that are not ASCII

    def is_plausible(self, share: float) -> bool:
        """Whether at least this share of its letters tells a language, and little speaks against that."""
        enough = max(self.odd + 1, self.replaced * _FEW, share * (self.foreign - self.replaced))
        return self.telling >= enough

    @property
    def rank(self) -> float:
        return (self.telling - self.odd - _FEW * self.replaced) / max(self.foreign, 1)


def _told(body: bytes, content_type: str | None) -> list[str]:
    """What is declared, but for Unicode, which is looked at anyway."""
    return [codec for codec in declared(body, content_type) if not codec.startswith("utf-")]


def _proving(told: Sequence[str]) -> list[str]:
    return [codec for codec in told if not _decodes_anything(codec)]


def _best(chunks: Sequence[bytes | memoryview], told: Sequence[str]) -> tuple[_Reading, bool]:
    """How a page is read that fits none whole, and whether nothing declared that."""
    proving = _proving(told)
    readings = {codec: _reading(chunks, codec) for codec in dict.fromkeys((*proving, "utf-8", *_GUESSES))}
    # Latin-1 is what servers declare of what they do not know; who declares another one has meant it.
    meant = any(_decodes_anything(codec) and codec != "cp1252" for codec in told)
    best = _believed(readings, proving, 0.4 if meant else 0.2)
    if best is None and told and not proving:
        best = _reading(chunks, told[0])
    if best is None:
        best = min(readings.values(), key=lambda reading: (reading.replaced, reading.odd))
    return best, best.codec != "utf-8" and best.codec not in told


def _believed(readings: dict[str, _Reading], proving: list[str], share: float) -> _Reading | None:
    """The reading to be believed although it does not fit whole, or was not declared."""
    unicode = readings["utf-8"]
    # Several bytes that fit together by the rules of UTF-8 are hardly ever an accident.
    if unicode.foreign - unicode.replaced > 2 * unicode.replaced:
        return unicode
    fitting = [readings[codec] for codec in proving]
    fitting = [reading for reading in fitting if _FEW * reading.replaced <= reading.foreign]
    if fitting:
        return min(fitting, key=lambda reading: reading.replaced)
    guesses = [readings[codec] for codec in _GUESSES if readings[codec].is_plausible(share)]
    return max(guesses, key=lambda reading: reading.rank, default=None)


def _reading(chunks: Sequence[bytes | memoryview], codec: str) -> _Reading:
    counts: Counter[str] = Counter()
    for chunk in chunks:
        counts.update(str(chunk, codec, "replace"))
    own = sum(bytes(chunk).count("\ufffd".encode()) for chunk in chunks) if codec == "utf-8" else 0
    telling = odd = foreign = 0
    for character, count in counts.items():
        if character.isascii():
            continue
        foreign += count
        if character in _KOREAN or "\u3041" <= character <= "\u30fe":
            telling += count
        elif character != "\ufffd" and not _NEUTRAL.match(character):
            odd += count
    return _Reading(codec, counts["\ufffd"] - own, telling, odd, foreign)


@cache
def _decodes_anything(codec: str) -> bool:
    """Whether an encoding has one byte for each character, so that nearly all bytes are right in it."""
    return len(bytes(range(0x80, 0x100)).decode(codec, "replace")) == 0x80


def declared(body: bytes, content_type: str | None = None) -> list[str]:
    """Python's codecs for what the header, or the page in its beginning, says."""
    header = _HEADER.search(content_type) if content_type else None
    page = _META.search(body, 0, _HEAD)
    labels = [header[1]] if header else []
    labels += [(page[1] or page[2]).decode("ascii")] if page else []
    codecs_ = dict.fromkeys(_codec(label) for label in labels)
    return [codec for codec in codecs_ if codec is not None]


def _codec(label: str) -> str | None:
    """Python's codec for a declared name; None where it is no name of an encoding of pages."""
    known = _BY_LABEL.get(label.lower())
    if known is not None:
        return known
    for name in (label.lower(), label.lower().removeprefix("x-").removeprefix("cs")):
        plain = normalize_encoding(name)
        found = aliases.get(plain, plain)
        if found not in aliases.values() or found in _NO_CHARSETS:
            continue
        info = codecs.lookup(found)
        if info._is_text_encoding:  # rot13, zlib and the like are codecs as well
            return found
    return None
