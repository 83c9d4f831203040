"""Who asks: the headers that say it, and whether Redmine knows them.

Redmine answers a list with 200 as to a stranger where the key is wrong, and so it does when a key is taken
back in the middle of a crawl. So the account is asked for by name, at the login, before a list is taken for
whole, and once a minute while issues are fetched. That answer has the key in it: it is looked at and
forgotten.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Final

from crawler.client import Client
from crawler.errors import ItemError, LoginRefused, NotPermitted, PageRejected, TrackerError
from crawler.json_document import read_json
from crawler.source import Connection

TRUSTED_FOR: Final = 60.0  # seconds
API_IS_OFF: Final = (
    "Redmine refuses its API (status 403): ask its administrators to switch on the REST web service"
    " (Administration, Settings, API); with a name and password also look whether the password must be"
    " changed."
)
NOT_REDMINE: Final = "The address does not answer like a Redmine: give the address of its front page."


class Account:
    """The account of one connection; without a secret, a stranger.

    Args:
        connection: the tracker and the secret.
        client: asks.
        clock: seconds that never go back.
    """

    def __init__(self, connection: Connection, client: Client, *, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._checked: float | None = None
        self._checking = asyncio.Lock()
        self._username = connection.username
        self.headers: Mapping[str, str] = _headers(connection)

    @property
    def is_stranger(self) -> bool:
        """Whether nobody logs in."""
        return not self.headers

    async def check(self, *, within: float = 0.0) -> None:
        """Ask Redmine who this is, unless it was asked within so many seconds.

        Raises:
            LoginRefused: it does not know key, name or password.
            NotPermitted: the API is off.
            TrackerError: it is no Redmine.
        """
        if self.is_stranger:
            return
        async with self._checking:
            if self._checked is not None and self._clock() - self._checked < within:
                return
            await self._ask()
            self._checked = self._clock()

    def trust(self) -> None:
        """Take the account for checked just now: another process of the session has done it."""
        self._checked = self._clock()

    async def _ask(self) -> None:
        try:
            answer = await self._client.get(
                "users/current.json", headers=self.headers, accept=(200, 401, 403, 404)
            )
        except ItemError as error:
            raise TrackerError(f"{NOT_REDMINE} {error}") from error
        if answer.status == 401 and self._username is not None:
            raise LoginRefused(
                f"Redmine refused the login of {self._username}: check the name and password; an account with"
                " two-factor authentication needs an API access key and no user name."
            )
        if answer.status == 401:
            raise LoginRefused(
                "Redmine refused the API access key: copy it from My account, API access key, Show."
            )
        if answer.status == 403:
            raise NotPermitted(API_IS_OFF)
        if answer.status == 404:
            raise TrackerError(NOT_REDMINE)
        try:
            user = read_json(answer.body).at("user")
            user.at("id").integer()
        except PageRejected as error:
            raise TrackerError(f"{NOT_REDMINE} {error}") from error


def _headers(connection: Connection) -> dict[str, str]:
    if not connection.password:
        return {}
    if connection.username is None:
        return {"X-Redmine-API-Key": connection.password}
    pair = f"{connection.username}:{connection.password}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}
