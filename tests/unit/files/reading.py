"""Files that tests make, read without a process around."""

from __future__ import annotations

import io
from collections.abc import Callable

from crawler.files.file_text import FileText
from crawler.files.reading import read_file


def read(
    content: bytes, name: str = "file", *, seconds: float = 30, report: Callable[[str], object] | None = None
) -> FileText:
    """What a file of these bytes says; what nobody has foreseen fails the test."""
    reports: list[str] = []
    text = read_file(io.BytesIO(content), name, len(content), seconds, report or reports.append)
    assert not reports, reports[0]
    return text


def said(text: FileText, member: str = "") -> str:
    """All text of one member."""
    return "\n".join(part.text for part in text.parts if part.member == member)


def numbered(text: FileText, member: str = "") -> list[tuple[int, str]]:
    """Each line of a member with its number."""
    lines = []
    for part in text.parts:
        if part.member == member:
            for at, line in enumerate(part.text.split("\n")):
                number = part.first_line + at if part.line_numbers is None else part.line_numbers[at]
                lines.append((number, line))
    return lines


def members(text: FileText) -> list[str]:
    """The names, in order."""
    return list(dict.fromkeys(part.member for part in text.parts))
