"""Read an issue from Jira's JSON, of Server, Data Center or Cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.records import AttachmentRecord, IssueRecord, Json, RelationRecord, State
from crawler.source import Connection, RawPage
from crawler.sources.jira.parse.changes import Changes, read_changes
from crawler.sources.jira.parse.comments import Comments, read_comments
from crawler.sources.jira.parse.extra import extra_of, severity_of
from crawler.sources.jira.parse.people import People
from crawler.sources.jira.parse.text import plain_of
from crawler.states import state_of

_KEY = re.compile(r"\w{1,200}-[0-9]{1,10}")
_STATES = {"new": State.OPEN, "indeterminate": State.IN_PROGRESS, "done": State.DONE}


class JiraParser:
    """Parser of issues; a connection's settings do not matter to it."""

    def __init__(self, connection: Connection) -> None:
        del connection

    def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read an issue from its pages.

        Raises:
            PageRejected: they are not what Jira promises, or a part of them is missing.
        """
        page = next((page for page in pages if page.part == "issue"), None)
        if page is None:
            raise PageRejected("The page of the issue is missing.")
        issue = read_json(page.body)
        further = {
            name: [
                read_json(each.body, what=f"${each.part}")
                for each in pages
                if each.part.startswith(f"{name}/")
            ]
            for name in ("comments", "changelog", "worklog")
        }
        return _read(issue, page.url, further)


def _read(issue: JsonNode, url: str, further: dict[str, list[JsonNode]]) -> IssueRecord:
    key = _text(issue.at("key"))
    if not _KEY.fullmatch(key):
        raise PageRejected("In the answer $.key is no key of an issue.")
    fields = issue.at("fields")
    people = People()
    status = fields.at("status")
    state = _state(status)
    description = fields.find("description")
    comments = read_comments(fields.find("comment"), further["comments"], people)
    changes = read_changes(issue.find("changelog"), further["changelog"], people)
    names = {name: node.text() for name, node in _members(issue.find("names"))}
    project = fields.find("project")
    reporter, owner = people.name(fields.find("reporter")), people.name(fields.find("assignee"))
    files = tuple(_file(each, url, people) for each in fields.each("attachment"))
    extra = extra_of(fields, names, further["worklog"], people)
    return IssueRecord(
        issue_id=key,
        url=_address(url, key),
        title=fields.at("summary").text().strip(),
        description=None if description is None else plain_of(description),
        product=None if project is None else project.optional_text("key"),
        status=_text(status.at("name")),
        state=state,
        priority=_name(fields, "priority"),
        severity=severity_of(fields, names),
        issue_type=_name(fields, "issuetype"),
        reporter=reporter,
        owner=owner,
        registered_date=fields.optional_time("created"),
        modified_date=fields.optional_time("updated"),
        closed_date=_closed(fields) if state is State.DONE else None,
        project_code=None if project is None else project.optional_text("key"),
        project_name=None if project is None else project.optional_text("name"),
        module=_names(fields, "components"),
        found_version=_names(fields, "versions"),
        fixed_version=_names(fields, "fixVersions"),
        extra=extra | _earlier(changes) | _markup(description, comments) | people.extra(),
        comments=comments.records,
        history=changes.records,
        attachments=files,
        relations=tuple(_relations(fields, names, key)),
        comments_announced=comments.announced,
        history_announced=changes.announced,
        warnings=changes.warnings,
    )


def _text(node: JsonNode) -> str:
    words = node.text().strip()
    if not words:
        raise PageRejected(f"In the answer {node.path} is empty.")
    return words


def _members(node: JsonNode | None) -> Iterator[tuple[str, JsonNode]]:
    if node is not None:
        for name in node.object():
            if (member := node.find(name)) is not None:
                yield name, member


def _state(status: JsonNode) -> State:
    category = status.find("statusCategory")
    told = None if category is None else category.optional_text("key")
    return _STATES.get(told or "") or state_of(status.optional_text("name"))


def _name(fields: JsonNode, field: str) -> str | None:
    node = fields.find(field)
    return None if node is None else node.optional_text("name")


def _names(fields: JsonNode, field: str) -> str | None:
    names = [each.optional_text("name") for each in fields.each(field)]
    return ", ".join(filter(None, names)) or None


def _closed(fields: JsonNode) -> datetime | None:
    return fields.optional_time("resolutiondate") or fields.optional_time("statuscategorychangedate")


def _address(url: str, key: str) -> str:
    """The page of the issue for people; behind the gateway for scoped tokens, what was asked."""
    base, api, _ = url.partition("/rest/api/")
    return f"{base}/browse/{quote(key)}" if api and "/ex/jira/" not in base else url


def _file(node: JsonNode, url: str, people: People) -> AttachmentRecord:
    """An attached file; the address that Jira tells is of the host that its administrator wrote down once."""
    number, name = node.at("id").key(), node.optional_text("filename") or ""
    base = url.partition("/rest/api/")[0]
    place = f"secure/attachment/{_quoted(number)}/{_quoted(name)}"
    if "/rest/api/3/" in url:
        # Without a redirect to another host, whose address would be a key to the file.
        place = f"rest/api/3/attachment/content/{_quoted(number)}?redirect=false"
    return AttachmentRecord(
        source_id=number,
        filename=name,
        file_type=node.optional_text("mimeType"),
        file_size=node.optional_integer("size"),
        download_url=f"{base}/{place}",
        author=people.name(node.find("author")),
        attached_at=node.optional_time("created"),
    )


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _relations(fields: JsonNode, names: dict[str, str], key: str) -> Iterator[RelationRecord]:
    for link in fields.each("issuelinks"):
        kind = link.find("type")
        for side, words in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
            other = link.find(side)
            if other is not None:
                told = None if kind is None else kind.optional_text(words) or kind.optional_text("name")
                yield _relation(other, told or "related")
    parent = fields.find("parent")
    if parent is not None:
        yield _relation(parent, "parent")
    for child in fields.each("subtasks"):
        yield _relation(child, "subtask")
    for field, name in names.items():
        value = fields.object().get(field)
        if name == "Epic Link" and isinstance(value, str) and value not in ("", key):
            yield RelationRecord(related_issue_id=value, relation_type="epic")


def _relation(other: JsonNode, kind: str) -> RelationRecord:
    fields = other.find("fields")
    return RelationRecord(
        related_issue_id=_text(other.at("key")),
        relation_type=kind,
        title=None if fields is None else fields.optional_text("summary"),
    )


def _earlier(changes: Changes) -> dict[str, Json]:
    """The keys that the issue had before it was moved."""
    return {"earlier keys": list(changes.earlier_keys)} if changes.earlier_keys else {}


def _markup(description: JsonNode | None, comments: Comments) -> dict[str, Json]:
    """The texts as they were written, where that is not how they read."""
    sources: dict[str, Json] = {}
    if description is not None and description.value != plain_of(description):
        sources["description"] = description.value
    if comments.sources:
        sources["comments"] = dict(comments.sources)
    if not sources:
        return {}
    told = [description.value] if description is not None else []
    is_adf = any(isinstance(each, dict) for each in [*told, *comments.sources.values()])
    return {"markup": {"format": "adf" if is_adf else "jira", **sources}}
