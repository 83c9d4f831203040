"""The project that a connection is of, and who asks for it."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

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
from crawler.sources.gitlab.address import place_in

ISSUES_OFF: Final = (
    "The project shows this account no issues: its administrators switch them on under Settings, General,"
    " Visibility, or the account needs a role in the project."
)
_NO_ADDRESS: Final = (
    "The address names no project: give one such as https://gitlab.example.com/GROUP/PROJECT, or its API's,"
    " https://example.com/gitlab/api/v4/projects/GROUP%2FPROJECT, where GitLab is not at the host's root."
)
_NOT_GITLAB: Final = (
    "The address does not answer like a GitLab: give that of a project; where GitLab is not at the host's"
    " root, give https://example.com/FOLDER/api/v4/projects/GROUP%2FPROJECT."
)
_TOKEN: Final = "GitLab refused the token: it is wrong, expired or taken back; make a new one with read_api."  # noqa: S105 - no token


class About(Struct, frozen=True, kw_only=True):
    """What GitLab says of a project."""

    number: int
    path: str  # full path, such as group/sub/project
    name: str | None


class Project:
    """One project; GitLab is asked for it once, and its number is used from then on: paths change."""

    def __init__(self, connection: Connection, client: Client) -> None:
        place = place_in(connection.base_url)
        if place is None:
            raise UsageError(_NO_ADDRESS)
        self._client = client
        self.root, self._given = place
        self._about: About | None = None
        self._asking = asyncio.Lock()
        self.has_token = bool(connection.password)
        self.headers = {"Accept": "application/json"}
        if connection.password:
            self.headers["PRIVATE-TOKEN"] = connection.password

    @property
    def api(self) -> str:
        """Where the API is on the host."""
        return f"{self.root}/api/v4"

    async def login(self) -> None:
        """See :meth:`crawler.source.Source.login`."""
        if self.has_token:
            await self._check_token()
        self._about = None
        await self.known()

    def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        about = self._about
        return {} if about is None else {"number": about.number, "path": about.path, "name": about.name}

    def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        if learnt.object():
            self._about = About(
                number=learnt.at("number").integer(),
                path=learnt.at("path").text(),
                name=learnt.optional_text("name"),
            )

    async def known(self) -> About:
        """What GitLab says of it.

        Raises:
            CrawlError: as for a login.
        """
        async with self._asking:
            if self._about is None:
                self._about = await self._ask()
            return self._about

    async def check_product(self, wanted: str) -> None:
        """Look whether a product is this project.

        Raises:
            UnknownProduct: it is not.
        """
        about = await self.known()
        if wanted.strip("/").casefold() not in (
            about.path.casefold(),
            about.path.rpartition("/")[2].casefold(),
        ):
            raise UnknownProduct(
                f"The tracker is the project {about.path}, not {wanted!r}: each project is a tracker of its"
                " own, added by its address."
            )

    async def _check_token(self) -> None:
        """Ask who this is, which is answered to nobody without a token. The answer is not kept."""
        try:
            answer = await self._client.get(f"{self.api}/user", headers=self.headers, accept=(200, 401, 404))
            if answer.status == 401:
                raise LoginRefused(_TOKEN)
            if answer.status == 404:
                raise TrackerError(_NOT_GITLAB)
            read_json(answer.body).at("id").integer()
        except Forbidden as error:
            raise NotPermitted(
                "The token may not use GitLab's API: make one with the scope read_api, and look whether the"
                " account still has to accept terms or to set up two-factor authentication."
            ) from error
        except ItemError as error:
            raise TrackerError(f"{_NOT_GITLAB} {error}") from error

    async def _ask(self) -> About:
        name = unquote(self._given)
        try:
            answer = await self._client.get(
                f"{self.api}/projects/{self._given}", headers=self.headers, accept=(200, 401, 404)
            )
            told = read_json(answer.body)
            if answer.status == 200:
                return _about(told)
        except Forbidden as error:
            raise NotPermitted(
                f"GitLab does not let this account read {name}: look at the token's scopes (read_api)."
            ) from error
        except ItemError as error:
            raise TrackerError(f"{_NOT_GITLAB} {error}") from error
        if answer.status == 401:
            raise LoginRefused(
                _TOKEN if self.has_token else "GitLab shows nothing to strangers: give a token."
            )
        raise UnknownProduct(
            f"The account sees no project {name}: check its path, and whether the token's account may see it."
        )


def _about(told: JsonNode) -> About:
    path = told.at("path_with_namespace").text()
    if told.optional_text("issues_access_level") == "disabled" or not (
        told.find("issues_enabled") is None or told.flag("issues_enabled")
    ):
        raise NotPermitted(ISSUES_OFF)
    if not path.strip():
        raise PageRejected("The answer names no project.")
    return About(number=told.at("id").integer(), path=path, name=told.optional_text("name"))
