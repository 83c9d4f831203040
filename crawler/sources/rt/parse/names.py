"""Names of the numbers that a ticket's history tells, and the side page that brings them.

The source looks up what the history has only numbers of, and whether the ticket's status is one of the open
ones of its queue's lifecycle, and puts that into a page of its own: reading a ticket needs nobody to ask.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from crawler.json_document import JsonNode, read_json
from crawler.sources.rt.parse.values import text_of

PART: Final = "names"
# Fields whose values are numbers of people, and of queues.
_FIELDS: Final = {
    "Owner": "user",
    "Requestor": "user",
    "Cc": "user",
    "AdminCc": "user",
    "Queue": "queue",
}
Wanted = tuple[str, str]  # what it is a number of, and the number


class Names(Struct, frozen=True, kw_only=True):
    """Names by what they are of and their numbers."""

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    is_closed: bool | None = None  # whether the lifecycle counts the ticket's status among the closed ones

    def value(self, field_name: str, value: str) -> str:
        """A value of a field in the history, by its name where that is known."""
        return self.names.get(_FIELDS.get(field_name, ""), {}).get(value, value)

    def page(self) -> bytes:
        """Write them down; the same names always give the same bytes."""
        known = {"names": self.names, "closed": self.is_closed}
        return json.dumps(known, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")


def read_names(body: bytes) -> Names:
    """Read the side page.

    Raises:
        PageRejected: it is none.
    """
    root = read_json(body)
    kinds = root.at("names").object()
    closed = root.find("closed")
    return Names(
        names={kind: _texts(JsonNode(kinds[kind], f"$.names.{kind}")) for kind in kinds},
        is_closed=None if closed is None else closed.boolean(),
    )


def _texts(node: JsonNode) -> dict[str, str]:
    return {key: JsonNode(value, f"{node.path}.{key}").text() for key, value in node.object().items()}


def wanted_names(transactions: Sequence[JsonNode]) -> set[Wanted]:
    """What has to be looked up before the history can be read in words."""
    wanted: set[Wanted] = set()
    for transaction in transactions:
        kind = _FIELDS.get(text_of(transaction, "Field") or "")
        values = [text_of(transaction, name) for name in ("OldValue", "NewValue")]
        if kind is not None:
            wanted |= {(kind, value) for value in values if value is not None and _is_number(value)}
    return wanted


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10 and text != "0"
