"""What is done to a page's characters before an engine reads them: bounds, cleaning, closing."""

from __future__ import annotations

import re
from typing import Final

from crawler.errors import PageRejected

MAX_CHARACTERS: Final = 8 * 1024 * 1024
MAX_TAGS: Final = 300_000
MAX_DEPTH: Final = 512
MAX_UNCLOSED_STYLES: Final = 256
MAX_ATTRIBUTES: Final = 256  # of one tag; an engine compares each of them with all before it
MAX_OPTIONS: Final = 5000
_FEW_TAGS: Final = 1500  # so few cannot nest deep enough to hurt, and counting them one by one costs time
_SHORT: Final = 65_536  # characters; as many attributes as fit into so few cost Lexbor half a second

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_NAMES_WITHOUT_END = """
    area base br col embed hr img input link meta source track wbr param
    li p td th tr dt dd option optgroup thead tbody tfoot colgroup caption rp rt html head body
"""
_NO_END = frozenset(_NAMES_WITHOUT_END.split())
# The standard opens these again in every block after they were left open: cost grows with the product.
_STYLES = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
_NAMES_OF_RAW_TEXT = "script style textarea title xmp iframe noembed noframes plaintext"
_RAW_TEXT = re.compile(rf"<(/?)({_NAMES_OF_RAW_TEXT.replace(' ', '|')})\b", re.IGNORECASE)
_OPENINGS = tuple(f"<{name}".encode() for name in _NAMES_OF_RAW_TEXT.split())
_ONE = r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|$)|'[^']*+(?:'|$)|[^\s>\"'][^\s>]*+)?+)?+"
_ATTRIBUTE = re.compile(_ONE)
# A tag to its end, wherever quotes may lead. There is no way back in it, so that each character is read once.
_WHOLE_TAG = re.compile(rf"<([a-zA-Z][^\s/>]*+)((?:[\s/]++|{_ONE})*+)")
_OPTION = re.compile(r"<option\b", re.IGNORECASE)
_SURROGATES = re.compile("[\ud800-\udfff]")


def bounded(html: str) -> str:
    """The page itself, if it is not too long; asked before anything makes a copy of it.

    Raises:
        PageRejected: too long.
    """
    if len(html) > MAX_CHARACTERS:
        raise PageRejected(f"The page has more than {MAX_CHARACTERS:,} characters.")
    return html


def guarded(html: str) -> str:
    """The page itself, if both engines can read it in a time that is bounded by its length.

    Lexbor takes half a minute for 100,000 nested elements, its time and memory for styles that are never
    closed grow with their number times the number of blocks, and its time for a tag's attributes and for
    options with the square of their number.

    Raises:
        PageRejected: too long, too many tags, attributes or options, nested too deeply, or too many styles
            left open.
    """
    opened = bounded(html).count("<")
    starts = opened - html.count("</") if opened > _FEW_TAGS else opened
    if starts > MAX_TAGS:
        raise PageRejected(f"The page has more than {MAX_TAGS:,} tags.")
    if len(html) > _SHORT and _has_long_tag(html) and _crowded(html):
        raise PageRejected(f"A tag of the page has more than {MAX_ATTRIBUTES:,} attributes.")
    if starts <= _FEW_TAGS:
        return html
    if len(_OPTION.findall(html)) > MAX_OPTIONS:
        raise PageRejected(f"The page has more than {MAX_OPTIONS:,} options.")
    depth = styles = 0
    for end, name in _TAG.findall(html):
        tag = name.lower()
        if tag in _NO_END:
            continue
        step = -1 if end else 1
        if tag in _STYLES:
            styles = max(styles + step, 0)
        depth = max(depth + step, 0)
        if depth > MAX_DEPTH or styles > MAX_UNCLOSED_STYLES:
            raise PageRejected(f"The page nests its elements more than {MAX_DEPTH} deep.")
    return html


def _has_long_tag(html: str) -> bool:
    return any(len(rest) > 2 * MAX_ATTRIBUTES for _, rest in _WHOLE_TAG.findall(html))


def _crowded(html: str) -> bool:
    """Whether a tag has too many attributes; what stands in a script is none."""
    position = 0
    unclosed: set[str] = set()
    while tag := _WHOLE_TAG.search(html, position):
        if len(_ATTRIBUTE.findall(tag[2])) > MAX_ATTRIBUTES:
            return True
        position, name = tag.end(), tag[1].lower()
        if name in ("script", "style") and name not in unclosed:
            end = re.compile(f"</{name}", re.IGNORECASE).search(html, position)
            position = position if end is None else end.end()
            if end is None:
                unclosed.add(name)
    return False


def cleaned(html: str) -> str:
    """The page with one kind of line break, and U+FFFD where a character cannot be stored as text.

    NUL is dropped by one engine and kept by the other; lone surrogates cannot be encoded at all.
    """
    return encoded(html).decode()


def encoded(html: str) -> bytes:
    """A cleaned page in UTF-8, in which what is to be cleaned is found ten times as fast."""
    try:
        data = html.encode()
    except UnicodeEncodeError:
        data = _SURROGATES.sub("\ufffd", html).encode()
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data.replace(b"\0", b"\xef\xbf\xbd") if b"\0" in data else data


def closed(html: str) -> str:
    """The page with every comment, script and text area that never ends turned into visible text.

    An opening is unclosed when the next opening of its kind, or the end of the page, comes before its end.
    """
    if "<!--" in html:
        before, *pieces = html.split("<!--")
        html = before + "".join(("<!--" if "-->" in piece else "&lt;!--") + piece for piece in pieces)
    return raw_text_closed(html)


def raw_text_closed(html: str) -> str:
    """The page with every script and text area that never ends turned into visible text."""
    if not _may_open(html):
        return html
    kept, start = [], 0
    marks = list(_RAW_TEXT.finditer(html))
    nearest: dict[str, str] = {}  # the tag of each kind that comes next, while walking backwards
    unclosed = []
    for mark in reversed(marks):
        name = mark[2].lower()
        if not mark[1] and (name == "plaintext" or nearest.get(name) != "/"):
            unclosed.append(mark.start())
        nearest[name] = mark[1]
    for position in reversed(unclosed):
        kept.append(html[start:position] + "&lt;")
        start = position + 1
    return "".join(kept) + html[start:]


def _may_open(html: str) -> bool:
    # Most pages have none of these, and a look at the bytes tells that in a tenth of the time. Letters beyond
    # ASCII that a regular expression takes for an s or an i are left to it.
    lowered = html.encode(errors="replace").lower()
    return any(lowered.rfind(opening) >= 0 for opening in _OPENINGS) or any(
        letter in html for letter in "\u017f\u0130\u0131"
    )
