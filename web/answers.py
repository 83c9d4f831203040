"""From a page's function to an answer, whatever goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import CrawlError, UsageError
from db.acting import login_user
from db.errors import DatabaseError, DatabaseRefused, TooSlow, ValueRefused
from db.refusals import in_our_words
from pipeline.defect import keep_trace
from pipeline.logs import told
from web.shown import failure

View = Callable[[Request], Response]


class NotStored(UsageError):
    """What an address names is not there, or not for this visitor; which of them is not told."""


def answered(view: View) -> Callable[[Request], Awaitable[Response]]:
    """Run a view beside the event loop; an error becomes a page with one sentence."""

    @wraps(view)
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answer, view, request)

    return answer


def _answer(view: View, request: Request) -> Response:
    try:
        return view(request)
    except Exception as error:
        return _explained(request, in_our_words(error))


def _explained(request: Request, error: Exception) -> Response:
    if isinstance(error, NotStored):
        return failure(request, 404, "not_stored")
    if isinstance(error, UsageError | ValueRefused):
        return failure(request, 400, "usage", told(error))
    if isinstance(error, DatabaseRefused):
        if _is_out(request):
            return failure(request, 403, "refused")
        return failure(request, 403, "usage", told(error))
    if isinstance(error, TooSlow):
        return failure(request, 503, "too_long")
    if isinstance(error, DatabaseError | CrawlError):
        return failure(request, 503, "database", told(error))
    return failure(request, 500, "defect", f"This is a defect of ims-crawl. {keep_trace(error)}")


def _is_out(request: Request) -> bool:
    """Tell whether a visitor's login is one no more, and end their session then."""
    visitor = request.state.visitor
    if visitor is None or visitor.url is None:
        return False
    try:
        login_user(visitor.url)
    except DatabaseRefused:
        request.state.door.visitors.dismiss(visitor)
        request.state.visitor = None
        return True
    return False
