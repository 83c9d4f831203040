"""The texts of one file."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

READER_VERSION = 1  # raised when a file may give more, or other, text than before

# Of a file's texts together. A page of a book has 2,000 characters: this is one of 500 pages, which nobody
# reads, and as much as full-text search can rank without its vector outgrowing the file's use.
MOST_CHARACTERS = 1 << 20
LONGEST_PART = 100_000  # characters; the vector of one part stays far below PostgreSQL's 1 MB
LONGEST_MEMBER = 1_000  # characters of a member's name with those of the archives around it

_Line = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Count = Annotated[int, Meta(ge=0, le=2**53)]


class TextPart(Struct, frozen=True, kw_only=True, array_like=True):
    """A stretch of text. Its lines are parted by a line feed only: `text.split("\\n")`."""

    member: Annotated[str, Meta(max_length=LONGEST_MEMBER)]
    """'' for the file itself, else the name of what is in it, made safe to show: `a.zip!/x.log`, a sheet."""
    first_line: _Line
    """The number of the first line of text: as `grep -n` counts in a text; in a PDF the page, in a sheet the
    row, in a presentation the slide; in other documents, HTML and mails of the text as it was read."""
    line_numbers: tuple[_Line, ...] | None
    """A number for each line of text, where they do not go up by one; a very long line is several here."""
    text: Annotated[str, Meta(max_length=LONGEST_PART)]
    """Without NUL, lone surrogates, carriage returns and escape sequences."""


class FileText(Struct, frozen=True, kw_only=True, array_like=True):
    """What a file is, and what it says."""

    kind: Annotated[str, Meta(pattern="^[a-z0-9]{1,20}$")]
    """By its content: text, log, patch, csv, json, xml, html, mail, pdf, docx, zip, picture, binary, ..."""
    parts: tuple[TextPart, ...] = ()
    members: _Count = 0
    """How many files are in the archive, as far as was looked; sheets and pages are none."""
    characters: _Count = 0
    """Of the parts together."""
    capped: bool = False
    """Whether there is more text than was kept, or more of the file than was read."""
    error: Annotated[str, Meta(max_length=1_000)] | None = None
    """One sentence: why there is no text, or which part of it could not be read."""
