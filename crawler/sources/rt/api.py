"""Request Tracker's answers: who asks, what a status means, and lists that are read to their ends."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Final

from crawler.client import Client, Response
from crawler.errors import (
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
)
from crawler.json_document import JsonNode, read_json
from crawler.source import Connection, RawPage
from crawler.sources.rt.parse.values import rows_of, total_of

PAGE: Final = 100  # the most that RT gives
ROOT: Final = "REST/2.0/"
NOT_RT: Final = (
    "The address does not answer like a Request Tracker with REST 2.0: give the address of its front page; RT"
    " before 5.0 needs the extension RT::Extension::REST2."
)
_MOST_PAGES: Final = 1000
_ANSWERS: Final = (200, 400, 401, 403, 404)

Params = Mapping[str, str]
# Whether the rows of a page that is not full are the last ones.
IsEnd = Callable[[list[JsonNode]], bool]


class Api:
    """The REST interface of one RT, as one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._username = connection.username
        self._headers = _headers(connection)

    async def version(self) -> str:
        """Log in: the version, which RT tells nobody that it does not know.

        Raises:
            LoginRefused: token, name or password are wrong, or there is none.
            TrackerError: it is no RT.
        """
        try:
            answer = await self._client.get(f"{ROOT}rt", headers=self._headers, accept=_ANSWERS)
            if answer.status == 401:
                raise LoginRefused(self._refusal())
            if answer.status == 403:
                raise NotPermitted(
                    "RT lets this account in, but not to its REST interface: ask its administrators."
                )
            if answer.status != 200:
                raise TrackerError(NOT_RT)
            return read_json(answer.body).at("Version").text()
        except ItemError as error:
            raise TrackerError(f"{NOT_RT} {error}") from error

    async def ask(self, path: str, params: Params, what: str) -> Response:
        """Get one answer.

        Raises:
            NotFound: RT says that it has no such thing.
            Forbidden: RT does not show it to the account.
            NotPermitted: the account is no longer known.
            ItemError: the answer is not RT's.
        """
        answer = await self._get(path, params)
        if answer.status == 200:
            return answer
        if answer.status == 400:
            raise ItemError(f"{what} cannot be had: RT did not understand the question.")
        if not _is_told_by_rt(answer):
            raise PageRejected(f"{what} is refused with status {answer.status} by something that is not RT.")
        if answer.status == 404:
            raise NotFound(f"{what} does not exist.")
        raise Forbidden(f"{what} is not shown to this account.")

    async def find(self, path: str, params: Params) -> JsonNode | None:
        """Get what is looked up beside a ticket; None: there is none, or it is not shown.

        Raises:
            ItemError: the answer is not RT's.
        """
        answer = await self._get(path, params)
        return read_json(answer.body) if answer.status == 200 else None

    async def pages(
        self, path: str, params: Params, part: str, what: str, is_end: IsEnd = lambda rows: True
    ) -> list[RawPage]:
        """Get a list to its end, the oldest row first.

        Only to administrators RT tells how many rows there are; for others it leaves those out that they may
        not see, so that a page may not be full though more follow.

        Raises:
            ItemError: the list cannot be had.
        """
        pages: list[RawPage] = []
        seen: set[str] = set()
        while len(pages) < _MOST_PAGES:
            asked = {"orderby": "id", "order": "ASC", "per_page": str(PAGE), **params}
            answer = await self.ask(path, {**asked, "page": str(len(pages) + 1)}, what)
            body = read_json(answer.body)
            rows, total = rows_of(body), total_of(body)
            pages.append(RawPage.of(answer, f"{part}/{len(pages) + 1}"))
            known = len(seen)
            seen |= {row.at("id").key() for row in rows}
            if total is not None and len(seen) >= total:
                return pages
            if not rows or (total is None and len(rows) < PAGE and is_end(rows)):
                return pages
            if len(seen) == known:
                raise PageRejected(f"{what} cannot be had: RT gives the same page of a list again.")
        raise PageRejected(f"{what} has a list without an end.")

    async def _get(self, path: str, params: Params) -> Response:
        answer = await self._client.get(
            ROOT + path, params=dict(params), headers=self._headers, accept=_ANSWERS
        )
        if answer.status == 401:
            raise NotPermitted(f"RT no longer knows the account. {self._refusal()}")
        return answer

    def _refusal(self) -> str:
        if not self._headers:
            return "RT lets no stranger in: store the tracker with a token."
        if self._username is not None:
            return (
                f"RT refused the login of {self._username}: check the name and password; where people log in"
                " elsewhere, make a token (Settings, Auth Tokens) and give no user name."
            )
        return "RT refused the token: make a new one under Settings, Auth Tokens."


def _is_told_by_rt(answer: Response) -> bool:
    """Whether a refusal is RT's own, and not that of a proxy or of a server whose RT has gone."""
    try:
        return read_json(answer.body).optional_text("message") is not None
    except PageRejected:
        return False


def _headers(connection: Connection) -> dict[str, str]:
    if not connection.password:
        return {}
    if connection.username is None:
        return {"Authorization": f"token {connection.password}"}
    pair = f"{connection.username}:{connection.password}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}
