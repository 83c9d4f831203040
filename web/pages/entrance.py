"""Ways in and out: a token in the address, a login form, a farewell."""

from __future__ import annotations

import hmac
import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from db.acting import login_user
from db.errors import DatabaseRefused
from db.settings import personal_url
from pipeline.tries import Tries, sender
from web.door import Door
from web.pages.figures import USUAL
from web.shown import failure, page
from web.visitors import Visitor

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}")  # on this host, whatever a browser makes of it
_tries = Tries()


def enter(request: Request) -> Response:
    """Take the token, give a cookie, and lead to where no token is in the address."""
    door: Door = request.state.door
    token = request.query_params.get("token", "")
    if door.token is None or not hmac.compare_digest(token.encode(), door.token.encode()):
        return failure(request, 403, "wrong_token")
    return _welcomed(door, door.visitors.admit(door.user_id, door.user_name), "/")


def login(request: Request, status: int = 200, wrong: str | None = None) -> Response:
    """The form. Who has not logged in gets a cookie with it, so that the form can be told from another's."""
    door: Door = request.state.door
    if not door.has_logins:
        return failure(request, 404, "not_stored")
    then = (
        request.query_params.get("next", "/") if request.method == "GET" else request.state.form.get("next")
    )
    visitor = request.state.visitor
    is_new = visitor is None
    if is_new:
        visitor = request.state.visitor = door.visitors.admit()
    answer = page(request, "login.html", status=status, then=then or "/", wrong=wrong)
    return _give_cookie(door, visitor, answer) if is_new else answer


def log_in(request: Request) -> Response:
    """Open a connection as whoever this is: that the database lets it in is all the permission there is."""
    door: Door = request.state.door
    if door.database_url is None:
        return failure(request, 404, "not_stored")
    form, client = request.state.form, _client(request)
    name, password, then = form.get("name", ""), form.get("password", ""), form.get("next", "/")
    if _tries.are_used_up(client):
        return login(request, 429, "too_many_tries")
    # Without a password, the driver would look for one of this account's own.
    if not name or not password or "\0" in name + password:
        return login(request, 403, "wrong_login")
    url = personal_url(door.database_url, name, password)
    try:
        user_id = login_user(url)
    except DatabaseRefused:
        _tries.note(client)
        return login(request, 403, "wrong_login")
    door.visitors.dismiss(request.state.visitor)  # a key from before the login is no key any more
    visitor = door.visitors.admit(user_id, name, url)
    return _welcomed(door, visitor, then if _PATH.fullmatch(then) else "/")


def log_out(request: Request) -> Response:
    """End the session; what a browser kept of it opens nothing any more."""
    door: Door = request.state.door
    if request.state.visitor is not None:
        door.visitors.dismiss(request.state.visitor)
        request.state.visitor = None
    answer: Response = RedirectResponse("/login", 303) if door.has_logins else failure(request, 200, "left")
    answer.delete_cookie(door.cookie, path="/", secure=door.is_secure, httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache"'  # what one may come back to by going back, too
    return answer


def _client(request: Request) -> str:
    peer, forwarded = request.client, request.headers.get("x-forwarded-for", "")
    return sender(peer.host if peer else "", forwarded, has_proxy=request.state.door.has_proxy)


def _welcomed(door: Door, visitor: Visitor, target: str) -> Response:
    visitor.counts.begin(USUAL, visitor.asking)
    return _give_cookie(door, visitor, RedirectResponse(target, 303))


def _give_cookie(door: Door, visitor: Visitor, answer: Response) -> Response:
    answer.set_cookie(
        door.cookie, visitor.key, path="/", secure=door.is_secure, httponly=True, samesite="lax"
    )
    return answer
