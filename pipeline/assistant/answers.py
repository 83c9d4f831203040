"""What an assistant is answered: one shape a tool, published as its output schema.

Texts that come from trackers stand in the fields of these shapes and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.assistant.fence import CAUTION


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class Answer(Shape):
    """What every answer says of itself."""

    left_out: Annotated[str, Field(description="what is left out, and until when what is stored is complete")]
    complete_as_of: Annotated[
        datetime | None,
        Field(description="when the newest complete crawl ended; null: there is none"),
    ] = None
    sources: Annotated[list[str], Field(description="addresses of the issues that the answer rests on")] = []
    caution: Annotated[str, Field(description="how to take what trackers say")] = CAUTION


class Hit(Shape):
    """An issue that was found."""

    issue_id: str
    tracker: str | None
    title: str | None
    product: str | None
    status: str | None
    url: str | None


class FoundHit(Hit):
    """An issue that has the words."""

    rank: float
    snippet: str | None
    found_in: Annotated[str | None, Field(description="title, description, comment N, or attachment NAME")]


class SearchAnswer(Answer):
    """Hits of a search, the best first."""

    understood: Annotated[str, Field(description="the question in the query syntax")]
    hits: list[FoundHit]


class SimilarHit(Hit):
    """An issue that is like another one."""

    score: float
    terms: Annotated[list[str], Field(description="what both have, the most telling first")]


class SimilarAnswer(Answer):
    """Issues like one, the most alike first."""

    hits: list[SimilarHit]


class PastIssue(Shape):
    """An issue as it was."""

    issue_id: str
    tracker: str | None
    title: str | None
    status: str | None
    state: str | None
    priority: str | None
    owner: str | None
    url: str | None


class PastAnswer(Answer):
    """Issues as they were at a time."""

    at: datetime
    issues: list[PastIssue]


class Event(Shape):
    """Something that happened to an issue."""

    at: datetime | None
    kind: Annotated[str, Field(description="comment, change or file")]
    author: str | None
    text: str


class FilePart(Shape):
    """A part of a file's text."""

    member: Annotated[str, Field(description="a name inside of an archive; empty: the file itself")]
    first_line: int | None
    text: str


class File(Shape):
    """An attached file."""

    number: Annotated[int, Field(description="what show takes as file")]
    name: str | None
    size: int | None
    kind: str | None
    text: Annotated[str | None, Field(description="how its text begins; null: there is none")] = None
    why_no_text: str | None = None
    parts: Annotated[list[FilePart], Field(description="of the file that was asked for")] = []


class Relation(Shape):
    """A relation to another issue."""

    relation: str | None
    issue_id: str
    title: str | None


class IssueAnswer(Answer):
    """An issue with what happened to it, in the order of time."""

    issue_id: str
    tracker: str | None
    title: str | None
    fields: Annotated[dict[str, str], Field(description="what the issue has, the tracker's own fields too")]
    description: str | None
    timeline: list[Event]
    files: list[File]
    relations: list[Relation]


class FlowRow(Shape):
    """Issues that came and went in a stretch of time."""

    bucket_start: datetime
    created: int
    closed: int
    open_at_end: int


class ProductRow(Shape):
    """A product's issues."""

    product: str | None
    issues: int
    open: int


class QuestionRow(Shape):
    """A question that was asked."""

    query: str | None
    count: int


class StatsAnswer(Answer):
    """Figures of the days before now."""

    days: int
    sessions: dict[str, float | int | None]
    issues: dict[str, int | None]
    products: list[ProductRow]
    top_queries: list[QuestionRow]
    flow: list[FlowRow]


class QueryAnswer(Answer):
    """How a question is understood."""

    text: Annotated[str, Field(description="the question in the query syntax")]
    language: str
    method: str
    confidence: float
    explanation: str
    filters: dict[str, str]
    synonyms: list[str]


class SqlAnswer(Answer):
    """The rows of a statement."""

    columns: list[str]
    rows: Annotated[
        list[list[str | int | float | bool | None]],
        Field(description="values as JSON has them; arrays, JSON and rows as their text"),
    ]


def sources_of(rows: list[dict[str, Any]]) -> list[str]:
    """The addresses of issues, each once, without what is none."""
    return list(dict.fromkeys(row["url"] for row in rows if is_address(row.get("url"))))


def is_address(url: object) -> bool:
    """Tell whether something is the address of a page, and nothing but that."""
    return (
        isinstance(url, str)
        and url.startswith(("https://", "http://"))
        and len(url) <= 2000
        and url.isascii()
        and url.isprintable()
        and " " not in url
    )


def only(names: type[Shape], row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a row what a shape has."""
    return {name: row[name] for name in names.model_fields if name in row}
