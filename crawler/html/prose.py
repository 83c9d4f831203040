"""The text of a piece of HTML with what only its markup tells: what a search needs beside the words.

Addresses of links and pictures, the marks of quotations, the numbers of lists, and which lines of a diff went
and which came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from crawler.html.text import Flow

MARKED: Final = "a, img, blockquote, ol, table.trac-diff"  # what makes a difference to the text alone
_ELSEWHERE = re.compile(r"(?:https?:|ftps?:|mailto:|file:)?//[^\s/]|mailto:[^\s]", re.IGNORECASE)
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_STYLES = ("loweralpha", "upperalpha", "lowerroman", "upperroman")  # classes of Trac's lists
_TYPES = dict(zip("aAiI", _STYLES, strict=True))
_DEEPEST = 8  # quotations; a page chooses how deep it nests
_LONGEST = 2000  # characters of an address; a picture may be its own address
_QUOTES = frozenset({"citation", "quote", "gmail_quote"})
_BLOCKS_OF_A_CHANGE = frozenset({"mod", "add", "rem"})


class Prose(Flow):
    """As :class:`crawler.html.text.Flow`; an engine tells it an element's attributes before it enters it."""

    __slots__ = ("_attribute", "_changed", "_diffs", "_links", "_lists", "_mark", "_muted", "_quotes")

    def __init__(self) -> None:
        super().__init__()
        self._attribute: Callable[[str], str | None] = lambda name: None
        self._mark = ""  # what the next line begins with
        self._quotes: list[bool] = []  # of each quotation around: whether it is one, or only indented
        self._lists: list[
            tuple[str, int] | None
        ] = []  # style and next number of each list around; None: dots
        self._links: list[tuple[int, str]] = []  # where the words of each link around begin, and its address
        self._diffs: list[bool] = []  # of each table around: whether it is a diff
        self._changed = False  # whether the lines of a diff went or came
        self._muted = 0  # the numbers of a diff's lines

    def meet(self, attribute: Callable[[str], str | None]) -> None:
        """Take what reads the attributes of the element that is entered next."""
        self._attribute = attribute

    def words(self, text: str) -> None:
        """Take a run of characters."""
        if self._muted:
            return
        quoted = "> " * min(sum(self._quotes), _DEEPEST)
        if not (quoted or self._mark):
            super().words(text)
            return
        if self._blank and text.strip(" \t\n\f\r"):
            self._parts.append(quoted + self._mark)
            self._mark = ""
        if self._verbatim and quoted:
            text = re.sub("\n(?=.)", f"\n{quoted}", text)
        super().words(text)

    def enter(self, tag: str) -> None:
        """Take a start tag, by its name in lower case."""
        in_diff = bool(self._diffs and self._diffs[-1])
        if tag in ("td", "th") and in_diff:
            self._muted += tag == "th"
            self._new_line()
            side = (self._attribute("class") or "").split()
            self._mark = (" " if not self._changed else "-" if "l" in side else "+") if tag == "td" else ""
            return
        super().enter(tag)
        if tag == "a":
            self._links.append((len(self._parts), (self._attribute("href") or "").strip()))
        elif tag == "img":
            self._picture()
        elif tag == "blockquote":
            classes = set((self._attribute("class") or "").split())
            cited = self._attribute("type") == "cite" or self._attribute("cite") is not None
            self._quotes.append(cited or bool(classes & _QUOTES))
        elif tag in ("ol", "ul"):
            self._lists.append(self._numbering() if tag == "ol" else None)
        elif tag == "li" and self._lists and (numbering := self._lists[-1]) is not None:
            style, number = numbering
            number = _integer(self._attribute("value"), number)
            self._lists[-1] = style, number + 1
            self._mark = f"{_numeral(style, number)}. "
        elif tag == "table":
            self._diffs.append("trac-diff" in (self._attribute("class") or "").split())
        elif tag == "tbody":
            self._changed = bool(_BLOCKS_OF_A_CHANGE & set((self._attribute("class") or "").split()))

    def leave(self, tag: str) -> None:
        """Take the end of an element, by its name in lower case."""
        if tag in ("td", "th") and self._diffs and self._diffs[-1]:
            self._muted -= tag == "th"
            if tag == "td":
                self._new_line()
            self._mark = ""
            return
        if tag == "a" and self._links:
            self._address(*self._links.pop())
        elif tag == "table" and self._diffs:
            self._diffs.pop()
        super().leave(tag)
        if tag == "blockquote" and self._quotes:
            self._quotes.pop()
        elif tag in ("ol", "ul") and self._lists:
            self._lists.pop()
        elif tag == "li":
            self._mark = ""

    def _numbering(self) -> tuple[str, int]:
        named = [name for name in (self._attribute("class") or "").split() if name in _STYLES]
        style = named[0] if named else _TYPES.get(self._attribute("type") or "", "")
        return style, _integer(self._attribute("start"), 1)

    def _address(self, start: int, address: str) -> None:
        words = "".join(self._parts[start:])
        plain = address.removeprefix("mailto:")
        if (
            _ELSEWHERE.match(address)
            and len(address) <= _LONGEST
            and plain not in words
            and unquote(plain) not in words
        ):
            self._told(f"<{plain}>", words)

    def _picture(self) -> None:
        address = (self._attribute("src") or "").strip()
        alt = (self._attribute("alt") or self._attribute("title") or "").strip()
        if not address or len(address) > _LONGEST or address.startswith("data:"):
            address = ""
        name = unquote(address.partition("?")[0].rpartition("/")[2])
        if _ELSEWHERE.match(address):
            name = address
        told = name if not alt or alt in name else f"{alt} {name}".rstrip()
        if told:
            self._told(f"[{told}]", "".join(self._parts[-1:]))

    def _told(self, text: str, before: str) -> None:
        if self._verbatim:
            self.words(text)
        else:
            self.words(text if not before or before.endswith((" ", "\n", "\t")) else f" {text}")


def _integer(text: str | None, otherwise: int) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else otherwise


def _numeral(style: str, number: int) -> str:
    if style.endswith("roman") and 0 < number < 40:
        text = ""
        for value, letters in _ROMAN:
            while number >= value:
                text, number = text + letters, number - value
    elif style.endswith("alpha") and 0 < number <= 26:
        text = chr(ord("a") + number - 1)
    else:
        return str(number)
    return text.upper() if style.startswith("upper") else text
