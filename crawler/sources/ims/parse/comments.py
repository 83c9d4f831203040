"""The comments of an issue, which IMS calls actions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.html import Node
from crawler.records import CommentRecord

_PARTS = "[id^=action_], [id^=comment_], [id^=commDescTR_]"
_HEADING = re.compile(
    r"Action\s+No\.?\s*(\d+)\s*\|\s*Registrant\s*:\s*(.*?)\s*\|\s*Registered\s+date\s*:\s*(.*)", re.IGNORECASE
)
_NUMBER = re.compile(r"(action|comment|commDescTR)_(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of one page."""

    records: tuple[CommentRecord, ...]
    headings: int  # as many as the page shows, repeated ones included
    problems: tuple[str, ...]  # why this reading cannot be trusted
    warnings: tuple[str, ...]
    odd_dates: Mapping[str, str]  # what stands where a comment's date cannot be read, by the comment's number


def read_comments(section: Node | None, zone: ZoneInfo) -> Comments:
    """Read the comments.

    Args:
        section: where they stand; None: there are none.
        zone: the tracker's own.
    """
    headings: list[tuple[str, Node]] = []
    bodies: dict[str, Node] = {}
    for node in section.select(_PARTS) if section else ():
        match = _NUMBER.fullmatch(node.attribute("id") or "")
        if match is None:
            continue
        if match[1] == "action":
            headings.append((match[2], node))
        else:
            bodies[match[2]] = node
    records, problems, warnings, odd_dates = [], [], [], {}
    for number, heading in headings:
        body = bodies.get(number)
        if body is None:
            problems.append(f"Comment {number} has no text on the page.")
            continue
        if body.select_one("[id^=action_]") is not None:
            problems.append(f"Comment {number} holds other comments.")
        record, raw_date = _read(number, heading, body, zone)
        records.append(record)
        if raw_date:
            odd_dates[number] = raw_date
            warnings.append(f"Comment {number} has no date that can be read.")
    unique, repeated = _newest(records)
    warnings += [f"Comment {number} stands twice on the page; the newest is kept." for number in repeated]
    return Comments(tuple(unique), len(headings), tuple(problems), tuple(warnings), odd_dates)


def _read(number: str, heading: Node, body: Node, zone: ZoneInfo) -> tuple[CommentRecord, str | None]:
    """A comment, and its date's own words where they are no date."""
    line = heading.line()
    match = _HEADING.fullmatch(line)
    inner = body.select_one("div.commDescTR")
    content = (body if inner is None else inner).text()
    if match is None:
        return CommentRecord(source_id=number, number=int(number), content=content), line
    at = parse_date(match[3], zone)
    comment = CommentRecord(
        source_id=number, number=int(match[1][:18]), author=match[2], content=content, commented_at=at
    )
    return comment, match[3] if at is None else None


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
