"""What a file says, line by line, each member of an archive under its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from crawler.errors import UsageError
from db.acting import Acting, acting_for

_PLACE = re.compile(r"(.+):([0-9]{1,9})", re.DOTALL)
AROUND = 20  # lines before one that is asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where in a file to begin."""

    name: str | None  # of the file
    member: str | None = None  # of an archive, in one within it after another !/
    line: int | None = None


def read_place(text: str | None, names: Iterable[str]) -> Place:
    """Take a place apart as a search tells it: ``dump.zip!/server.log:1204``.

    Args:
        text: as it was typed.
        names: of the issue's files; one that looks like a place is a name all the same.
    """
    known = set(names)
    if text is None or text in known:
        return Place(name=text)
    line = None
    if (told := _PLACE.fullmatch(text)) is not None:
        text, line = told[1], int(told[2])
    if text in known:
        return Place(name=text, line=line)
    name, mark, member = text.partition("!/")
    return Place(name=name, member=member if mark else None, line=line)


def parts_of(user_id: int, file: dict[str, Any]) -> list[dict[str, Any]]:
    """The pieces of a file's text, in order.

    Raises:
        UsageError: no text was read.
    """
    with acting_for(user_id, everybody=False) as acting:
        return text_of(acting, file)


def text_of(acting: Acting, file: dict[str, Any]) -> list[dict[str, Any]]:
    """As :func:`parts_of`, in a transaction that is there already."""
    rows: list[dict[str, Any]] = []
    if file["downloaded"] and file["sha256"] is not None:
        rows = acting.rows("issue", "file_text", {"user_id": file["user_id"], "sha256": file["sha256"]})
    if not rows:
        raise UsageError(f"No text of {file['filename']!r} is stored. {unread(file)}")
    return rows


def unread(file: dict[str, Any]) -> str:
    """Why a file has no text, in one sentence."""
    if not file["downloaded"]:
        from pipeline.attachments.stored import absence

        return absence(file)
    if file["text_error"]:
        return f"It could not be read: {file['text_error']}"
    if file["kind"] is None:
        return "It was not read yet: reparse --attachments."
    return "There is none in it."


def lines_of(parts: list[dict[str, Any]], place: Place, *, numbered: bool = False) -> Iterator[str]:
    """The lines of a text, under the names of its members, with a mark where some are not kept.

    Raises:
        UsageError: it has no such member.
    """
    member: str | None = ""
    for line in numbered_lines(parts, place):
        if line.member != member:
            member = line.member
            yield f"=== {member}"
        if line.follows_gap:
            yield "…"
        yield f"{line.number:>7}  {line.text}" if numbered or place.line is not None else line.text


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file."""

    member: str  # of an archive; empty: the file itself
    number: int
    text: str
    follows_gap: bool  # lines before it were not kept


def numbered_lines(parts: list[dict[str, Any]], place: Place) -> Iterator[Line]:
    """The lines of a text with their numbers, from a little before a place on.

    Raises:
        UsageError: it has no such member.
    """
    wanted = [part for part in parts if place.member in (None, part["member"])]
    if not wanted:
        known = ", ".join(dict.fromkeys(part["member"] for part in parts if part["member"]))
        raise UsageError(f"The file has no text of {place.member!r}. It has: {known or 'its own text'}.")
    member, last = None, 0
    first = 1 if place.line is None else max(1, place.line - AROUND)
    for part in wanted:
        if part["member"] != member:
            member, last = part["member"], 0
        numbers = part["line_numbers"] or count(part["first_line"])
        for number, line in zip(numbers, part["content"].split("\n"), strict=False):
            if number >= first:
                yield Line(part["member"], number, line, last >= first and number > last + 1)
            last = number
