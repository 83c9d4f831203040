"""What the tools take: every argument is bounded, and published with its bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from db.sanitize import storable_text

COUNTED = 500  # hits are counted up to here

_Storable = AfterValidator(storable_text)
_Word = Annotated[str, StringConstraints(min_length=1, max_length=200), _Storable]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    _Storable,
    Field(description="words (+required -excluded 'a phrase'), or a question in English, Korean or Japanese"),
]
Pasted = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50_000),
    _Storable,
    Field(description="a text, such as a stack trace; its first line counts as a title does"),
]
Number = Annotated[_Word, Field(description="the issue's number or key")]
TrackerName = Annotated[_Word, Field(description="the tracker's name")]
Word = Annotated[_Word, Field(description="as it is stored")]
When = Annotated[_Word, Field(description="2026-01-31, 2026-01-31T08:30, yesterday or 7d; in UTC")]
Span = Annotated[_Word, Field(description="A..B, A.. or ..B of such times, or one like last week")]
Statement = Annotated[
    str,
    StringConstraints(min_length=1, max_length=10_000),
    Field(description="one SELECT (or WITH … SELECT, VALUES, TABLE), in PostgreSQL's SQL"),
]
State = Literal["open", "in_progress", "done", "unknown"]
Places = Annotated[
    list[Literal["title", "description", "comments", "attachments"]],
    Field(max_length=4, description="where the words are looked for; left out: everywhere"),
]
Limit = Annotated[int, Field(ge=1, le=100, description="at most this many")]
Rows = Annotated[int, Field(ge=1, le=1000, description="at most this many rows")]
Offset = Annotated[int, Field(ge=0, le=100_000, description="skip this many")]
HitOffset = Annotated[int, Field(ge=0, le=COUNTED - 1, description="skip this many")]
FileNumber = Annotated[int, Field(ge=1, le=100_000, description="a file's number: its text")]
Characters = Annotated[int, Field(ge=500, le=200_000, description="of all texts together")]
Days = Annotated[int, Field(ge=1, le=36_500, description="to look back")]
