"""GitHub by its REST API: github.com, and GitHub Enterprise Server.

A connection is of one repository, whose address is given; that is its product as well. The secret is a token,
without which public repositories are read, 60 requests an hour.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source
from crawler.sources.github.address import base_of

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.github.source import GitHubSource

    return GitHubSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.github.parse.issue import GitHubParser

    return GitHubParser(connection)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.github.recognise import recognise

    return await recognise(client)


KIND = Kind(
    name="github",
    title="GitHub",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        since_overlap=timedelta(seconds=60),
        modified_precision=timedelta(seconds=1),
        lists_whole_issues=True,
        obeys_robots=False,
        download_hosts=(
            "github.com",
            "*.githubusercontent.com",
            "github-production-user-asset-6210df.s3.amazonaws.com",
            "github-production-repository-file-5c1aeb.s3.amazonaws.com",
        ),
        credential="token",
        secret_help=(  # noqa: S106 - tells where it is
            "A token is made under Settings, Developer settings, Personal access tokens"
            " (/settings/tokens): a fine-grained one with the right to read Issues of the repository, or a"
            " classic one with the scope repo, or none for public repositories."
        ),
        needs_username=False,
        options=(
            Option(name="page_size", default=100, help="Issues on a page of the list.", least=1, most=100),
            Option(
                name="pull_requests",
                default=False,
                help="Whether pull requests are brought as well, which are issues to GitHub.",
            ),
        ),
    ),
    base_of=base_of,
    recognise=_recognise,
)
