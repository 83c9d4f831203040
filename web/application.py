"""The page put together: which address shows what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.connections import keep_several
from web.answers import answered
from web.door import Door
from web.guard import Guard
from web.pages import attached, entrance, figures, issue, saved, search, sessions
from web.shown import asset_bytes, failure

AT_ONCE = 8  # questions; each has a connection, of which a personal login may have twenty
_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def application(door: Door) -> Starlette:
    """The pages behind their guard."""
    routes = [
        Route("/", answered(search.search)),
        Route("/issue", answered(issue.issue)),
        Route("/file", answered(attached.text)),
        Route("/download", answered(attached.download)),
        Route("/saved", answered(saved.saved)),
        Route("/saved", answered(saved.keep), methods=["POST"]),
        Route("/saved/forget", answered(saved.forget), methods=["POST"]),
        Route("/sessions", answered(sessions.sessions)),
        Route("/session", answered(sessions.receipt)),
        Route("/figures", answered(figures.figures)),
        Route("/enter", answered(entrance.enter)),
        Route("/login", answered(entrance.login)),
        Route("/login", answered(entrance.log_in), methods=["POST"]),
        Route("/logout", answered(entrance.log_out), methods=["POST"]),
        Route("/static/{name}", _asset),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={404: _not_there, 405: _not_so},
        lifespan=_alive,
    )


@asynccontextmanager
async def _alive(_: Starlette) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = AT_ONCE
    keep_several(AT_ONCE)
    yield


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    body = asset_bytes(name)
    if body is None:
        return failure(request, 404, "not_stored")
    kind = _KINDS[name.rpartition(".")[2]]
    # Its address changes with what is in it.
    return Response(body, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})


async def _not_there(request: Request, _: Exception) -> Response:
    return failure(request, 404, "not_stored")


async def _not_so(request: Request, _: Exception) -> Response:
    return failure(request, 405, "method")
