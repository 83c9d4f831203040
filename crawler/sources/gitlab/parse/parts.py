"""The parts of an issue that GitLab gives apart, and the side page that tells which it did not give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crawler.json_document import JsonNode, read_json
from crawler.source import RawPage

PROJECT: Final = "project"  # the side page
EVENTS: Final = (
    "resource_label_events",
    "resource_state_events",
    "resource_milestone_events",
    "resource_weight_events",
    "resource_iteration_events",
)
EDITION_PARTS: Final = frozenset(EVENTS[3:])  # paid editions have them
PARTS: Final = ("notes", *EVENTS, "links")


def entries(pages: Sequence[RawPage], part: str) -> list[JsonNode]:
    """The entries of a list of several pages, each once, though it shifted while it was read."""
    found: list[JsonNode] = []
    seen: set[str] = set()
    for page in pages:
        if page.part.partition("/")[0] != part:
            continue
        for entry in read_json(page.body, what=f"${page.part}").items():
            key = entry.at("id").key()
            if part == "links":  # of which the id is that of the other issue
                key += f" {entry.optional_text('link_type')}"
            if key not in seen:
                found.append(entry)
            seen.add(key)
    return found


def warnings_of(side: JsonNode) -> list[str]:
    """What GitLab did not give, a sentence each."""
    node = side.find("refused")
    refused = {} if node is None else node.object()
    return [
        f"GitLab does not show the part {part} of the issue to this account: what it tells is missing here."
        for part, why in sorted(refused.items())
        if why == "denied" or part == "notes"
    ]
