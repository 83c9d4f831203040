"""How Bugzilla is asked, and what its errors mean.

It numbers its errors, and only these count: a proxy's 403 or 404 says nothing about a bug. From 5.1 on the
key goes in a header. The stock 5.0 knows no header at all and would answer as to anybody, so there the key
has to be a parameter; no address that is kept or shown has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from crawler.client import Client, Response
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    PageCut,
    PageRejected,
    TrackerError,
)
from crawler.json_document import JsonNode, read_json
from crawler.records import Json
from crawler.source import Connection
from crawler.sources.bugzilla.version import Version, find_version

_ANSWERS = (200, 400, 401, 404)
_NO_SUCH = frozenset({51, 100, 101})  # object, number or alias, bug
_NOT_SHOWN = frozenset({102, 106, 109, 110, 113, 115, 120})
_NO_LOGIN = frozenset({300, 301, 303, 304, 305, 306, 307, 410})
_NO_RESOURCE = 32614
_KEY_LENGTH = 40
_REFUSED = "Bugzilla refused the API key: make a new one under Preferences, API Keys."

Parameters = Sequence[tuple[str, str]]


class BugzillaApi:
    """A Bugzilla as one account may ask it."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._username = connection.username
        self._key = connection.password
        self._is_bearer = connection.options.get("bearer") is True
        self._headers = {"Accept": "application/json"}
        self._secret: list[tuple[str, str]] = []  # parameters, where no header is known
        self._version: Version | None = None
        self._asking = asyncio.Lock()

    async def version(self) -> Version:
        """What answers there, and that it knows the account; asked once.

        Raises:
            LoginRefused: it does not know it.
            NoApi: it has no REST API.
            TrackerError: this is no Bugzilla.
        """
        async with self._asking:
            if self._version is None:
                is_password = self._username is not None and not _is_made_by_bugzilla(self._key or "")
                version = await find_version(self._client, pages_first=is_password)
                if self._key is not None:
                    await self._log_in(version, self._key)
                self._version = version
        return self._version

    def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        version = self._version
        if version is None:
            return {}
        return {"api": version.api, "title": version.title, "by_parameter": bool(self._secret)}

    def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        if self._key is not None:
            if learnt.flag("by_parameter"):
                self._secret = _parameter(self._key)
            else:
                self._headers = self._headers | self._header(self._key)
        self._version = Version(api=learnt.at("api").text(), title=learnt.at("title").text())

    async def get(self, path: str, params: Parameters = ()) -> JsonNode:
        """Get what is below the API's address.

        Raises:
            NotFound, Forbidden: what Bugzilla says of a bug.
            LoginRefused: the key is not known any more.
            ItemError: Bugzilla fails at this.
            TrackerError: this is no answer of a Bugzilla.
        """
        version = await self.version()
        return await self._ask(f"{version.api}/{path}", params)

    async def _ask(self, address: str, params: Parameters) -> JsonNode:
        answer = await self._sent(address, params)
        told = _read(answer)
        if isinstance(told.value, dict) and told.value.get("error"):
            raise error_of(told)
        if answer.status != 200:
            raise TrackerError(
                f"The server answers with status {answer.status} and not as a Bugzilla: ask its"
                " administrators."
            )
        return told

    async def _sent(self, address: str, params: Parameters) -> Response:
        try:
            return await self._client.get(
                address, params=[*params, *self._secret], headers=self._headers, accept=_ANSWERS
            )
        except (NotFound, Forbidden) as error:  # of a status that Bugzilla does not give
            raise TrackerError(f"{error} Bugzilla itself would say why: ask its administrators.") from error

    async def _log_in(self, version: Version, key: str) -> None:
        """Find out how the key is sent, and that it is known."""
        in_headers = self._headers | self._header(key)
        answer = await self._client.get(f"{version.api}/whoami", headers=in_headers, accept=_ANSWERS)
        told = _read(answer)
        if isinstance(told.value, dict) and told.value.get("error"):
            if _is_unknown(told) and not self._is_bearer:
                await self._log_in_by_parameter(version, key)
                return
            error = error_of(told)
            if isinstance(error, LoginRefused):
                raise error
            raise TrackerError(f"Bugzilla does not say whether it knows the key: {error}")
        name: str | None = None
        with suppress(PageRejected):
            if answer.status == 200 and (told.optional_integer("id") or 0) > 0:
                self._headers = in_headers
                name = told.optional_text("name") or ""
        if name is None:
            raise LoginRefused(_REFUSED)
        if self._username is not None and name.casefold() not in ("", self._username.casefold()):
            raise LoginRefused(self._not_theirs())

    async def _log_in_by_parameter(self, version: Version, key: str) -> None:
        self._secret = _parameter(key)
        try:
            if self._username is None:
                # A wrong key is an error at any question.
                await self._ask(f"{version.api}/bug", [("limit", "1"), ("id", "1"), ("include_fields", "id")])
                return
            told = await self._ask(f"{version.api}/valid_login", [("login", self._username)])
            is_known = told.flag("result")
        except ItemError as error:
            raise TrackerError(f"Bugzilla does not say whether it knows the key: {error}") from error
        if not is_known:
            raise LoginRefused(self._not_theirs())

    def _header(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if self._is_bearer else {"X-BUGZILLA-API-KEY": key}

    def _not_theirs(self) -> str:
        return f"Bugzilla knows the API key, but not as one of {self._username}: give another name or key."


def _parameter(key: str) -> list[tuple[str, str]]:
    return [("Bugzilla_api_key", key)]


def _is_made_by_bugzilla(secret: str) -> bool:
    """Whether a secret looks like the keys that Bugzilla makes, and not like somebody's password."""
    return len(secret) == _KEY_LENGTH and secret.isascii() and secret.isalnum()


def error_of(told: JsonNode) -> CrawlError:
    """What an error of Bugzilla's means; its words may be in any language."""
    with suppress(PageRejected):
        code = told.optional_integer("code") or 0
        if code in _NO_SUCH:
            return NotFound(f"Bugzilla has no such bug (error {code}).")
        if code in _NOT_SHOWN:
            return Forbidden(f"Bugzilla does not show this to the account (error {code}).")
        if code in _NO_LOGIN:
            return LoginRefused(_REFUSED if code != 410 else "Bugzilla shows nothing without a login.")
        if code == 32000:
            return LoginRefused("Bugzilla wants another way to log in: give it an API key.")
        return ItemError(f"Bugzilla fails with its error {code}.")
    return ItemError("Bugzilla fails and does not say with which error.")


def _is_unknown(told: JsonNode) -> bool:
    with suppress(PageRejected):
        return told.optional_integer("code") == _NO_RESOURCE
    return False


def _read(answer: Response) -> JsonNode:
    try:
        return read_json(answer.body)
    except PageRejected as error:
        if isinstance(error, PageCut) and answer.status == 200:
            raise
        raise TrackerError(
            f"{error} Look whether the address is that of a Bugzilla, and whether one gets to it without a"
            " further login."
        ) from error
