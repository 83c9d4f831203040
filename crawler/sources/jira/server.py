"""What kind of Jira answers, as it says of itself to anybody."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from crawler.client import Client
from crawler.errors import PageRejected, TrackerError
from crawler.json_document import read_json

SERVER_INFO = "rest/api/2/serverInfo"
_OLDEST = 6  # before it, a search could not give the history of issues


class Server(Struct, frozen=True, kw_only=True):
    """A Jira by its own words."""

    is_cloud: bool
    version: str  # such as "9.12.0"; Cloud's means nothing to anybody
    title: str  # as people call it

    @property
    def api(self) -> str:
        """Where its API is, below the base address."""
        return "rest/api/3" if self.is_cloud else "rest/api/2"


def read_server(body: bytes) -> Server:
    """Read the answer of SERVER_INFO.

    Raises:
        PageRejected: this is no Jira's.
    """
    told = read_json(body)
    version = told.at("version").text()
    if told.find("versionNumbers") is None and told.find("deploymentType") is None:
        raise PageRejected("The answer tells neither versionNumbers nor deploymentType, as a Jira does.")
    deployment = told.optional_text("deploymentType") or "Server"
    is_cloud = deployment.casefold() == "cloud"
    title = "Jira Cloud" if is_cloud else f"Jira {version[:40]}"
    return Server(is_cloud=is_cloud, version=version, title=title)


def check_age(server: Server) -> None:
    """Refuse a Jira whose API lacks what is needed.

    Raises:
        TrackerError: it is too old.
    """
    major = server.version.partition(".")[0]
    if not server.is_cloud and major.isascii() and major.isdecimal() and int(major[:9]) < _OLDEST:
        raise TrackerError(
            f"{server.title} is too old: its API cannot give whole issues before Jira {_OLDEST}, so it has to"
            " be brought up to date first."
        )


async def recognise(client: Client) -> str | None:
    """Ask a server whether it is a Jira; see :attr:`crawler.source.Kind.recognise`."""
    answer = await client.get(SERVER_INFO, headers={"Accept": "application/json"}, retry=False)
    with suppress(PageRejected):
        return read_server(answer.body).title
    return None
