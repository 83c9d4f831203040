"""What Trac's templates put around names and times, on every kind of page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from crawler.html import Node

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1970, 2101)
_CHANGE_ID = re.compile(r"trac-change-([0-9]{1,9})(?:-([0-9]{1,17}))?")
_HEADING_ID = re.compile(r"comment:([0-9]{1,9})")
_OFFSET = re.compile(r"Z[ +](?=[0-9])")  # of Trac 0.11, which writes `Z+0000`
_VERSION = re.compile(r"<strong>Trac\s+([0-9][\w.+-]*)</strong>")
# The wrapped navigation ends where the page's own content begins; wiki text comes after that.
_NAVIGATION = 'id="metanav"'
_AFTER_NAVIGATION = ('<div id="mainnav"', '<div id="main"', '<div id="content"')
_LONGEST_TAIL = 20_000  # characters
_FILE = re.compile(r"/(?:raw-)?attachment/ticket/[0-9]+/(.+)")
_ADDED = re.compile(r"<!--.*?-->|<script\b.*?</script\s*>|<br\s*/?>", re.DOTALL)
_LONGEST_NAVIGATION = 8000  # characters


def is_whole(html: str) -> bool:
    """Whether a page goes on to its end, after which caches and balancers write a line of their own."""
    _, end, added = html[-_LONGEST_TAIL:].lower().rpartition("</html>")
    return bool(end) and "<" not in _ADDED.sub("", added)


def cells_of(table: Node) -> list[Node]:
    """The cells of a table's own rows; a cell's text may have tables of its own."""
    parts = [part for part in table.children() if part.name in ("tbody", "thead", "tfoot")]
    rows = [row for part in (table, *parts) for row in part.children() if row.name == "tr"]
    return [cell for row in rows for cell in row.children() if cell.name in ("td", "th")]


def is_logged_in(html: str) -> bool | None:
    """Whether a page was made for somebody who is logged in; None: it is no page of Trac's."""
    start = html.find(_NAVIGATION)
    if start < 0:
        return None
    piece = html[start : start + _LONGEST_NAVIGATION]
    ends = [end for mark in _AFTER_NAVIGATION if (end := piece.find(mark)) >= 0]
    return "/logout" in piece[: min(ends)] if ends else None


def has_class(node: Node, name: str) -> bool:
    """Whether an element has this class, among others."""
    return name in (node.attribute("class") or "").split()


def child(node: Node, name: str, *, tag: str | None = None) -> Node | None:
    """The first element directly below a node with a class, and of a tag where one is named."""
    for below in node.children():
        if has_class(below, name) and tag in (None, below.name):
            return below
    return None


def author_of(node: Node | None) -> str | None:
    """The name that stands in a node, without Trac's word for nobody."""
    marked = None if node is None else node.select_one('[class^="trac-author"]')
    return None if marked is None else name_in(marked) or None


def name_in(marked: Node) -> str:
    """The name that an element for one has; Trac's words for nobody are those of the session's language."""
    if has_class(marked, "trac-author-none"):
        return ""
    return "anonymous" if has_class(marked, "trac-author-anonymous") else marked.line()


def moment_of(node: Node | None) -> datetime | None:
    """The time to the second in the first link to the timeline; the link's words are only relative.

    Trac writes it as ISO 8601 in the zone of the session, with its offset, into the parameter `from`.
    """
    link = None if node is None else node.select_one("a.timeline")
    try:
        query = urlsplit((link and link.attribute("href")) or "").query
        moment = datetime.fromisoformat(_OFFSET.sub("+", parse_qs(query).get("from", [""])[0]))
        return moment.astimezone(UTC) if moment.tzinfo and moment.year in _YEARS else None
    except (ValueError, OverflowError):
        return None


def stated(cell: Node) -> str:
    """The text of a property, and a time as a time: Trac writes "3 days ago" or "in 2 hours" where it can."""
    words = cell.prose()
    inner = cell.children()
    if len(inner) != 1 or inner[0].line() != words:
        return words
    if has_class(inner[0], "timeline"):
        moment = moment_of(cell)
        return words if moment is None else moment.isoformat()
    title = inner[0].attribute("title") if inner[0].name == "span" else None  # a time to come has no link
    return max(words, title or "", key=lambda text: sum(character.isdigit() for character in text))


def identity_of(change: Node) -> tuple[int | None, datetime | None]:
    """The number of a change, and its time to the microsecond, from `trac-change-NUMBER-MICROSECONDS`.

    Trac 0.12 leaves the time out, and 0.11 has the number in the heading only.
    """
    found = _CHANGE_ID.fullmatch(change.attribute("id") or "")
    if found is None:
        heading = child(change, "change", tag="h3")
        told = _HEADING_ID.fullmatch((heading and heading.attribute("id")) or "")
        return (None if told is None else int(told[1])), None
    moment = None if found[2] is None else _EPOCH + timedelta(microseconds=int(found[2]))
    return int(found[1]), moment if moment is not None and moment.year in _YEARS else None


def version_of(html: str) -> str | None:
    """The version of Trac that a page tells in its footer."""
    found = _VERSION.search(html, max(html.rfind('id="footer"'), 0))
    return None if found is None else found[1]


def filename_of(link: Node) -> str:
    """The name of the attachment that a link leads to; its words may have lost spaces.

    A name may hold a slash, so it is all that follows the number of the ticket.
    """
    path = (link.attribute("href") or "").partition("?")[0].partition("#")[0]
    found = _FILE.search(path)
    return unquote(found[1] if found is not None else path.rsplit("/", 1)[-1]) or link.line()
