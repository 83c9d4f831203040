"""The texts of attached files in the database: which are missing, and keeping one."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from msgspec import Struct

from db.queries import statements
from db.sanitize import INTEGER_MAX, storable_text

BEGINNING = 10_000  # characters of a file's text that stand in its own row, too
# Of a part: what is looked through to show one hit, and the length of the vector that is unpacked for it.
LONGEST_CONTENT = 25_000


class Selected(Struct, frozen=True, kw_only=True):
    """Whose files are meant, and which; with neither session nor tracker, all of them."""

    user_id: int
    session_id: int | None = None
    tracker_id: int | None = None
    positions: tuple[int, int] = (0, INTEGER_MAX)  # the first and the last place of an issue in the session


class KeptFile(Struct, frozen=True, kw_only=True):
    """A file whose bytes are here."""

    sha256: str
    filename: str
    file_type: str | None


class Part(Struct, frozen=True, kw_only=True):
    """A piece of a file's text, as ``FileTextPart`` has it."""

    member: str
    first_line: int
    line_numbers: Sequence[int] | None
    content: str


class Reading(Struct, frozen=True, kw_only=True):
    """What was read of a file, as ``FileText`` has it."""

    kind: str
    reader: int
    error: str | None
    members: int
    characters: int
    capped: bool
    codes: Sequence[str]
    parts: Sequence[Part]


async def unread(
    connection: psycopg.AsyncConnection, selected: Selected, *, reader: int, again: bool
) -> list[KeptFile]:
    """Files that are to be read, each content once.

    Args:
        connection: in a transaction that acts for the user.
        selected: among which.
        reader: the version of the reader: what an older one read is to be read again.
        again: so is everything else.
    """
    values = {
        "user_id": selected.user_id,
        "session_id": selected.session_id,
        "tracker_id": selected.tracker_id,
        "first": selected.positions[0],
        "last": selected.positions[1],
        "reader": reader,
        "again": again,
    }
    cursor = await connection.execute(statements("file_texts")["unread"], values)
    return [KeptFile(sha256=row[0], filename=row[1], file_type=row[2]) for row in await cursor.fetchall()]


async def save(connection: psycopg.AsyncConnection, *, user_id: int, sha256: str, reading: Reading) -> None:
    """Keep what a file says in place of what was kept before, and tell the rows of all files with its bytes.

    Args:
        connection: in a transaction that acts for the user.
        user_id: the owner.
        sha256: of the bytes.
        reading: what was read.
    """
    said = statements("file_texts")
    this = {"user_id": user_id, "sha256": sha256}
    await connection.execute(
        said["save"],
        {
            **this,
            "kind": reading.kind,
            "reader": reading.reader,
            "error": reading.error and storable_text(reading.error),
            "members": min(reading.members, INTEGER_MAX),
            "characters": reading.characters,
            "capped": reading.capped,
            "codes": list(reading.codes),
        },
    )
    await connection.execute(said["clear"], this)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            said["add"],
            [
                (
                    *(user_id, sha256, position, storable_text(part.member)),
                    min(part.first_line, INTEGER_MAX),
                    None if part.line_numbers is None else list(part.line_numbers),
                    storable_text(part.content),
                )
                for position, part in enumerate(
                    piece for whole in reading.parts for piece in split(whole, LONGEST_CONTENT)
                )
            ],
        )
    await follow(connection, user_id=user_id, sha256=sha256)


async def follow(connection: psycopg.AsyncConnection, *, user_id: int, sha256: str | None = None) -> None:
    """Have the files' rows say what was read of their bytes, of one content or all.

    So do files whose bytes another issue's file had before; texts of bytes that no file has any more go.
    """
    # The issues' own vectors have no part in it: nothing is to be made anew.
    await connection.execute(statements("loading")["begin"])
    values = {"user_id": user_id, "sha256": sha256, "beginning": BEGINNING}
    await connection.execute(statements("file_texts")["follow"], values)
    if sha256 is None:
        await connection.execute(statements("file_texts")["forget"], values)
    await connection.execute(statements("loading")["end"])


def split(part: Part, longest: int) -> list[Part]:
    """Cut a part between lines into parts of at most so many characters; a longer line is cut, too."""
    pieces: list[Part] = []
    lines = part.content.split("\n")
    start = size = 0
    for index, line in enumerate(lines):
        if index > start and size + len(line) > longest:
            pieces += _piece(part, lines, start, index, longest)
            start, size = index, 0
        size += len(line) + 1
    return [*pieces, *_piece(part, lines, start, len(lines), longest)]


def _piece(part: Part, lines: Sequence[str], start: int, end: int, longest: int) -> list[Part]:
    numbers = part.line_numbers
    content = "\n".join(lines[start:end])
    return [
        Part(
            member=part.member,
            first_line=part.first_line + start if numbers is None else numbers[start],
            line_numbers=None if numbers is None else numbers[start:end],
            content=content[at : at + longest],
        )
        for at in range(0, max(len(content), 1), longest)
    ]
