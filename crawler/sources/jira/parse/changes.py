"""Read the history, from the issue's own answer and from the pages of what was cut off it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from crawler.errors import PageCut
from crawler.json_document import JsonNode
from crawler.records import ChangeRecord
from crawler.sources.jira.parse.people import People

_NEVER = datetime.min.replace(tzinfo=UTC)
_TYPES = {
    "link": "relation",
    "epic link": "relation",
    "epic child": "relation",
    "parent": "relation",
    "issueparentassociation": "relation",
    "remoteissuelink": "relation",
    "attachment": "attachment",
    "comment": "comment",
}


class Changes(Struct, frozen=True, kw_only=True):
    """The history of an issue, the oldest entry first."""

    records: tuple[ChangeRecord, ...]
    announced: int | None
    earlier_keys: tuple[str, ...]
    warnings: tuple[str, ...]


def read_changes(inside: JsonNode | None, further: Sequence[JsonNode], people: People) -> Changes:
    """Read it; an entry of Jira with several fields is several changes.

    Args:
        inside: the issue's own changelog.
        further: the whole list, in pages; none where the changelog has it or this Jira has no such list.
        people: learns who made the changes.

    Raises:
        PageCut: fewer entries came than Jira announces, though it gives the whole list.
    """
    if inside is None and not further:
        return Changes(
            records=(), announced=None, earlier_keys=(), warnings=("Jira's answer has no history.",)
        )
    entries: dict[str, JsonNode] = {}
    for page in [inside] if inside is not None else []:
        entries |= {node.at("id").key(): node for node in page.each("histories")}
    for page in further:
        entries |= {node.at("id").key(): node for node in page.each("values")}
    last = further[-1] if further else inside
    total = None if last is None else last.optional_integer("total")
    missing = max((total or 0) - len(entries), 0)
    if missing and further:
        raise PageCut(f"Jira announces {total} entries of history and gives {len(entries)}.")
    ordered = sorted(entries.values(), key=_order)
    records = tuple(record for entry in ordered for record in _changes(entry, people))
    keys = [each.old_value for each in records if each.field_name == "Key" and each.old_value]
    warning = f"This Jira keeps {missing} of {total} entries of the issue's history to itself."
    return Changes(
        records=records,
        announced=len(records) + missing,
        earlier_keys=tuple(dict.fromkeys(keys)),
        warnings=(warning,) if missing else (),
    )


def _order(entry: JsonNode) -> tuple[datetime, int, str]:
    number = entry.at("id").key()
    return entry.optional_time("created") or _NEVER, len(number), number


def _changes(entry: JsonNode, people: People) -> Iterator[ChangeRecord]:
    number = entry.at("id").key()
    author, moment = people.name(entry.find("author")), entry.optional_time("created")
    for place, item in enumerate(entry.each("items")):
        field = item.at("field").text()
        yield ChangeRecord(
            source_id=f"{number}/{place}",
            changed_by=author,
            changed_at=moment,
            change_type=_TYPES.get(field.casefold(), "field"),
            field_name=field,
            old_value=_words(item, "fromString", "from"),
            new_value=_words(item, "toString", "to"),
        )


def _words(item: JsonNode, shown: str, stored: str) -> str | None:
    """A value as people know it, else as it is stored; lists of ids stand there as texts."""
    words = item.optional_text(shown)
    node = item.find(stored)
    if words or node is None:
        return words
    return node.value if isinstance(node.value, str) else str(node.integer())
