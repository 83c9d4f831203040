"""Reads an issue out of GitHub's answer for it, its timeline and its comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.markup.source_texts import SourceTexts
from crawler.records import AttachmentRecord, CommentRecord, IssueRecord, Json, RelationRecord
from crawler.source import Connection, RawPage
from crawler.sources.github.address import place_in
from crawler.sources.github.parse.files import files_in
from crawler.sources.github.parse.keys import key_of, number_in, repository_of
from crawler.sources.github.parse.timeline import (
    REPOSITORY,
    change_of,
    key_of_entry,
    person,
    relations_of,
)
from crawler.states import state_of

_READ: Final = frozenset(
    {
        *("number", "title", "body", "state", "user", "assignee", "assignees", "milestone", "labels", "type"),
        *(
            "created_at",
            "updated_at",
            "closed_at",
            "comments",
            "id",
            "closed_by",
            "pull_request",
            "repository",
        ),
        *("body_html", "body_text", "node_id", "performed_via_github_app", "reactions"),
    }
)


class GitHubParser:
    """Parser of one repository's issues."""

    def __init__(self, connection: Connection) -> None:
        place = place_in(connection.base_url)
        self._repository = "" if place is None else place.name

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue.

        Raises:
            PageRejected: an answer is not as GitHub promises it.
        """
        parts = {page.part: page for page in pages}
        if "issue" not in parts:
            raise PageRejected("The page of the issue is missing.")
        if "timeline/1" not in parts:
            raise PageRejected("The timeline of the issue is missing.")
        side = parts.get(REPOSITORY)
        here = self._repository if side is None else read_json(side.body).at("full_name").text()
        issue = read_json(parts["issue"].body)
        number = str(issue.at("number").integer())
        if number_in(parts["issue"].url) != number:
            raise PageRejected(f"The answer is of issue {number}, not of {number_in(parts['issue'].url)!r}.")
        timeline = _entries(pages, "timeline")
        listed = _entries(pages, "comments") if "comments/1" in parts else None
        return _record(issue, here, timeline, listed)


def _entries(pages: Sequence[RawPage], name: str) -> list[JsonNode]:
    """The entries of a list of several pages, each once, though it shifted while it was read."""
    found: list[JsonNode] = []
    seen: set[tuple[str, str]] = set()
    for page in pages:
        if page.part.partition("/")[0] != name:
            continue
        for entry in read_json(page.body, what=f"${page.part}").items():
            key = key_of_entry(entry)
            if key is None or key not in seen:
                found.append(entry)
            if key is not None:
                seen.add(key)
    return found


def _record(
    issue: JsonNode, here: str, timeline: list[JsonNode], listed: list[JsonNode] | None
) -> IssueRecord:
    title, status = issue.at("title").text(), issue.at("state").text()
    if not title.strip():
        raise PageRejected("The issue has no title.")
    texts = SourceTexts("markdown")
    body = issue.optional_text("body")
    commented = [entry for entry in timeline if entry.optional_text("event") == "commented"]
    others = [entry for entry in timeline if entry.optional_text("event") != "commented"]
    posts = commented if listed is None else listed
    web = issue.optional_text("html_url")
    changes = tuple(change_of(entry, here) for entry in others)
    milestone = issue.find("milestone")
    project = repository_of(issue) or here
    return IssueRecord(
        issue_id=key_of(issue, here),
        url=web,
        title=title,
        description=None if body is None else texts.description(body),
        product=here if project.casefold() == here.casefold() else project,
        status=status,
        state=state_of(status),
        issue_type=_type(issue),
        reporter=person(issue, "user"),
        owner=_owner(issue),
        registered_date=issue.optional_time("created_at"),
        modified_date=issue.optional_time("updated_at"),
        closed_date=issue.optional_time("closed_at"),
        target_version=None if milestone is None else milestone.optional_text("title"),
        comments=tuple(_comment(entry, texts) for entry in posts),
        history=changes,
        attachments=tuple(_attachments(issue, posts, web)),
        relations=tuple(_relations(issue, timeline, here)),
        extra=_extra(issue, _closer(issue, others), texts),
        comments_announced=issue.optional_integer("comments"),
        history_announced=len(others),
    )


def _comment(entry: JsonNode, texts: SourceTexts) -> CommentRecord:
    key = entry.at("id").key()
    return CommentRecord(
        source_id=key,
        author=person(entry, "user") or person(entry, "actor"),
        content=texts.comment(key, entry.optional_text("body") or ""),
        commented_at=entry.optional_time("created_at"),
    )


def _type(issue: JsonNode) -> str | None:
    kind = issue.find("type")
    name = None if kind is None else kind.optional_text("name")
    return name or ("pull request" if issue.find("pull_request") is not None else None)


def _owner(issue: JsonNode) -> str | None:
    names = [name for each in issue.each("assignees") if (name := each.optional_text("login"))]
    return ", ".join(names) or person(issue, "assignee")


def _closer(issue: JsonNode, timeline: Sequence[JsonNode]) -> str | None:
    """Who closed it: the list does not tell it, the timeline and the issue alone do."""
    if issue.optional_text("state") != "closed":
        return person(issue, "closed_by")
    closings = [entry for entry in timeline if entry.optional_text("event") == "closed"]
    return (person(closings[-1], "actor") if closings else None) or person(issue, "closed_by")


def _extra(issue: JsonNode, closer: str | None, texts: SourceTexts) -> dict[str, Json]:
    """What has no field of a record; addresses within the API say nothing to anybody."""
    extra: dict[str, Json] = {
        name: value
        for name, value in issue.object().items()
        if name not in _READ and name != "url" and not name.endswith("_url")
    }
    # Labels of old answers are bare names.
    extra["labels"] = [
        each.value if isinstance(each.value, str) else each.at("name").text() for each in issue.each("labels")
    ]
    extra["id"] = issue.object().get("id")
    if closer is not None:
        extra["closed_by"] = closer
    if (reactions := issue.find("reactions")) is not None:
        counts: dict[str, Json] = {
            name: count for name, count in reactions.object().items() if name != "url" and count
        }
        if counts:
            extra["reactions"] = counts
    if (pull := issue.find("pull_request")) is not None:
        extra["merged_at"] = pull.object().get("merged_at")
    if (sources := texts.sources()) is not None:
        extra["markup"] = sources
    return extra


def _attachments(issue: JsonNode, posts: Sequence[JsonNode], web: str | None) -> list[AttachmentRecord]:
    host = _host(web)
    found: dict[str, AttachmentRecord] = {}
    for node in (issue, *posts):
        text, moment = node.optional_text("body") or "", node.optional_time("created_at")
        for file in files_in(text, host, author=person(node, "user"), moment=moment):
            found.setdefault(file.download_url or "", file)
    return list(found.values())


def _host(web: str | None) -> str:
    try:
        return urlsplit(web or "").netloc
    except ValueError:
        return ""


def _relations(issue: JsonNode, timeline: list[JsonNode], here: str) -> list[RelationRecord]:
    found = {(each.related_issue_id, each.relation_type): each for each in relations_of(timeline, here)}
    parent = issue.optional_text("parent_issue_url")
    if parent and number_in(parent).isascii() and number_in(parent).isdecimal():
        named = JsonNode({"number": int(number_in(parent)), "url": parent})
        key = key_of(named, here)
        found.setdefault((key, "parent"), RelationRecord(related_issue_id=key, relation_type="parent"))
    return list(found.values())
