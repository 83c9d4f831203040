"""What the ticket pages of Trac before 1.2 write in another way than later ones.

A changed field is an item of `ul.changes`, with its old and new values in `em` between English words, and
whoever did something is bare text after "by". Trac before 1.0 names a field by its label only, numbers a
change without its microseconds, and writes a box for an empty comment too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from crawler.errors import PageRejected
from crawler.html import Document, Node
from crawler.sources.trac.parse.markup import author_of, child, has_class

_NUMBER = re.compile(r"#([0-9]{1,10})\b")
_STATUS = re.compile(r"\((?P<status>\S+?)(?: (?P<type>[^:]+?))?(?:: (?P<resolution>.+))?\)")
# The labels of fields that the table of properties leaves out, or names in another way.
_LABELS = {
    name.capitalize(): name
    for name in ("owner", "reporter", "summary", "type", "status", "resolution", "description", "attachment")
}


class Heading(Struct, frozen=True, kw_only=True):
    """What stands above a ticket."""

    number: int
    title: str | None
    status: str | None
    issue_type: str | None
    resolution: str | None
    is_numbered: bool  # the page says how many changes it has


def read_heading(document: Document, ticket: Node) -> Heading | None:
    """Read the heading of a page of Trac before 1.0; None: it has none of that form.

    Raises:
        PageRejected: it is there, but not whole.
    """
    heading, title = document.select_one("#content > h1"), child(ticket, "summary", tag="h2")
    if heading is None or title is None:
        return None
    mark = child(heading, "status", tag="span")
    number = _NUMBER.search(heading.line())
    told = None if mark is None else _STATUS.fullmatch(mark.line())
    if number is None or told is None:
        raise PageRejected("The page has no number and status above its ticket.")
    return Heading(
        number=int(number[1]),
        title=title.line(),
        status=told["status"],
        issue_type=told["type"],
        resolution=told["resolution"],
        is_numbered=False,
    )


def changes_of(changelog: Node) -> list[Node]:
    """Every change of a history; Trac 0.11 puts each into a form of its own."""
    changes: list[Node] = []
    for node in changelog.children():
        inside = node.children() if node.name == "form" else [node]
        changes += [each for each in inside if has_class(each, "change")]
    return changes


def said_by(node: Node | None) -> tuple[str | None, bool]:
    """The name of whoever did something, and whether the page tells it: it may tell that it was nobody."""
    if node is None:
        return None, False
    if node.select_one('[class^="trac-author"]') is not None:
        return author_of(node), True
    when = node.select_one("a.timeline, span[title]")
    _, by, name = node.line().partition(" by ")
    if when is not None and when.line() in name:  # from 1.2 on the time comes after the name, which is marked
        return None, False
    links = "".join(f" ({link.line()})" for link in node.children() if link.name == "a")
    while links and not name.endswith(links):  # those that lead to other versions come after the name
        links = links[links.find(" (", 1) :] if links.find(" (", 1) > 0 else ""
    name = name.removesuffix(links).strip()
    return name or None, bool(by and name)


def labels_of(cells: Sequence[Node]) -> dict[str, str]:
    """What each field is called in the cells of the table of properties, under its own name."""
    named = [(cell.attribute("id") or "", cell) for cell in cells if cell.name == "th"]
    return {
        name.removeprefix("h_"): cell.line().removesuffix(":")
        for name, cell in named
        if name.startswith("h_")
    }


def items_of(change: Node) -> list[Node]:
    """The items of the list of changed fields."""
    listed = child(change, "changes", tag="ul")
    return [] if listed is None else [item for item in listed.children() if item.name == "li"]


def name_of(item: Node, labels: Mapping[str, str]) -> str | None:
    """The name of the field that an item tells of by its label.

    Args:
        item: of a list of changed fields.
        labels: of each field, under its name.
    """
    marked = item.select_one("strong")
    label = "" if marked is None else marked.line()
    if label in labels or label in _LABELS.values():
        return label
    names = {label: name for name, label in labels.items()} | _LABELS
    return names.get(label, label) or None


def words_of(cell: Node) -> str:
    """What is said of a changed field, without its label."""
    label = cell.select_one("strong") if cell.name == "li" else None
    return cell.line() if label is None else cell.line().removeprefix(label.line()).lstrip(" :")


def values_of(cell: Node, words: str) -> tuple[str, str] | None:
    """The old and the new value that stand in `em`; None where the English words around them are others."""
    marked = [each.line() for each in cell.select("em")]
    if len(marked) == 2 and words == f"changed from {marked[0]} to {marked[1]}":
        return marked[0], marked[1]
    if len(marked) == 1 and words == f"set to {marked[0]}":
        return "", marked[0]
    return (marked[0], "") if len(marked) == 1 and words == f"{marked[0]} deleted" else None


def items_in(cell: Node, words: str) -> tuple[list[str], list[str]] | None:
    """What a list gained and lost, each in an `em` of its own; None where the words are others."""
    marked = [each.line() for each in cell.select("em")]
    for parted in (", ", " "):
        for count in range(len(marked) + 1):
            gained, lost = marked[:count], marked[count:]
            told = [f"{parted.join(gained)} added"] if gained else []
            told += [f"{parted.join(lost)} removed"] if lost else []
            if marked and words == "; ".join(told):
                return gained, lost
    return None


def list_before(name: str, now: str, gained: Sequence[str], lost: Sequence[str]) -> str | None:
    """What a list was before a change; None where it cannot have been changed so."""
    commas = any("," in item for item in (*gained, *lost))  # before 1.0 keywords are parted by blanks only
    for parted, joint in ((r"[;,]\s*" if name == "cc" else r"[;,\s]+", ", "), (r"\s+", " ")):
        items = [item for item in re.split(parted, now) if item]
        if set(gained) <= set(items) and not set(lost) & set(items) and not (commas and joint == ", "):
            return joint.join([*(item for item in items if item not in gained), *lost])
    return None
