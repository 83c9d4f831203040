"""How Jira is asked: with the account's credential, and never as anybody else without a word.

A Jira in the cloud that does not know a token answers as if nobody had logged in, with status 200 and fewer
issues, and says so in a header only. So every answer's header is looked at, and whoever is refused an issue
is first asked who he is.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Container, Mapping
from zoneinfo import ZoneInfo

from crawler.client import Client, Pairs, Response
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
)
from crawler.http.transfer import Transfer
from crawler.json_document import JsonNode, read_json
from crawler.records import Json
from crawler.source import Connection
from crawler.sources.jira.query import Dates
from crawler.sources.jira.server import SERVER_INFO, Server, check_age, read_server

_FINE = (200,)
_REASON = "x-seraph-loginreason"
_STRANGER = ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")


class JiraApi:
    """A Jira as one account may ask it."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._client = client
        self._has_credential = connection.password is not None
        self._headers = {"Accept": "application/json", **_login(connection)}
        self._zone = _zone(connection.timezone)
        self._server: Server | None = None
        self._asking = asyncio.Lock()
        self.dates = Dates(is_cloud=False)  # as the account's Jira wants them, once it is known

    async def server(self) -> Server:
        """What answers there, and that it knows the account; asked once.

        Raises:
            LoginRefused: it does not know it.
            TrackerError: this is no Jira, or one whose API is switched off or too old.
        """
        async with self._asking:
            if self._server is None:
                server = await self._identify()
                check_age(server)
                if self._has_credential:
                    self._zone = await self._who_am_i() or self._zone
                self.dates = Dates(is_cloud=server.is_cloud, zone=self._zone)
                self._server = server
        return self._server

    def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        server, zone = self._server, self._zone
        if server is None:
            return {}
        told: dict[str, Json] = {"is_cloud": server.is_cloud, "version": server.version}
        return told | {"title": server.title, "zone": None if zone is None else zone.key}

    def join(self, learnt: JsonNode) -> None:
        """See :class:`crawler.source.SharingSource`."""
        if learnt.object():
            self._zone = _zone(learnt.optional_text("zone"))
            self._server = Server(
                is_cloud=learnt.flag("is_cloud"),
                version=learnt.at("version").text(),
                title=learnt.at("title").text(),
            )
            self.dates = Dates(is_cloud=self._server.is_cloud, zone=self._zone)

    async def get(
        self, path: str, params: Pairs | None = None, *, accept: Container[int] = _FINE
    ) -> Response:
        """Get what is below the API's address.

        Raises:
            CrawlError: as the client's, and LoginRefused where the account is not known any more.
        """
        address = f"{(await self.server()).api}/{path}"
        try:
            return self._judged(
                await self._client.get(address, params=params, headers=self._headers, accept=accept)
            )
        except (Forbidden, NotFound, NotPermitted) as error:
            raise await self._meant(error) from error

    async def post(self, path: str, body: Json, *, accept: Container[int] = _FINE) -> Response:
        """Ask by a body in JSON; nothing at the tracker is changed by it.

        Raises:
            CrawlError: as for :meth:`get`.
        """
        address = f"{(await self.server()).api}/{path}"
        headers = self._headers | {"Content-Type": "application/json"}
        data = json.dumps(body).encode()
        try:
            return self._judged(await self._client.post(address, data=data, headers=headers, accept=accept))
        except (Forbidden, NotFound, NotPermitted) as error:
            raise await self._meant(error) from error

    async def file(
        self, address: str, into: Transfer | None, is_file: Callable[[Response], bool]
    ) -> Response:
        """Get an attached file; see :meth:`crawler.client.Client.download`.

        Raises:
            CrawlError: as for :meth:`get`.
        """
        await self.server()
        headers = self._headers | {"Accept": "*/*"}
        try:
            return await self._client.download(address, headers=headers, into=into, is_file=is_file)
        except (Forbidden, NotFound, NotPermitted) as error:
            raise await self._meant(error) from error

    async def read(self, answer: Response) -> JsonNode:
        """Read an answer that is no issue's.

        Raises:
            PageRejected: it is cut.
            TrackerError: it is no JSON.
        """
        try:
            return read_json(answer.body)
        except PageRejected as error:
            raise TrackerError(
                f"{error} Look whether the address is that of a Jira, and whether one gets to it without a"
                " further login."
            ) from error

    async def _identify(self) -> Server:
        try:
            # Without the credential: nobody knows yet who would get it.
            answer = await self._client.get(SERVER_INFO, headers={"Accept": "application/json"})
            return read_server(answer.body)
        except (ItemError, NotPermitted) as error:
            raise TrackerError(
                f"The address does not answer as a Jira: {error} Give the address that its pages begin with,"
                " and ask its administrators whether the REST API may be used."
            ) from error

    async def _who_am_i(self) -> ZoneInfo | None:
        """Check the login; returns the zone of the account's profile. The answer itself is not kept."""
        try:
            answer = await self._client.get(
                "rest/api/2/myself", headers=self._headers, accept=(200, 401, 403), retry=True
            )
        except ItemError as error:
            raise TrackerError(f"Jira does not say who is logged in: {error}") from error
        reason = answer.headers.get(_REASON, "")
        if answer.status != 200 or any(each in reason for each in _STRANGER):
            raise LoginRefused(_refusal(answer.headers))
        told = await self.read(answer)
        try:
            return _zone(told.optional_text("timeZone"))
        except PageRejected:
            raise TrackerError(
                "Jira does not say who is logged in as it should: look whether the address is that of a Jira."
            ) from None

    def _judged(self, answer: Response) -> Response:
        if self._has_credential and any(each in answer.headers.get(_REASON, "") for each in _STRANGER):
            raise LoginRefused(_refusal(answer.headers))
        return answer

    async def _meant(self, error: CrawlError) -> CrawlError:
        """What a refusal means: the account is not known any more, or it may not see this one thing."""
        if self._has_credential:
            await self._who_am_i()
        return Forbidden(str(error)) if isinstance(error, NotPermitted) else error


def _login(connection: Connection) -> dict[str, str]:
    if connection.password is None:
        return {}
    if connection.username is None:
        return {"Authorization": f"Bearer {connection.password}"}
    pair = f"{connection.username}:{connection.password}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if not name else ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _refusal(headers: Mapping[str, str]) -> str:
    if "CAPTCHA" in headers.get("x-authentication-denied-reason", "").upper():
        return (
            "Jira wants a captcha after too many failed logins: log in once with a browser, then give the"
            " right secret."
        )
    return (
        "Jira refused the login: a token alone is a personal access token of Jira Data Center, a name with it"
        " an account with its password, or a mail address with an API token of Jira Cloud."
    )
