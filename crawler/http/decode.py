"""From bytes to text, where neither header nor page can be trusted to name the encoding.

The order was measured on UTF-8, EUC-KR and Shift_JIS pages with right, wrong and missing declarations: strict
UTF-8 first, because hardly any other text is valid UTF-8 by accident, then what is declared, then the two
encodings that Korean and Japanese trackers use without saying so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Declarations are read in a page's beginning only; browsers look at the first 1,024 bytes.
_HEAD = 4096
_HEADER = re.compile(r"charset\s*+=\s*+(?:[\"']\s*+)?+([\w.:+-]{2,40})", re.IGNORECASE)
_META = re.compile(
    rb"<meta\s[^>]{0,300}?charset\s*+=\s*+(?:[\"']\s*+)?+([\w.:+-]{2,40})"
    rb"|<\?xml\s[^>]{0,100}?encoding\s*=\s*[\"']([\w.:+-]{2,40})",
    re.IGNORECASE,
)
# A closed list: Python also has codecs that are no encodings of pages, and some can be made slow by what they
# are fed. As in the WHATWG Encoding Standard a name means the superset that is really in use.
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
    "iso8859-2": "iso-8859-2 latin2",
    "iso8859-5": "iso-8859-5",
    "iso8859-7": "iso-8859-7",
    "iso8859-15": "iso-8859-15 latin9",
    "cp1250": "windows-1250 cp1250",
    "cp1251": "windows-1251 cp1251",
    "cp1253": "windows-1253 cp1253",
    "cp1254": "windows-1254 cp1254 iso-8859-9",
    "koi8-r": "koi8-r",
}
_BY_LABEL = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
_GUESSES = ("cp949", "cp932")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and how it was read."""

    text: str  # without a byte order mark
    encoding: str  # Python's name of the codec
    replaced: int = 0  # how many places could not be read and became U+FFFD


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Read a page in the first encoding that fits it whole.

    Args:
        body: the page's bytes, inflated.
        content_type: the Content-Type header, if there was one.

    Returns:
        The text. It never fails: as a last resort the page is read as UTF-8, and what cannot be read is
        replaced and counted.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _decode_other(body, content_type)
    return Decoded(text.removeprefix("\ufeff"), "utf-8")


def _decode_other(body: bytes, content_type: str | None) -> Decoded:
    for codec in _candidates(body, content_type):
        try:
            text = body.decode(codec)
        except UnicodeDecodeError:
            continue
        return Decoded(text.removeprefix("\ufeff"), codec)
    text = body.decode("utf-8", "replace")
    already = body.count("\ufffd".encode())
    return Decoded(text.removeprefix("\ufeff"), "utf-8", text.count("\ufffd") - already)


def _candidates(body: bytes, content_type: str | None) -> Iterator[str]:
    if body.startswith(b"\xff\xfe"):
        yield "utf-16-le"
    elif body.startswith(b"\xfe\xff"):
        yield "utf-16-be"
    declared = [codec for codec in (_from_header(content_type), _from_page(body)) if codec is not None]
    # Web servers put Latin-1 into the header of pages of which they know nothing, and nearly every byte is
    # valid in it: it counts only after a page's own word.
    yield from sorted(declared, key=lambda codec: codec == "cp1252")
    yield from _GUESSES


def _from_header(content_type: str | None) -> str | None:
    found = _HEADER.search(content_type) if content_type else None
    return _BY_LABEL.get(found[1].lower()) if found else None


def _from_page(body: bytes) -> str | None:
    found = _META.search(body, 0, _HEAD)
    label = (found[1] or found[2]) if found else b""
    return _BY_LABEL.get(label.decode("ascii").lower())
