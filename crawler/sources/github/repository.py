"""The repository that a connection is of, and who asks for it."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from crawler.client import Client
from crawler.errors import (
    Forbidden,
    ItemError,
    LoginRefused,
    NotPermitted,
    PageRejected,
    TrackerError,
    UnknownProduct,
    UsageError,
)
from crawler.json_document import JsonNode, read_json
from crawler.records import Json
from crawler.source import Connection
from crawler.sources.github.address import place_in

ISSUES_OFF: Final = (
    "The repository has no issues: its administrators switch them on under Settings, General, Features."
)
_NO_ADDRESS: Final = "The address names no repository: give one such as https://github.com/OWNER/REPOSITORY."
_NOT_GITHUB: Final = "The address does not answer like a GitHub: give that of a repository."
_TOKEN: Final = "GitHub refused the token: it is wrong or expired, make a new one under /settings/tokens."  # noqa: S105 - no token
_NAME = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)


class Repository:
    """One repository; GitHub is asked for it once, since it may have another name by now."""

    def __init__(self, connection: Connection, client: Client) -> None:
        place = place_in(connection.base_url)
        self._client = client
        self._root, self._given = ("", "") if place is None else place
        self._name: str | None = None
        self._asking = asyncio.Lock()
        self._has_token = bool(connection.password)
        self.headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if connection.password:
            self.headers["Authorization"] = f"Bearer {connection.password}"

    async def login(self) -> None:
        """See :meth:`crawler.source.Source.login`."""
        if not self._given:
            raise UsageError(_NO_ADDRESS)
        try:
            if self._has_token:
                # Answered to nobody without a token; one of an app has no account, which is a 403.
                answer = await self._client.get(
                    f"{self._root}/user", headers=self.headers, accept=(200, 401, 404)
                )
                if answer.status == 401:
                    raise LoginRefused(_TOKEN)
        except Forbidden:
            pass
        except ItemError as error:
            raise TrackerError(f"{_NOT_GITHUB} {error}") from error
        self._name = None
        await self.known()

    def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return {"name": self._name}

    def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        name = learnt.optional_text("name")
        self._name = name if name is not None and _NAME.fullmatch(name) else None

    async def known(self) -> str:
        """Its full name as GitHub has it.

        Raises:
            CrawlError: as for a login.
        """
        async with self._asking:
            if self._name is None:
                self._name = await self._ask()
            return self._name

    async def path(self, rest: str, *, of: str | None = None) -> str:
        """Where something of it is on the host, or of another repository there."""
        return f"{self._root}/repos/{of or await self.known()}/{rest}"

    async def check_product(self, wanted: str) -> None:
        """Look whether a product is this repository.

        Raises:
            UnknownProduct: it is not.
        """
        name = await self.known()
        if wanted.casefold() not in (name.casefold(), name.partition("/")[2].casefold()):
            raise UnknownProduct(
                f"The tracker is the repository {name}, not {wanted!r}: each repository is a tracker of its"
                " own, added by its address."
            )

    async def _ask(self) -> str:
        try:
            answer = await self._client.get(
                f"{self._root}/repos/{self._given}", headers=self.headers, accept=(200, 401, 404)
            )
        except Forbidden as error:
            raise NotPermitted(
                f"GitHub does not let this account read {self._given}: look at the token's rights, and"
                " whether it is authorized for the organization's single sign-on."
            ) from error
        except ItemError as error:
            raise TrackerError(f"{_NOT_GITHUB} {error}") from error
        if answer.status == 401:
            raise LoginRefused(
                _TOKEN if self._has_token else "GitHub shows nothing to strangers: give a token."
            )
        if answer.status == 404:
            raise UnknownProduct(
                f"The account sees no repository {self._given}: check its name, and whether the token may"
                " read it."
            )
        try:
            return _name_of(read_json(answer.body))
        except PageRejected as error:
            raise TrackerError(f"{_NOT_GITHUB} {error}") from error


def _name_of(repository: JsonNode) -> str:
    name = repository.at("full_name").text()
    if not _NAME.fullmatch(name):
        raise PageRejected("The answer names no repository.")
    if repository.find("has_issues") is not None and not repository.flag("has_issues"):
        raise NotPermitted(ISSUES_OFF)
    return name
