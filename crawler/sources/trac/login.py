"""How one logs in to a Trac: by HTTP Basic, by HTTP Digest, or by the form that a plugin puts in their place.

Trac's answer to a question without a password tells which. So no password goes over the wire in plain words
where the tracker wants Digest, which is there to avoid that.
"""

from __future__ import annotations

import base64
import re
from http.cookiejar import Cookie

from msgspec import Struct

from crawler.client import Client
from crawler.errors import ItemError, LoginRefused, TrackerError
from crawler.html import LexborDocument, Node
from crawler.http.library import httpx
from crawler.http.response import Response
from crawler.source import Connection
from crawler.sources.trac.parse.markup import is_logged_in

_COOKIE = "trac_auth"
_DIGEST = re.compile(r"(?:^|,\s*)(digest\s.*)", re.IGNORECASE | re.DOTALL)
_ACCEPTED = (200, 302, 303, 401, 403)


class _Form(Struct, frozen=True, kw_only=True):
    action: str
    user: str  # the name of the field for it
    password: str
    hidden: tuple[tuple[str, str], ...]


class TracLogin:
    """Logs in as one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._username = connection.username or ""
        self._password = connection.password or ""
        self._address = f"{connection.base_url.rstrip('/')}/login"
        self._client = client
        self._headers: dict[str, str] = {}  # what has worked, for the next time; Digest's works only once

    async def log_in(self) -> Cookie | None:
        """Log in; returns the cookie to keep.

        Raises:
            LoginRefused: name or password are wrong.
            TrackerError: the tracker does not take a login in any of these ways.
        """
        for cookie in self._cookies():
            self._client.cookies.clear(cookie.domain, cookie.path, cookie.name)
        try:
            answer = await self._ask(self._headers)
            headers = self._headers
            if answer.status == 401:
                headers = self._answer_to(answer.headers.get("www-authenticate", ""))
                answer = await self._ask(headers)
            if answer.status == 401:
                raise LoginRefused(f"Trac refused the login of {self._username}.")
            if not self._cookies() and (form := _form_in(answer.text)) is not None:
                await self._send(form)
            if cookies := self._cookies():
                return cookies[0]
            answer = await self._ask(headers)
        except ItemError as error:
            raise TrackerError(f"The tracker does not take a login as a Trac does: {error}") from error
        if not is_logged_in(answer.text):
            raise TrackerError("The tracker takes a login neither by HTTP nor by a form at /login.")
        return None

    async def _ask(self, headers: dict[str, str]) -> Response:
        # The redirect leads to the front page, which nobody needs.
        return await self._client.get("login", headers=headers, accept=_ACCEPTED, retry=False)

    def _answer_to(self, challenge: str) -> dict[str, str]:
        found = _DIGEST.search(challenge)
        if found is not None:
            return {"Authorization": self._digest(found[1])}
        pair = f"{self._username}:{self._password}"
        self._headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}
        return self._headers

    def _digest(self, challenge: str) -> str:
        flow = httpx.DigestAuth(self._username, self._password).auth_flow(httpx.Request("GET", self._address))
        request = next(flow)
        try:
            asked = httpx.Response(401, headers={"www-authenticate": challenge}, request=request)
            return flow.send(asked).headers["Authorization"]
        except (httpx.ProtocolError, StopIteration, KeyError, NotImplementedError, ValueError) as error:
            raise TrackerError("The tracker asks for a login by HTTP Digest of an unknown kind.") from error

    async def _send(self, form: _Form) -> None:
        fields = [*form.hidden, (form.user, self._username), (form.password, self._password)]
        answer = await self._client.post(form.action or "login", data=fields, accept=_ACCEPTED, retry=False)
        if not self._cookies() and _form_in(answer.text) is not None:
            raise LoginRefused(f"Trac refused the login of {self._username}.")

    def _cookies(self) -> list[Cookie]:
        return [cookie for cookie in self._client.cookies if cookie.name == _COOKIE and cookie.value]


def _form_in(html: str) -> _Form | None:
    """The form for name and password; None: the page has none."""
    document = LexborDocument(html)
    for form in document.select("form"):
        password = form.select_one('input[type="password"]')
        inputs = form.select("input[name]")
        user = next((each for each in inputs if _kind(each) in ("text", "email")), None)
        if password is None or user is None:
            continue
        hidden = [each for each in inputs if _kind(each) == "hidden"]
        return _Form(
            action=form.attribute("action") or "",
            user=user.attribute("name") or "",
            password=password.attribute("name") or "",
            hidden=tuple((each.attribute("name") or "", each.attribute("value") or "") for each in hidden),
        )
    return None


def _kind(field: Node) -> str:
    return (field.attribute("type") or "text").lower()
