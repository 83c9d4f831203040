"""The server over HTTP: a personal database login with each request, and no right of its own."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import anyio
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from sqlalchemy import URL, make_url
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from db.acting import acting_as_person
from db.errors import DatabaseError, DatabaseRefused
from db.settings import rendered, with_account
from pipeline.assistant.asker import LONGEST, Asker
from pipeline.assistant.server import make_server
from pipeline.settings import Settings
from pipeline.tries import REST, Tries, sender

PATH = "/mcp"
_CHECKS = 8  # logins that are looked at at once
_OF_ONE = 4  # requests of one person's that are worked on; a personal login has 20 connections
_AFTER_A_WRONG_ONE = 0.5  # seconds until somebody is told that a login is wrong
_LONGEST_REQUEST = 3 * LONGEST  # seconds, however slowly it comes
_LONGEST_LOGIN = 1000  # characters
_ASKER = "ims.asker"
_LOGIN = "Log in with your database login: Basic, or Bearer with base64 of login:password."


def make_application(
    hosts: Sequence[str], address: str, settings: Settings, home: Path, *, everybody: bool, has_proxy: bool
) -> Starlette:
    """The application: who asks is found out before anything of the request is read.

    Args:
        hosts: what a request may call the server.
        address: the database's, whatever login is in it: that one is not used.
        settings: of the program.
        home: the data folder.
        everybody: admins and analysts see everybody's rows.
        has_proxy: a proxy of ours hands requests on, and says whose they are.
    """
    origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in hosts]
    security = TransportSecuritySettings(allowed_hosts=list(hosts), allowed_origins=origins)
    server = make_server(_asker_of, settings, home)
    answers = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=300_000,
        transport_security=security,
    )
    answers.add_middleware(_LoggedIn, address=make_url(address), everybody=everybody, has_proxy=has_proxy)
    return answers


def _asker_of(context: Context) -> Asker:
    request = context.request_context.request
    assert request is not None  # noqa: S101 - there is one over HTTP
    asker: Asker = request.scope[_ASKER]
    return asker


class _LoggedIn:
    """Lets a request through whose login the database lets in, a few of each person's at once."""

    def __init__(self, app: ASGIApp, address: URL, *, everybody: bool, has_proxy: bool) -> None:
        self._app = app
        self._address = address
        self._everybody = everybody
        self._has_proxy = has_proxy
        self._tries = Tries()
        self._checks = anyio.Semaphore(_CHECKS)
        self._turns: defaultdict[int, anyio.Semaphore] = defaultdict(lambda: anyio.Semaphore(_OF_ONE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] != "POST":  # nothing is ever told that was not asked for: no stream is kept open
            await _refusal(405, "Only POST is answered here.")(scope, receive, send)
            return
        asker = await self._asker(scope)
        if not isinstance(asker, Asker):
            await asker(scope, receive, send)
            return
        scope[_ASKER] = asker
        async with self._turns[asker.user_id]:
            with anyio.move_on_after(_LONGEST_REQUEST):
                await self._app(scope, receive, send)

    async def _asker(self, scope: Scope) -> Asker | JSONResponse:
        """Who asks, or what to say to somebody who is not let in."""
        headers, peer = Headers(scope=scope), (scope.get("client") or ("",))[0]
        account = read_account(headers.get("authorization", ""))
        if account is None:
            return _refusal(401, _LOGIN)
        # By login, too: an assistant with an old password, which asks on and on, puts nobody else out.
        who = (sender(peer, headers.get("x-forwarded-for", ""), has_proxy=self._has_proxy), account[0])
        if self._tries.are_used_up(who):
            return _refusal(429, "Too many wrong passwords came for this login: try again in five minutes.")
        try:
            async with self._checks:
                return await anyio.to_thread.run_sync(self._let_in, *account)
        except DatabaseRefused:
            self._tries.note(who)
            await anyio.sleep(_AFTER_A_WRONG_ONE)
            return _refusal(401, "The database does not let this login in.")
        except DatabaseError as error:
            return _refusal(503, str(error))

    def _let_in(self, login: str, password: str) -> Asker:
        url = rendered(with_account(self._address, login, password))
        with acting_as_person(url) as acting:
            return Asker(url=url, user_id=acting.user_id, is_person=True, everybody=self._everybody)


def read_account(header: str) -> tuple[str, str] | None:
    """Read a login and its password from the header of a request; None: there is none in it.

    Args:
        header: ``Basic`` or ``Bearer``, with base64 of ``login:password`` in UTF-8.
    """
    scheme, _, word = header.partition(" ")
    if scheme.lower() not in ("basic", "bearer") or len(word) > _LONGEST_LOGIN:
        return None
    word = word.strip().replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(word + "=" * (-len(word) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    login, _, password = text.partition(":")
    return (login, password) if login and password and "\0" not in text else None


def _refusal(status: int, sentence: str) -> JSONResponse:
    headers = {
        401: {"WWW-Authenticate": 'Basic realm="ims-crawl", charset="UTF-8"'},
        405: {"Allow": "POST"},
        429: {"Retry-After": f"{REST:.0f}"},
    }
    return JSONResponse({"error": sentence}, status_code=status, headers=headers.get(status))
