"""Values as Redmine writes them: times of every version, references by id and name, lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crawler.dates import FIRST_YEAR, LAST_YEAR, parse_date
from crawler.json_document import JsonNode

_ZONE = ZoneInfo("UTC")


def moment_of(text: str) -> datetime | None:
    """Read `2026-01-02T03:04:05Z`, with or without a fraction, or `2011/01/24 13:59:25 -0800` of old."""
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return parse_date(text, _ZONE)
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def listed(node: JsonNode, name: str) -> Iterator[JsonNode]:
    """The elements of a list; none where it is absent. Null is no list."""
    fields = node.object()
    return JsonNode(fields[name], f"{node.path}.{name}").items() if name in fields else iter(())


def key_of(node: JsonNode, name: str) -> str | None:
    """The id of what a field refers to: ``{"id": 1, "name": "Bug"}``."""
    target = node.find(name)
    number = None if target is None else target.find("id")
    return None if number is None else number.key()


def name_of(node: JsonNode, name: str) -> str | None:
    """The name of what a field refers to."""
    target = node.find(name)
    return None if target is None else target.optional_text("name")


def texts_of(node: JsonNode) -> list[str]:
    """A value of a custom field, which is a text, several, or none, as a list."""
    value = node.value
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
