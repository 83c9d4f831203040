"""What an issue has and the record has no field for, under the names that people know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crawler.errors import PageCut
from crawler.json_document import JsonNode
from crawler.markup import adf
from crawler.records import Json
from crawler.sources.jira.parse.people import People
from crawler.sources.jira.parse.text import plain_of

_OWN = frozenset({
    "summary", "description", "project", "status", "priority", "issuetype", "reporter", "assignee", "created",
    "updated", "resolutiondate", "components", "versions", "fixVersions", "comment", "attachment",
    "issuelinks", "parent", "subtasks", "worklog", "environment",
    "lastViewed",  # changes whenever the account looks at the issue
    "thumbnail",
})  # fmt: skip
_OURS = frozenset({"markup", "display names", "account ids", "earlier keys", "worklog", "environment"})
# Addresses of pictures and of the API, and what is the account's own.
_NOISE = frozenset({
    "self", "avatarUrls", "iconUrl", "avatarId", "isWatching", "hasVoted", "expand",
})  # fmt: skip


def extra_of(
    fields: JsonNode, names: Mapping[str, str], worklog: Sequence[JsonNode], people: People
) -> dict[str, Json]:
    """Everything that says something.

    Raises:
        PageCut: a part of the work log is missing.
    """
    extra: dict[str, Json] = {}
    for field, value in sorted(fields.object().items()):
        shown = None if field in _OWN else shown_value(value)
        if shown in (None, "", [], {}):
            continue
        name = names.get(field, field)
        extra[f"{name} ({field})" if name in extra or name in _OURS else name] = shown
    environment = fields.find("environment")
    if environment is not None and environment.value:
        extra["environment"] = plain_of(environment)
    work = _work(fields.find("worklog"), worklog, people)
    return extra | ({"worklog": work} if work else {})


def severity_of(fields: JsonNode, names: Mapping[str, str]) -> str | None:
    """The value of a field that the administrators called so; Jira has none of its own."""
    for field, name in sorted(names.items()):
        if name.casefold() == "severity":
            shown = shown_value(fields.object().get(field))
            if isinstance(shown, str) and shown:
                return shown
    return None


def shown_value(value: Json) -> Json:
    """A value as people see it: a person's or an option's name in place of all that Jira knows of them."""
    if isinstance(value, list):
        return [shown_value(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "doc" and isinstance(value.get("content"), list):
        return adf.plain(value)
    if value == {"progress": 0, "total": 0}:
        return None
    option = value.get("value")
    if isinstance(option, str) and option:
        child = value.get("child")
        below = shown_value(child) if isinstance(child, dict) else None
        return f"{option} - {below}" if isinstance(below, str) else option
    for name in ("displayName", "name"):
        words = value.get(name)
        if isinstance(words, str) and words:
            return words
    kept = {name: each for name, each in value.items() if name not in _NOISE and each is not None}
    return {name: shown_value(each) for name, each in kept.items()}


def _work(inside: JsonNode | None, further: Sequence[JsonNode], people: People) -> list[Json]:
    """Who worked on it, when and for how long."""
    pages = [*([] if inside is None else [inside]), *further]
    found: dict[str, Json] = {}
    for page in pages:
        for node in page.each("worklogs"):
            found[node.at("id").key()] = _entry(node, people)
    total = None if not pages else pages[-1].optional_integer("total")
    if total is not None and len(found) < total:
        raise PageCut(f"Jira announces {total} entries of the work log and gives {len(found)}.")
    return [found[key] for key in sorted(found, key=lambda key: (len(key), key))]


def _entry(node: JsonNode, people: People) -> Json:
    comment, started = node.find("comment"), node.optional_time("started")
    entry: dict[str, Json] = {
        "author": people.name(node.find("author")),
        "started": None if started is None else started.isoformat(),
        "time": node.optional_text("timeSpent"),
        "seconds": node.optional_integer("timeSpentSeconds"),
    }
    if comment is not None:
        entry["comment"] = plain_of(comment)
    return {name: value for name, value in entry.items() if value not in (None, "")}
