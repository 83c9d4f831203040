"""The text of a piece of HTML as a reader sees it: line breaks kept, markup and layout gone."""

from __future__ import annotations

import re

_SPACES = re.compile("[ \t\n\f\r]+")
_BLOCK_NAMES = """
    address article aside blockquote caption center dd details dialog div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hr legend li listing main nav ol option p pre section summary table
    tbody tfoot thead tr ul xmp
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})
VERBATIM = frozenset({"pre", "listing", "xmp", "textarea"})
UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "iframe", "noframes", "noembed"})


def one_line(text: str) -> str:
    """Text with every run of white space, no-break spaces included, as one space and none at its ends."""
    text = text.replace("\xa0", " ")
    return (text if _is_even(text) else _SPACES.sub(" ", text)).strip(" ")


def inline(text: str) -> str:
    """Text that nothing breaks, as :class:`Flow` gives it."""
    text = text.strip()
    return text if _is_even(text) else _SPACES.sub(" ", text).replace("\xa0", " ")


def _is_even(text: str) -> bool:
    # No white space but single spaces, as most text has it, is known in a tenth of the time that a regular
    # expression takes to change nothing.
    return "  " not in text and text.isprintable()


class Flow:
    """Collects what an engine meets on its way through a node and gives the text of it.

    Runs of white space become one space outside `<pre>`, each no-break space stays a space of its own, since
    trackers write indentation with it. A block begins and ends a line, `<br>` always breaks one, the cells of
    a row are parted by a tab.
    """

    __slots__ = ("_blank", "_parts", "_verbatim")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blank = True  # nothing on the current line so far
        self._verbatim = 0

    def words(self, text: str) -> None:
        """Take a run of characters."""
        if self._verbatim:
            if text:
                self._parts.append(text)
                self._blank = text.endswith("\n")
            return
        if not _is_even(text):
            text = _SPACES.sub(" ", text)
        if text.startswith(" ") and (self._blank or self._parts[-1].endswith((" ", "\t"))):
            text = text[1:]
        if text:
            self._parts.append(text)
            self._blank = False

    def enter(self, tag: str) -> None:
        """Take a start tag, by its name in lower case."""
        if tag == "br":
            self._break()
        elif tag in _CELLS:
            if not self._blank:
                self._parts[-1] = self._parts[-1].rstrip(" \xa0")
                self._parts.append("\t")
        elif tag in _BLOCKS:
            self._new_line()
        if tag in VERBATIM:
            self._verbatim += 1

    def leave(self, tag: str) -> None:
        """Take the end of an element, by its name in lower case."""
        if tag in VERBATIM:
            self._verbatim -= 1
        if tag in _BLOCKS:
            self._new_line()

    def text(self) -> str:
        """What was collected, without blank lines at its ends; the first of several lines stays indented."""
        joined = "".join(self._parts)
        if " \n" in joined or "\t\n" in joined or "\xa0\n" in joined:
            joined = "\n".join(line.rstrip(" \t\xa0") for line in joined.split("\n"))
        joined = joined.replace("\xa0", " ")
        joined = joined.lstrip("\n").rstrip()
        return joined if "\n" in joined else joined.strip()

    def _new_line(self) -> None:
        if not self._blank:
            self._break()

    def _break(self) -> None:
        self._parts.append("\n")
        self._blank = True
