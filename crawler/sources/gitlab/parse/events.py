"""What happened to an issue's labels, state, milestone, weight and iteration: GitLab's resource events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crawler.json_document import JsonNode
from crawler.records import ChangeRecord
from crawler.sources.gitlab.parse.people import People

_STATES: Final = {"closed": "closed", "reopened": "opened", "opened": "opened"}
_DONE: Final = {"add": "added", "remove": "removed"}

Values = tuple[str | None, str | None, str]  # before, after, in words


def _label(event: JsonNode) -> Values:
    return _added(event, "label", _named(event, "label", "name", "title"))


def _milestone(event: JsonNode) -> Values:
    return _added(event, "milestone", _named(event, "milestone", "title", "name"))


def _iteration(event: JsonNode) -> Values:
    name = _named(event, "iteration", "title")
    iteration = event.find("iteration")
    if name is None and iteration is not None:  # those of a cadence have no title
        days = [day for each in ("start_date", "due_date") if (day := iteration.optional_text(each))]
        name = " - ".join(days) or None
    return _added(event, "iteration", name)


def _weight(event: JsonNode) -> Values:
    before, after = event.optional_integer("previous_weight"), event.optional_integer("weight")
    words = "removed weight" if after is None else f"changed weight to {after}"
    return None if before is None else str(before), None if after is None else str(after), words


def _state(event: JsonNode) -> Values:
    told = event.at("state").text()
    after = _STATES.get(told, told)
    before = {"closed": "opened", "opened": "closed"}.get(after)
    commit = event.optional_text("source_commit")
    return before, after, f"{told} via commit {commit}" if commit else told


_READERS: Final[dict[str, tuple[str, Callable[[JsonNode], Values]]]] = {
    "resource_label_events": ("labels", _label),
    "resource_state_events": ("state", _state),
    "resource_milestone_events": ("milestone", _milestone),
    "resource_weight_events": ("weight", _weight),
    "resource_iteration_events": ("iteration", _iteration),
}
EVENTS: Final = tuple(_READERS)


def change_of(event: JsonNode, part: str, people: People) -> ChangeRecord:
    """Read an event.

    Args:
        event: as GitLab tells it.
        part: which list it is of, one of EVENTS.
        people: remembers who did it.

    Raises:
        PageRejected: it is not as GitLab promises it.
    """
    field, reader = _READERS[part]
    old, new, words = reader(event)
    return ChangeRecord(
        source_id=f"{part.split('_')[1]}-{event.at('id').key()}",
        changed_by=people.named(event, "user"),
        changed_at=event.optional_time("created_at"),
        field_name=field,
        old_value=old,
        new_value=new,
        description=words,
    )


def _added(event: JsonNode, what: str, name: str | None) -> Values:
    action = event.at("action").text()
    words = f"{_DONE.get(action, action)} {what} {name or '(which is deleted)'}"
    return (name, None, words) if action == "remove" else (None, name, words)


def _named(event: JsonNode, place: str, *fields: str) -> str | None:
    node = event.find(place)
    if node is None:
        return None
    return next((text for field in fields if (text := node.optional_text(field))), None)
