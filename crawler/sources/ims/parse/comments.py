"""The comments of an issue, which IMS calls actions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from crawler.dates import parse_date
from crawler.html import Node
from crawler.packed import Packed
from crawler.records import CommentRecord
from crawler.sources.ims.parse.fields import person_in
from crawler.sources.ims.parse.labels import HEADING, PRIVATE, key_of

_PARTS = "[id^=action_], [id^=comment_], [id^=commDescTR_], .commDescTR"
_NUMBER = re.compile(r"(action|comment|commDescTR)_(\d{1,18})")
_FIRST = re.compile(r"\D{1,40}?(\d{1,18})(?![\d./-])\s*(.*)")  # Action No. 3 [Internal]
_LABEL = re.compile(r"\s*+([^:：|0-9]{1,40})[:：](.*)")


class Part(Struct, frozen=True, array_like=True):
    """A comment's heading, or an element of its text; plain words, so that what they stood in can go."""

    number: str | None  # of the comment; None: of the one before it
    text: str = ""
    is_heading: bool = False
    marks: bool = False  # it is marked as the comment's text
    holds_others: bool = False  # headings of comments within a text


class Comments(Struct, frozen=True):
    """The comments of one page."""

    records: Sequence[CommentRecord]
    headings: int  # as many as the page shows, repeated ones included
    problems: tuple[str, ...]  # why this reading cannot be trusted
    warnings: tuple[str, ...]
    extra: Mapping[str, str]  # what a comment's heading says and no record has a place for


class _Heading(Struct):
    """The parts of a comment's heading, by their labels."""

    number: int | None = None
    author: str | None = None
    at: datetime | None = None
    is_private: bool = False
    others: dict[str, str] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)


def parts_in(section: Node | None) -> list[Part]:
    """The headings of comments and their texts, as they stand.

    Args:
        section: where the comments stand, or a part of them; None: there are none.
    """
    return [_part(node) for node in section.select(_PARTS)] if section else []


def _part(node: Node) -> Part:
    match = _NUMBER.fullmatch(node.attribute("id") or "")
    if match is None:
        return Part(None, marks=True)
    kind, number = match.groups()
    marks = kind == "commDescTR" or "commDescTR" in (node.attribute("class") or "").split()
    if kind == "action":
        return Part(number, is_heading=True, text=node.line(), marks=marks)
    holds_others = node.select_one("[id^=action_]") is not None
    return Part(number, text=node.prose(), marks=marks, holds_others=holds_others)


def read_comments(parts: Sequence[Part], zone: ZoneInfo) -> Comments:
    """Read the comments; their records are packed where the parts are.

    Args:
        parts: all of the page, in its order.
        zone: the tracker's own.
    """
    headings: list[tuple[str, int, list[int]]] = []  # numbers, and the places of their parts
    headed: set[str] = set()
    bodies: dict[str, list[int]] = {}  # of the comment of each number that came last
    marked: set[str] = set()  # the comments that have an element for their text
    last = ""
    for place, part in enumerate(parts):
        last = part.number or last
        if part.marks:
            marked.add(last)
        if part.number is None:
            continue
        if part.is_heading:
            if bodies.get(part.number) and part.number in headed:
                del bodies[part.number]
            headed.add(part.number)
            headings.append((part.number, place, bodies.setdefault(part.number, [])))
        else:
            bodies.setdefault(part.number, []).append(place)
    newest = _Newest(Packed(CommentRecord) if isinstance(parts, Packed) else [])
    problems, warnings, extra = [], [], {}
    for number, place, found in headings:
        if not found:
            problems.append(f"Comment {number} has no text on the page.")
            continue
        if any(parts[each].holds_others for each in found):
            problems.append(f"Comment {number} holds other comments.")
        heading = _read_heading(parts[place].text, zone)
        content = _content([parts[each].text for each in found])
        newest.add(
            CommentRecord(
                source_id=number,
                number=int(number) if heading.number is None else heading.number,
                author=heading.author,
                content=content,
                commented_at=heading.at,
                is_private=heading.is_private,
            )
        )
        extra.update({f"Action {number} {name}": words for name, words in heading.others.items()})
        flaws = [*heading.flaws, *([] if content else ["has no words"])]
        if number not in marked:
            flaws.append("has no element that is marked as its text")
        warnings += [f"Comment {number} {flaw}." for flaw in dict.fromkeys(flaws)]
    problems += [f"Comment {number} has no heading on the page." for number in bodies if number not in headed]
    warnings += [
        f"Comment {number} stands twice on the page; the newest is kept." for number in newest.repeated
    ]
    return Comments(newest.records, len(headings), tuple(problems), tuple(warnings), extra)


def _content(bodies: Sequence[str]) -> str:
    """All words of a comment; elements within each other say theirs once."""
    if len(bodies) == 1:
        return bodies[0]
    texts: list[str] = []
    for text in bodies:
        if not any(text in other for other in texts):
            texts.append(text)
    return "\n".join(texts)


def _read_heading(line: str, zone: ZoneInfo) -> _Heading:
    """Read `Action No. 1 | Registrant : Kim | Registered date : 2026-01-06 09:29`, its parts in any order."""
    heading = _Heading()
    for place, (label, words) in enumerate(_parts(line)):
        role = HEADING.get(key_of(label))
        if role == "who" and heading.author is None:
            heading.author, mail = person_in(words)
            if mail:
                heading.others["mail"] = mail
        elif role == "when" and heading.at is None and "date" not in heading.others:
            heading.at = parse_date(words, zone)
            if heading.at is None and words:
                heading.others["date"] = words
        elif _is_private(words):
            heading.is_private = True
        elif not label and not place and (first := _FIRST.fullmatch(words)) is not None:
            heading.number = int(first[1])
            heading.is_private = _is_private(first[2])
            if first[2] and not heading.is_private:
                heading.others["heading"] = first[2]
                heading.flaws.append("has a heading with words that no field takes")
        elif not label and heading.at is None and (moment := parse_date(words, zone)) is not None:
            heading.at = moment
        elif words:
            heading.others[label or "heading"] = words
            if role != "changed":
                heading.flaws.append("has a heading with words that no field takes")
    if heading.at is None:
        heading.flaws.append("has no date that can be read")
    if not heading.author:
        heading.flaws.append("has no author that can be read")
    return heading


def _parts(line: str) -> list[tuple[str, str]]:
    """The parts between the bars with their labels; what has no label belongs to a name before it."""
    parts: list[tuple[str, str]] = []
    for piece in line.split("|"):
        label = _LABEL.fullmatch(piece)
        before = HEADING.get(key_of(parts[-1][0])) if parts else None
        if label is not None:
            parts.append((label[1].rstrip(), label[2]))
        elif before != "who" or _is_private(piece):
            parts.append(("", piece))
        else:  # a name may have a bar
            name, words = parts[-1]
            parts[-1] = (name, f"{words}|{piece}")
    return [(label, words.strip()) for label, words in parts]


def _is_private(words: str) -> bool:
    return key_of(words.strip(" []()【】")) in PRIVATE


class _Newest:
    """Comments as they come, of each number the newest."""

    def __init__(self, records: list[CommentRecord] | Packed[CommentRecord]) -> None:
        self._records = records
        self._kept: dict[str | None, tuple[int, datetime | None]] = {}  # its place, and its time
        self.repeated: list[str] = []

    def add(self, record: CommentRecord) -> None:
        """Take the next comment of the page."""
        number, at = record.source_id, record.commented_at
        if number not in self._kept:
            self._kept[number] = len(self._records), at
            self._records.append(record)
            return
        self.repeated.append(str(number))
        place, other = self._kept[number]
        if not (other and at and at < other):
            self._kept[number] = place, at
            self._records[place] = record

    @property
    def records(self) -> Sequence[CommentRecord]:
        """What is kept, in the page's order."""
        return self._records if isinstance(self._records, Packed) else tuple(self._records)
