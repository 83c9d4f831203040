"""What every page of a tracker begins with: styles, scripts and menus, most of its characters, read once.

Nothing is left out on trust. A beginning is known when an engine has read it and shown that it holds nothing
that a parser looks for, and that whatever follows it is read as if the few tags of its `frame` stood there
alone. From then on a page that begins with the very same characters, but for its title, may be read without
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from os.path import commonprefix
from typing import Final

from crawler.errors import PageRejected
from crawler.html import LexborDocument, Node

_WORTH: Final = 2000  # characters; leaving out fewer gains nothing
_LONGEST: Final = (
    1 << 20
)  # characters of a page that is learnt from: one beginning is kept as long as the source
_STEPS: Final = 4
_TITLE: Final = "<title>"
# Stops at the next one, so that thousands which never end are not each searched to the end of the page.
_SCRIPT = re.compile(r"<script\b[^<]*+(?:<(?!/?script\b)[^<]*+)*+</script", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*<!doctype[^<>]*>", re.IGNORECASE)
# Elements that are opened again as they were by their bare start tags.
_PLAIN = frozenset(
    {"html", "body", "div", "center", "main", "section", "article", "form", "table", "tbody", "tr", "td"}
)
_WORDS: Final = "ims-title"
_MARK_NAME: Final = "ims-mark"
_MARK: Final = "<ims-mark></ims-mark>"
# What an engine makes of these tells whether a page is of an old standard, has a form open, may have frames.
_PROBE: Final = f"<p><table><tr><td>{_MARK}</table></p><form>{_MARK}</form>{_MARK}<frameset>"


@dataclass(frozen=True, slots=True)
class _Beginning:
    before: str  # up to its title's words
    after: str  # from there to where the page begins to differ
    frame: str  # what is read in its place


class Preamble:
    """Learns how a kind of page begins, and leaves it out.

    Args:
        first: finds where a page's own part begins at the latest, apart from scripts. Need not be exact.
        announced: everything that is looked for in a page's characters, and what `visible` leaves of a
            script or a comment that does not end.
        selected: everything that is looked for in a page's elements, as CSS.
        visible: what an engine is given of a page.
    """

    def __init__(
        self,
        first: re.Pattern[str],
        announced: re.Pattern[str],
        selected: str,
        visible: Callable[[str], str] = str,
    ) -> None:
        self._first = first
        self._announced = announced
        self._selected = selected
        self._visible = visible
        self._known: _Beginning | None = None
        self._last: tuple[str, str] | None = None
        self._misses = 0

    def without(self, html: str) -> str | None:
        """The page without its beginning; None where that is not known to be the same.

        The same holds for what Lexbor finds in it and for what stands in its characters, not for its title.
        A page that fails its gate without its beginning is to be read whole.

        Args:
            html: the decoded page.
        """
        known = self._known
        if known is not None and html.startswith(known.before):
            start = len(known.before)
            end = html.find("<", start)
            rest = end + len(known.after)
            if (
                html.startswith(known.after, end)
                and html.startswith("<", rest)
                and not self._announced.search(html, start, end)
            ):
                return known.frame + html[rest:]
        self._misses += 1
        if self._misses & (self._misses - 1) == 0 and len(html) <= _LONGEST:
            self._learn(html)  # ever more rarely, so that pages which all differ cost no more than they did
        return None

    def _learn(self, html: str) -> None:
        start = html.find(_TITLE) + len(_TITLE)
        end = html.find("<", start)
        first = self._first.search(_SCRIPT.sub(lambda script: "<".ljust(len(script[0])), html))
        rest = html.rfind("<", 0, first.start() + 1) if first else -1
        if start < len(_TITLE) or rest < end:
            return
        before, after = html[:start], html[end:rest]
        last, self._last = self._last, (before, after)
        if last is not None and last[0] == before and not last[1].startswith(after):
            common = commonprefix([last[1], after])  # noqa: RUF071 - no paths: characters are what is meant
            if (cut := common.rfind("<")) >= _WORTH:
                after = common[:cut]
        if (
            len(after) < _WORTH
            or self._announced.search(self._visible(before + after))
            or "\0" in html[:rest]
        ):
            return
        for _ in range(_STEPS):  # rows and the like cannot begin a page, the table around them can
            frame = self._frame(before, after)
            if frame is not None:
                self._known = _Beginning(before, after, frame)
                return
            after = after[: after.rfind("<")]

    def _frame(self, before: str, after: str) -> str | None:
        """Tags that leave an engine as this beginning does; None where there are none such."""
        whole = self._visible(f"{before}{_WORDS}{after}")
        try:
            document = LexborDocument(whole + _MARK)
            title, marks = document.select_one("title"), _marks(document)
            if title is None or title.source() != _WORDS or document.select_one(self._selected) is not None:
                return None
            if len(marks) != 1 or any(followed for _, followed in marks[0]):
                return None
            names = [name for name, _ in reversed(marks[0])][:-1]
            doctype = _DOCTYPE.match(whole)
            frame = (doctype[0] if doctype else "") + "".join(f"<{name}>" for name in names)
            probe = _MARK + "".join(f"</{name}>{_MARK}" for name in reversed(names[2:])) + _PROBE
            if _PLAIN.issuperset(names) and _marks(LexborDocument(whole + probe)) == _marks(
                LexborDocument(frame + probe)
            ):
                return frame
        except PageRejected:
            return None
        return None


def _marks(document: LexborDocument) -> list[list[tuple[str, bool]]]:
    """Of each mark and every element around it, from within: its name, and whether another one follows it."""
    found = []
    for mark in document.select(_MARK_NAME):
        around = []
        node: Node | None = mark
        while node is not None:
            around.append((node.name, node.following is not None))
            node = node.parent
        found.append(around)
    return found
