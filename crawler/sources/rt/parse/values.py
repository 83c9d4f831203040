"""Values as Request Tracker writes them: times, references to people and queues, pages of lists."""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.dates import FIRST_YEAR, LAST_YEAR
from crawler.errors import PageRejected
from crawler.json_document import JsonNode

_UNSET = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(text: str) -> datetime | None:
    """Read ``2026-01-02T03:04:05Z``; None for nonsense and for 1970-01-01, which is how RT writes no time."""
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR and moment != _UNSET else None


def rows_of(page: JsonNode) -> list[JsonNode]:
    """The rows of a page of a list."""
    return list(page.at("items").items())


def total_of(page: JsonNode) -> int | None:
    """How many rows the whole list has, where RT tells."""
    total = page.optional_integer("total")
    if total is not None and total < 0:
        raise PageRejected("In the answer $.total is below nothing.")
    return total


def id_of(node: JsonNode, name: str) -> str | None:
    """The id of what a field refers to: of people their login names; an empty text is none."""
    value = node.object().get(name)
    if isinstance(value, dict):
        target = node.at(name).find("id")
        return None if target is None else target.key()
    return text_of(node, name)


def text_of(node: JsonNode, name: str) -> str | None:
    """A field's text; numbers are written as such, and RT writes nothing as an empty text."""
    found = node.find(name)
    return (found.key() or None) if found is not None else None


def lines_of(text: str) -> str:
    """A text with line feeds as the ends of its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
