"""Names of the ids that an issue's history tells: which are wanted, and the side page that brings them.

History and custom fields hold numbers of statuses, versions, people. The source looks those up that the issue
itself does not name, and puts them into a page of their own, so that reading an issue needs nobody to ask.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from crawler.errors import PageRejected
from crawler.json_document import JsonNode, read_json
from crawler.sources.redmine.parse.values import key_of, listed, name_of, texts_of

PART: Final = "names"

# The attributes of an issue that are ids: what each is called without its ending, and what it is a number of.
ATTRIBUTES: Final = {
    "status_id": ("status", "statuses"),
    "tracker_id": ("tracker", "trackers"),
    "priority_id": ("priority", "priorities"),
    "project_id": ("project", "projects"),
    "category_id": ("category", "categories"),
    "fixed_version_id": ("fixed_version", "versions"),
    "assigned_to_id": ("assigned_to", "users"),
    "author_id": ("author", "users"),
}
# The formats of custom fields whose values are ids.
FORMATS: Final = {"user": "users", "version": "versions"}

Wanted = tuple[str, str]  # what it is a number of, and the number


class CustomField(Struct, frozen=True):
    """What an administrator is told of a custom field."""

    name: str
    format: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)  # of its values, where they are numbers


class Names(Struct, frozen=True):
    """Names by what they are of and their ids."""

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fields: Mapping[str, CustomField] = field(default_factory=dict)
    closed: Mapping[str, bool] = field(default_factory=dict)  # by the status's id
    identifiers: Mapping[str, str] = field(default_factory=dict)  # by the project's id

    def name(self, kind: str, key: str) -> str:
        """The name; the id itself where nobody tells it."""
        return self.names.get(kind, {}).get(key, key)

    def of_field(self, key: str, value: str) -> str:
        """A value of a custom field, in words."""
        about = self.fields.get(key)
        if about is None:
            return value
        kind = FORMATS.get(about.format)
        return self.name(kind, value) if kind is not None else about.labels.get(value, value)

    def page(self) -> bytes:
        """Write them down; the same names always give the same bytes."""
        fields = {
            key: {"name": each.name, "format": each.format, "labels": dict(each.labels)}
            for key, each in self.fields.items()
        }
        known = {
            "names": self.names,
            "fields": fields,
            "closed": self.closed,
            "identifiers": self.identifiers,
        }
        return json.dumps(known, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")


def read_names(body: bytes) -> Names:
    """Read the side page.

    Raises:
        PageRejected: it is none.
    """
    root = read_json(body)
    return Names(
        names={kind: _texts(node) for kind, node in _entries(root, "names")},
        fields={
            key: CustomField(
                name=node.at("name").text(),
                format=node.optional_text("format") or "",
                labels=_texts(node.at("labels")),
            )
            for key, node in _entries(root, "fields")
        },
        closed={key: node.boolean() for key, node in _entries(root, "closed")},
        identifiers=_texts(root.at("identifiers")),
    )


def _entries(root: JsonNode, name: str) -> Iterable[tuple[str, JsonNode]]:
    node = root.at(name)
    return [(key, JsonNode(value, f"{node.path}.{key}")) for key, value in node.object().items()]


def _texts(node: JsonNode) -> dict[str, str]:
    return {key: JsonNode(value, f"{node.path}.{key}").text() for key, value in node.object().items()}


def told_by(issue: JsonNode) -> dict[str, dict[str, str]]:
    """The names that the issue itself tells."""
    told: dict[str, dict[str, str]] = {kind: {} for _, kind in ATTRIBUTES.values()}
    for field_name, kind in ATTRIBUTES.values():
        _note(told[kind], issue, field_name)
    for journal in listed(issue, "journals"):
        _note(told["users"], journal, "user")
    for watcher in listed(issue, "watchers"):
        key, name = watcher.find("id"), watcher.optional_text("name")
        if key is not None and name:
            told["users"].setdefault(key.key(), name)
    return told


def _note(told: dict[str, str], node: JsonNode, field_name: str) -> None:
    key, name = key_of(node, field_name), name_of(node, field_name)
    if key is not None and name:
        told.setdefault(key, name)


def wanted_names(issue: JsonNode, told: Mapping[str, Mapping[str, str]]) -> set[Wanted]:
    """What has to be looked up before the issue can be read in words.

    Args:
        issue: as Redmine tells it.
        told: the names that it tells itself, see :func:`told_by`.

    Raises:
        PageRejected: the answer is no issue.
    """
    wanted: set[Wanted] = set()
    if (project := key_of(issue, "project")) is not None:
        wanted.add(("projects", project))  # its identifier, which issues do not tell
    status = issue.find("status")
    if status is not None and status.find("is_closed") is None and (key := status.find("id")) is not None:
        wanted.add(("statuses", key.key()))
    known = {node.at("id").key(): node for node in listed(issue, "custom_fields")}
    wanted |= {("fields", key) for key, node in known.items() if _may_be_ids(node.find("value"))}
    for journal in listed(issue, "journals"):
        for detail in listed(journal, "details"):
            wanted |= _wanted_by(detail, told, known)
    return wanted


def _wanted_by(
    detail: JsonNode, told: Mapping[str, Mapping[str, str]], known: Mapping[str, JsonNode]
) -> set[Wanted]:
    name, values = detail.at("name").key(), [detail.find("old_value"), detail.find("new_value")]
    if detail.optional_text("property") == "cf":
        return {("fields", name)} if name not in known or any(map(_may_be_ids, values)) else set()
    if name not in ATTRIBUTES or detail.optional_text("property") != "attr":
        return set()
    kind = ATTRIBUTES[name][1]
    keys = [node.key() for node in values if node is not None]
    return {(kind, key) for key in keys if key not in told[kind] and _is_id(key)}


def ids_in(node: JsonNode | None) -> list[str]:
    """The values of a custom field that look like ids."""
    return [] if node is None else [text for text in texts_of(node) if _is_id(text)]


def values_of_field(issue: JsonNode, key: str) -> list[str]:
    """Everything that looks like an id in a custom field's value and history."""
    found: list[str] = []
    for node in listed(issue, "custom_fields"):
        if node.at("id").key() == key:
            found += ids_in(node.find("value"))
    for journal in listed(issue, "journals"):
        for detail in listed(journal, "details"):
            if detail.optional_text("property") == "cf" and detail.at("name").key() == key:
                found += [each for side in ("old_value", "new_value") for each in ids_in(detail.find(side))]
    return found


def _may_be_ids(node: JsonNode | None) -> bool:
    return bool(ids_in(node))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10


def issue_in(root: JsonNode) -> JsonNode:
    """The issue in the answer to a question for one; some servers leave the wrapping out.

    Raises:
        PageRejected: there is none.
    """
    if "issue" in root.object():
        return root.at("issue")
    if "id" not in root.object():
        raise PageRejected("The answer has no issue in it.")
    return root
