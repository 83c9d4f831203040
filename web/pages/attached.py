"""Attached files: what was read of them as a page, their bytes as a download and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pipeline.attachments.shown_text import numbered_lines, read_place, text_of
from pipeline.attachments.stored import chosen, name_for, opened
from pipeline.search.stored_issue import NoSuchIssue, find_issue
from web.answers import NotStored
from web.shown import asked, page

LINES = 2000  # a page
_PIECE = 1 << 18
# Were it shown after all, it would be in a room without doors.
_HEADERS = {"Content-Security-Policy": "sandbox; default-src 'none'"}


def text(request: Request) -> Response:
    """The lines that were read of a file, from a place on."""
    given = asked(request)
    with request.state.visitor.asking() as acting:
        this, files = _files(request, acting)
        place = read_place(given.get("place"), [each["filename"] for each in files])
        file = _by_number(files, given["file"]) if "file" in given else chosen(files, place.name)
        parts = text_of(acting, file)
    typed = given.get("from", "0")
    start = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
    lines = list(islice(numbered_lines(parts, place), start, start + LINES + 1))
    return page(
        request,
        "file.html",
        this=this,
        file=file,
        place=place,
        lines=lines[:LINES],
        further=start + LINES if len(lines) > LINES else None,
    )


def download(request: Request) -> Response:
    """The bytes."""
    with request.state.visitor.asking() as acting:
        _, files = _files(request, acting)
    file = _by_number(files, asked(request).get("file", ""))
    source = opened(request.state.door.home, file)
    stream = source.__enter__()  # closed when the last piece has gone
    return StreamingResponse(
        _pieces(source, stream),
        media_type="application/octet-stream",
        headers={**_HEADERS, "Content-Disposition": disposition(name_for(file))},
    )


def disposition(name: str) -> str:
    """A header by which a browser saves a file under its name, in any language, and shows it never."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "._- ") else "_" for each in name)
    told = quote(name.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{told}"


def _files(request: Request, acting: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    given = asked(request)
    try:
        found = find_issue(acting, given.get("id", ""), given.get("tracker") or None)
    except NoSuchIssue as error:
        raise NotStored(str(error)) from error
    rows = acting.rows("issue", "attachments", {"issue_pk": found["issue_pk"]})
    files = [{"number": number, **row} for number, row in enumerate(rows, 1)]
    return {"id": given.get("id", ""), "tracker": found["tracker"]}, files


def _by_number(files: list[dict[str, Any]], number: str) -> dict[str, Any]:
    for file in files:
        if str(file["attachment_id"]) == number:
            return file
    raise NotStored("no such file")


def _pieces(source: Any, stream: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := stream.read(_PIECE):
            yield piece
    finally:
        source.__exit__(None, None, None)
