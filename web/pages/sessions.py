"""Crawl sessions, and the receipt of one."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import UsageError
from pipeline.reports.receipt import receipt_of
from pipeline.sessions.listing import sessions_of
from web.answers import NotStored
from web.shown import page

LISTED = 50  # a page


def sessions(request: Request) -> Response:
    """The newest sessions first."""
    typed = request.query_params.get("offset", "0")
    offset = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
    with request.state.visitor.asking() as acting:
        rows = sessions_of(acting, limit=LISTED + 1, offset=offset)
    further = offset + LISTED if len(rows) > LISTED else None
    return page(request, "sessions.html", rows=rows[:LISTED], offset=offset, further=further, most=LISTED)


def receipt(request: Request) -> Response:
    """What a session found, stored, skipped and failed on, and why."""
    try:
        wanted = UUID(request.query_params.get("id", ""))
    except ValueError as error:
        raise NotStored("no id") from error
    with request.state.visitor.asking() as acting:
        try:
            found = receipt_of(acting, wanted)
        except UsageError as error:
            raise NotStored(str(error)) from error
    reasons = sorted(found["reasons"].items(), key=lambda pair: -pair[1])
    of_files = sorted(found["attachment_reasons"].items(), key=lambda pair: -pair[1])
    return page(request, "receipt.html", receipt=found, reasons=reasons, file_reasons=of_files)
