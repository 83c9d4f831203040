"""Read comments, from the issue's own answer and from the pages of what was cut off it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from crawler.errors import PageCut
from crawler.json_document import JsonNode
from crawler.records import CommentRecord, Json
from crawler.sources.jira.parse.people import People
from crawler.sources.jira.parse.text import plain_of

_NEVER = datetime.min.replace(tzinfo=UTC)


class Comments(Struct, frozen=True, kw_only=True):
    """The comments of an issue, the oldest first."""

    records: tuple[CommentRecord, ...]
    announced: int | None
    sources: Mapping[str, Json]  # by the comment's id, where its text reads otherwise than it was written


def read_comments(inside: JsonNode | None, further: Sequence[JsonNode], people: People) -> Comments:
    """Read them.

    Args:
        inside: the issue's own field.
        further: the whole list, in pages; none where the field has it.
        people: learns who wrote them.

    Raises:
        PageCut: fewer came than Jira announces.
    """
    pages = [*([] if inside is None else [inside]), *further]
    found: dict[str, CommentRecord] = {}
    sources: dict[str, Json] = {}
    for page in pages:
        for node in page.each("comments"):
            record = _comment(node, people)
            found[record.source_id or ""] = record
            body = node.find("body")
            if body is not None and body.value != record.content:
                sources[record.source_id or ""] = body.value
    announced = None if not pages else pages[-1].optional_integer("total")
    if announced is not None and len(found) < announced:
        raise PageCut(f"Jira announces {announced} comments and gives {len(found)}.")
    records = sorted(found.values(), key=lambda each: (each.commented_at or _NEVER, _order(each.source_id)))
    return Comments(records=tuple(records), announced=len(found) if pages else None, sources=sources)


def _comment(node: JsonNode, people: People) -> CommentRecord:
    body = node.find("body")
    return CommentRecord(
        source_id=node.at("id").key(),
        author=people.name(node.find("author") or node.find("updateAuthor")),
        content="" if body is None else plain_of(body),
        commented_at=node.optional_time("created"),
        is_private=node.find("visibility") is not None or _is_internal(node),
    )


def _is_internal(node: JsonNode) -> bool:
    """Whether a service desk shows it to its agents only."""
    public = node.find("jsdPublic")
    return public is not None and not public.boolean()


def _order(number: str | None) -> tuple[int, str]:
    """Jira's ids are numbers, and a later one is a larger one."""
    number = number or ""
    return len(number), number
