"""What holds for every request, before any page is asked, and what a browser is told to refuse."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.door import Door
from web.shown import failure, link
from web.visitors import Visitor

_LARGEST_FORM = 64 * 1024
_OPEN = ("/static/", "/enter", "/login")  # for who is not known yet
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Stands before the pages."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        """Stand before an application.

        Args:
            app: the pages.
            door: for whom they are.
        """
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in HEADERS.items()
                        if name.lower().encode() not in told
                    ),
                ]
            await send(message)

        request = Request(scope, receive)
        answer = await self._refusal(request)
        await (self._app if answer is None else answer)(scope, receive, send_with_headers)

    async def _refusal(self, request: Request) -> Response | None:
        """What is answered instead of a page; None: the page may be asked."""
        door = self._door
        state = request.state
        state.door, state.visitor, state.form = door, None, {}
        if request.headers.get("host", "").lower() not in door.hosts:
            return failure(request, 421, "host")
        if request.method not in ("GET", "HEAD", "POST"):
            return failure(request, 405, "method")
        state.visitor = door.visitors.find(request.cookies.get(door.cookie, ""))
        if request.method == "POST" and (refused := await self._read_form(request)) is not None:
            return refused
        is_open = request.url.path.startswith(_OPEN)
        if is_open or _is_known(state.visitor):
            return None
        if not door.has_logins:
            return failure(request, 403, "no_token")
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        is_worth_it = request.method == "GET" and target != "/"
        return RedirectResponse(link("/login", {"next": target} if is_worth_it else {}), 303)

    async def _read_form(self, request: Request) -> Response | None:
        """Take a form, if it is one of ours that comes from a page of ours."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return failure(request, 415, "method")
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST_FORM:
                return failure(request, 413, "too_large")
        try:
            request.state.form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
        except ValueError:
            return failure(request, 400, "form")
        origin = request.headers.get("origin")
        is_ours = origin in (None, "null") or urlsplit(origin).netloc.lower() in self._door.hosts
        # Pages are sent without a referrer, so a browser calls the origin of our own forms null.
        if not is_ours or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return failure(request, 403, "form")
        visitor: Visitor | None = request.state.visitor
        if visitor is None or not visitor.wrote(request.state.form.get("form_key", "")):
            return failure(request, 403, "form")
        return None


def _is_known(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.user_id is not None
