"""The comments of an issue, which IMS calls actions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from crawler.dates import parse_date
from crawler.html import Node
from crawler.records import CommentRecord
from crawler.sources.ims.parse.fields import person_in
from crawler.sources.ims.parse.labels import HEADING, PRIVATE, key_of

_PARTS = "[id^=action_], [id^=comment_], [id^=commDescTR_], .commDescTR"
_NUMBER = re.compile(r"(action|comment|commDescTR)_(\d{1,18})")
_FIRST = re.compile(r"\D{1,40}?(\d{1,18})(?![\d./-])\s*(.*)")  # Action No. 3 [Internal]
_LABEL = re.compile(r"\s*+([^:：|0-9]{1,40})[:：](.*)")


class Comments(Struct, frozen=True):
    """The comments of one page."""

    records: tuple[CommentRecord, ...]
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


def read_comments(section: Node | None, zone: ZoneInfo) -> Comments:
    """Read the comments.

    Args:
        section: where they stand; None: there are none.
        zone: the tracker's own.
    """
    headings: list[tuple[str, Node, list[Node]]] = []
    bodies: dict[str, list[Node]] = {}  # of the comment of each number that came last
    marked: set[str] = set()  # the comments that have an element for their text
    last = ""
    for node in section.select(_PARTS) if section else ():
        match = _NUMBER.fullmatch(node.attribute("id") or "")
        last = match[2] if match else last
        if (
            match is None
            or match[1] == "commDescTR"
            or "commDescTR" in (node.attribute("class") or "").split()
        ):
            marked.add(last)
        if match is None:
            continue
        if match[1] == "action":
            if bodies.get(match[2]) and any(number == match[2] for number, _, _ in headings):
                del bodies[match[2]]
            headings.append((match[2], node, bodies.setdefault(match[2], [])))
        else:
            bodies.setdefault(match[2], []).append(node)
    records, problems, warnings, extra = [], [], [], {}
    for number, node, found in headings:
        if not found:
            problems.append(f"Comment {number} has no text on the page.")
            continue
        if any(body.select_one("[id^=action_]") is not None for body in found):
            problems.append(f"Comment {number} holds other comments.")
        heading = _read_heading(node.line(), zone)
        content = _content(found)
        records.append(
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
    headed = {number for number, _, _ in headings}
    problems += [f"Comment {number} has no heading on the page." for number in bodies if number not in headed]
    unique, repeated = _newest(records)
    warnings += [f"Comment {number} stands twice on the page; the newest is kept." for number in repeated]
    return Comments(tuple(unique), len(headings), tuple(problems), tuple(warnings), extra)


def _content(bodies: Sequence[Node]) -> str:
    """All words of a comment; elements within each other say theirs once."""
    if len(bodies) == 1:
        return bodies[0].prose()
    texts: list[str] = []
    for text in (body.prose() for body in bodies):
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


def _newest(records: Iterable[CommentRecord]) -> tuple[list[CommentRecord], list[str]]:
    kept: dict[str | None, CommentRecord] = {}
    repeated = []
    for record in records:
        other = kept.get(record.source_id)
        if other is not None:
            repeated.append(str(record.source_id))
            if other.commented_at and record.commented_at and record.commented_at < other.commented_at:
                continue
        kept[record.source_id] = record
    return list(kept.values()), repeated
