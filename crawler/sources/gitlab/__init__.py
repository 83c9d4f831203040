"""GitLab by its REST API, version 4: gitlab.com, and GitLab on a server of one's own.

A connection is of one project, whose address is given; that is its product as well, by its full path. The
secret is an access token, without which public projects are read as anybody may.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source
from crawler.sources.gitlab.address import base_of

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.gitlab.source import GitLabSource

    return GitLabSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.gitlab.parse.issue import GitLabParser

    return GitLabParser(connection)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.gitlab.recognise import recognise

    return await recognise(client)


KIND = Kind(
    name="gitlab",
    title="GitLab",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        since_overlap=timedelta(minutes=2),  # GitLab leaves its time of change alone for a minute
        modified_precision=timedelta(milliseconds=1),
        unseen_changes=True,  # a comment within a minute of the change before, links, votes
        batch_size=20,
        obeys_robots=False,
        credential="token",
        secret_help=(  # noqa: S106 - tells where it is
            "A personal access token is made under Preferences, Access tokens"
            " (/-/user_settings/personal_access_tokens), with the scope read_api; a project's own one under"
            " Settings, Access tokens, with the role Reporter. Public projects are read without any."
        ),
        needs_username=False,
        options=(
            Option(name="page_size", default=100, help="Issues on a page of the list.", least=1, most=100),
        ),
    ),
    base_of=base_of,
    recognise=_recognise,
)
