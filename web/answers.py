"""From a page's function to an answer, whatever goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from crawler.errors import CrawlError, UsageError
from db.acting import login_user
from db.errors import DatabaseError, DatabaseRefused, TooSlow, ValueRefused
from db.refusals import in_our_words
from pipeline.defect import keep_trace
from pipeline.logs import told
from web.shown import failure, language_of
from web.words import words_of

_LAST = Markup('</section><p class="wrong" role="alert">{}</p></main></body></html>\n')
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


def continued(request: Request, pieces: Iterator[str]) -> Iterator[str]:
    """The rest of a page that is under way; an error becomes its last sentence.

    Args:
        request: whom it answers.
        pieces: of the page, the last of which ends it.
    """
    try:
        yield from pieces
    except Exception as error:
        _, word, sentence = _reason(request, in_our_words(error))
        yield str(_LAST.format(sentence or words_of(language_of(request))[f"failure_{word}"]))


def _explained(request: Request, error: Exception) -> Response:
    return failure(request, *_reason(request, error))


def _reason(request: Request, error: Exception) -> tuple[int, str, str | None]:
    """What :func:`web.shown.failure` takes."""
    if isinstance(error, NotStored):
        return 404, "not_stored", None
    if isinstance(error, UsageError | ValueRefused):
        return 400, "usage", told(error)
    if isinstance(error, DatabaseRefused):
        return (403, "refused", None) if _is_out(request) else (403, "usage", told(error))
    if isinstance(error, TooSlow):
        return 503, "too_long", None
    if isinstance(error, DatabaseError | CrawlError):
        return 503, "database", told(error)
    return 500, "defect", f"This is a defect of ims-crawl. {keep_trace(error)}"


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
