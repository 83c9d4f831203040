"""Values as Roundup writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.dates import FIRST_YEAR, LAST_YEAR
from crawler.json_document import JsonNode


def moment_of(text: str) -> datetime | None:
    """Read `2026-01-02.03:04:05`, which is UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.replace(".", "T", 1)).replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def label_of(node: JsonNode) -> str | None:
    """What the target of a link is called: the one field beside its id and its address."""
    for name, value in node.object().items():
        if name not in ("id", "link") and isinstance(value, str):
            return value
    number = node.find("id")
    return None if number is None else number.key()


def linked(node: JsonNode, name: str) -> str | None:
    """What the target of a field is called."""
    target = node.find(name)
    return None if target is None else label_of(target)
