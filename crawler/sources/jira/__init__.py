"""Jira by its REST API: Server and Data Center, and Cloud, which it tells apart by what answers.

A product is a project, named by its key or its name. Without a secret it is read as anybody may.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source

if TYPE_CHECKING:
    from crawler.client import Client

_HOW_TO_LOG_IN = (
    "Data Center: a personal access token (Profile, Personal Access Tokens) without a user name, or a name"
    " with its password. Cloud: your mail address as user name, and an API token of"
    " id.atlassian.com/manage-profile/security/api-tokens. The account needs the right to browse projects."
)


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.jira.source import JiraSource

    return JiraSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.jira.parse.issue import JiraParser

    return JiraParser(connection)


def _base_of(address: str) -> str | None:
    from crawler.sources.jira.address import base_of

    return base_of(address)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.jira.server import recognise

    return await recognise(client)


KIND = Kind(
    name="jira",
    title="Jira",
    open_source=_open_source,
    open_parser=_open_parser,
    base_of=_base_of,
    recognise=_recognise,
    features=Features(
        exact_sizes=True,
        since_overlap=timedelta(minutes=5),  # Server takes minutes, and Cloud's index comes late
        modified_precision=timedelta(seconds=1),
        unseen_changes=True,  # votes, watchers and, in some versions, links
        batch_size=50,
        obeys_robots=False,
        download_hosts=("api.media.atlassian.com",),
        credential="token",
        needs_username=False,
        secret_help=_HOW_TO_LOG_IN,
        options=(
            Option(
                name="page_size",
                default=1000,
                help="Keys on a page of the list; Jira may give fewer.",
                least=1,
                most=5000,
            ),
            Option(
                name="word_index",
                default=False,
                help=(
                    "Let Jira's own index choose by the words of a query: far fewer issues to fetch, but it"
                    " finds no parts of names and no words in the values of fields or the names of files."
                ),
            ),
        ),
    ),
)
