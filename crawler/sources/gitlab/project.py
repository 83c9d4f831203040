"""The project that a connection is of, and who asks for it."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import quote, unquote

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
from crawler.source import Connection
from crawler.sources.gitlab.address import place_in

ISSUES_OFF: Final = (
    "The project has no issues for this account: its maintainers switch them on under Settings, General,"
    " Visibility; the account needs the role Guest or, for confidential issues, Reporter."
)
_NO_ADDRESS: Final = "The address names no project: give one such as https://gitlab.com/GROUP/PROJECT."
_NOT_GITLAB: Final = "The address does not answer like a GitLab: give that of a project."
_TOKEN: Final = (
    "GitLab refused the token: it is wrong or expired, make a new one under Preferences, Access tokens."  # noqa: S105 - no token
)


class Project:
    """One project; GitLab is asked for it once, since it may have another path by now."""

    def __init__(self, connection: Connection, client: Client) -> None:
        place = place_in(connection.base_url)
        self._client = client
        self._root, self._key = ("", "") if place is None else place
        self._path: str | None = None
        self._asking = asyncio.Lock()
        self.headers = {"PRIVATE-TOKEN": connection.password} if connection.password else {}

    async def login(self) -> None:
        """See :meth:`crawler.source.Source.login`."""
        if not self._key:
            raise UsageError(_NO_ADDRESS)
        try:
            if self.headers:  # answered to nobody without a token
                answer = await self._client.get(
                    f"{self._root}/user", headers=self.headers, accept=(200, 401, 404)
                )
                if answer.status == 401:
                    raise LoginRefused(_TOKEN)
        except Forbidden as error:
            raise NotPermitted("The token may not read the API: make one with the scope read_api.") from error
        except ItemError as error:
            raise TrackerError(f"{_NOT_GITLAB} {error}") from error
        self._path = None
        await self.known()

    async def known(self) -> str:
        """Its full path as GitLab has it.

        Raises:
            CrawlError: as for a login.
        """
        async with self._asking:
            if self._path is None:
                self._path = await self._ask()
            return self._path

    def place(self, rest: str, *, of: str | None = None) -> str:
        """Where something of it is on the host, or of another project there."""
        key = self._key if of is None else quote(of, safe="")
        return f"{self._root}/projects/{key}/{rest}"

    async def web_place(self, rest: str) -> str:
        """Where something of it is for browsers."""
        return f"{self._root.removesuffix('/api/v4')}/{quote(await self.known())}/{rest}"

    async def check_product(self, wanted: str) -> None:
        """Look whether a product is this project.

        Raises:
            UnknownProduct: it is not.
        """
        path = await self.known()
        if wanted.casefold() not in (path.casefold(), path.rpartition("/")[2].casefold()):
            raise UnknownProduct(
                f"The tracker is the project {path}, not {wanted!r}: each project is a tracker of its own,"
                " added by its address."
            )

    async def _ask(self) -> str:
        shown = unquote(self._key)
        try:
            answer = await self._client.get(
                f"{self._root}/projects/{self._key}", headers=self.headers, accept=(200, 401, 404)
            )
        except Forbidden as error:
            raise NotPermitted(f"GitLab does not let this account read {shown}: look at its role.") from error
        except ItemError as error:
            raise TrackerError(f"{_NOT_GITLAB} {error}") from error
        if answer.status == 401:
            raise LoginRefused(_TOKEN if self.headers else "GitLab shows nothing to strangers: give a token.")
        if answer.status == 404:
            raise UnknownProduct(
                f"The account sees no project {shown}: check its path, and whether the account is a member."
            )
        try:
            return _path_of(read_json(answer.body))
        except PageRejected as error:
            raise TrackerError(f"{_NOT_GITLAB} {error}") from error


def _path_of(project: JsonNode) -> str:
    path = project.at("path_with_namespace").text()
    if not path.strip("/") or len(path) > 1000:
        raise PageRejected("The answer names no project.")
    is_off = project.optional_text("issues_access_level") == "disabled"
    if is_off or (project.find("issues_enabled") is not None and not project.flag("issues_enabled")):
        raise NotPermitted(ISSUES_OFF)
    return path
