"""Read a bug of a Bugzilla without a REST API: its XML and the page with its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from crawler.dates import parse_date
from crawler.errors import Forbidden, ItemError, NotFound, PageRejected
from crawler.html import LexborDocument, SoupDocument
from crawler.html.second_opinion import first_accepted
from crawler.http.decode import decode
from crawler.records import (
    AttachmentRecord,
    ChangeRecord,
    CommentRecord,
    IssueRecord,
    Json,
    RelationRecord,
    State,
)
from crawler.source import RawPage
from crawler.sources.bugzilla.parse.activity import read_activity
from crawler.sources.bugzilla.parse.xml import Element, read_bugzilla
from crawler.states import state_of

_UTC = ZoneInfo("UTC")
_NONE = "---"
_OWN = frozenset({
    "bug_id", "short_desc", "product", "component", "bug_status", "priority", "bug_severity", "reporter",
    "assigned_to", "creation_ts", "delta_ts", "version", "target_milestone", "dependson", "blocked", "dup_id",
    "long_desc", "attachment", "token", "reporter_accessible", "cclist_accessible", "classification_id",
    "comment_sort_order",
})  # fmt: skip
_RELATIONS = {"dependson": "depends on", "blocked": "blocks", "dup_id": "duplicate of"}


def error_of(bug: Element, number: str) -> ItemError | None:
    """What Bugzilla says of a bug that it does not give; None: it gives it."""
    match bug.attributes.get("error"):
        case None:
            return None
        case "NotPermitted":
            return Forbidden(f"Bugzilla does not show bug {number} to this account.")
        case "NotFound" | "InvalidBugId" | "InvalidBugID":
            return NotFound(f"Bugzilla has no bug {number}.")
    return PageRejected(f"Bugzilla does not give bug {number} and says why in an unknown word.")


def parse_pages(pages: Mapping[str, RawPage], zone: ZoneInfo) -> IssueRecord:
    """Read a bug.

    Raises:
        PageRejected: a page is not what it should be.
    """
    xml, history = pages["xml"], pages.get("activity")
    if history is None:
        raise PageRejected("The page with the bug's history is missing.")
    bugs = list(read_bugzilla(xml.body).each("bug"))
    number = bugs[0].find("bug_id") if len(bugs) == 1 else None
    if number is None or not xml.url.endswith(f"id={number}") or "error" in bugs[0].attributes:
        raise PageRejected("The answer is not the one bug that was asked for.")
    html = decode(history.body, history.content_type).text
    changes, doubts = first_accepted(
        partial(lambda engine: read_activity(engine(html), html, number, zone), engine)
        for engine in (LexborDocument, SoupDocument)
    )
    warnings = [f"The history was read by the second engine: {doubt}" for doubt in doubts]
    warnings += ["The zone of times in the history is not known."] * any(
        each.changed_at is None for each in changes
    )
    return _record(bugs[0], number, xml.url.partition("/show_bug.cgi")[0], changes, tuple(warnings))


def _record(
    bug: Element, number: str, base: str, history: tuple[ChangeRecord, ...], warnings: tuple[str, ...]
) -> IssueRecord:
    status, title = bug.find("bug_status"), bug.find("short_desc")
    if not status or title is None:
        raise PageRejected(f"The XML of bug {number} lacks its status or summary.")
    comments = [_comment(each, place) for place, each in enumerate(bug.each("long_desc"))]
    first = next((each for each in comments if each.number == 0), None)
    resolution = _chosen(bug, "resolution")
    state = State.DONE if resolution else state_of(status)
    return IssueRecord(
        issue_id=number,
        url=f"{base}/show_bug.cgi?id={number}",
        title=title,
        description=None if first is None else first.content,
        product=_chosen(bug, "product"),
        status=status,
        state=state,
        priority=_chosen(bug, "priority"),
        severity=_chosen(bug, "bug_severity"),
        reporter=_chosen(bug, "reporter"),
        owner=_chosen(bug, "assigned_to"),
        registered_date=_time(bug.find("creation_ts")),
        modified_date=_time(bug.find("delta_ts")),
        closed_date=_closed(history) if state is State.DONE else None,
        module=_chosen(bug, "component"),
        found_version=_chosen(bug, "version"),
        target_version=_chosen(bug, "target_milestone"),
        extra=_extra(bug) | _people(bug),
        comments=tuple(each for each in comments if each.number != 0),
        history=history,
        attachments=tuple(_file(each, base, number) for each in bug.each("attachment")),
        relations=tuple(_relations(bug)),
        warnings=warnings,
    )


def _chosen(bug: Element, field: str) -> str | None:
    words = bug.find(field)
    return None if words in ("", _NONE) else words


def _time(words: str | None) -> datetime | None:
    moment = parse_date(words, _UTC)
    return None if moment is None else moment.astimezone(UTC)


def _comment(node: Element, place: int) -> CommentRecord:
    count = node.find("comment_count")  # from 4.0 on
    number = int(count[:9]) if count and count.isascii() and count.isdecimal() else place
    return CommentRecord(
        source_id=node.find("commentid") or None,
        number=number,
        author=node.find("who") or None,
        content=node.find("thetext") or "",
        commented_at=_time(node.find("bug_when")),
        is_private=node.attributes.get("isprivate") == "1",
    )


def _file(node: Element, base: str, bug: str) -> AttachmentRecord:
    number = node.find("attachid") or ""
    if not (number.isascii() and number.isdecimal()):
        raise PageRejected(f"The XML of bug {bug} has a file without a number.")
    size = node.find("size") or ""
    marks = [word for word in ("obsolete", "private") if node.attributes.get(f"is{word}") == "1"]
    summary = node.find("desc") or ""
    return AttachmentRecord(
        source_id=number,
        filename=node.find("filename") or "",
        file_type="patch" if node.attributes.get("ispatch") == "1" else node.find("type") or None,
        file_size=int(size) if size.isascii() and size.isdecimal() and len(size) < 18 else None,
        download_url=f"{base}/attachment.cgi?id={number}",
        author=node.find("attacher") or None,
        attached_at=_time(node.find("date")),
        description=f"{summary} ({', '.join(marks)})".strip() if marks else summary or None,
    )


def _closed(history: Sequence[ChangeRecord]) -> datetime | None:
    """When the bug got its resolution; pages in other languages call it otherwise, and then nobody knows."""
    times = [each.changed_at for each in history if each.field_name == "Resolution" and each.new_value]
    return next((time for time in reversed(times) if time is not None), None)


def _relations(bug: Element) -> Iterator[RelationRecord]:
    for field, kind in _RELATIONS.items():
        for each in bug.each(field):
            if other := each.text():
                yield RelationRecord(related_issue_id=other, relation_type=kind)


def _extra(bug: Element) -> dict[str, Json]:
    """What has no field of its own, under the names of the XML; several of a name make a list."""
    extra: dict[str, Json] = {}
    for child in bug.children:
        words = child.text()
        if child.name == "flag":
            asked = child.attributes.get("requestee")
            words = child.attributes.get("name", "") + child.attributes.get("status", "")
            words += f"({asked})" if asked else ""
        if child.name in _OWN or words in ("", _NONE):
            continue
        known = extra.get(child.name)
        if isinstance(known, list):
            known.append(words)
        else:
            extra[child.name] = words if known is None else [known, words]
    return extra


def _people(bug: Element) -> dict[str, Json]:
    names: dict[str, Json] = {}
    waiting = [bug]
    while waiting:
        each = waiting.pop()
        waiting += each.children
        login, shown = each.text(), each.attributes.get("name")
        if each.name in ("reporter", "assigned_to", "who", "attacher", "qa_contact") and login and shown:
            names |= {login: shown} if shown != login else {}
    return {"display names": dict(sorted(names.items()))} if names else {}
