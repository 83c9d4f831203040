"""GitLab by its REST API, gitlab.com and others.

A connection is of one project, whose address is given; that is its product as well. The secret is a token,
without which public projects are read, as far as GitLab shows them to strangers.
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
        since_overlap=timedelta(minutes=3),  # a comment within a minute of the last change leaves its time
        modified_precision=timedelta(minutes=1),
        unseen_changes=True,  # the same, and edited comments
        obeys_robots=False,
        credential="token",
        secret_help=(  # noqa: S106 - tells where it is
            "A token is made under Preferences, Access tokens (/-/user_settings/personal_access_tokens), with"
            " the scope read_api; a project's or a group's access token with that scope and the role Reporter"
            " does as well."
        ),
        needs_username=False,
        options=(
            Option(name="page_size", default=100, help="Issues on a page of the list.", least=2, most=100),
        ),
    ),
    base_of=base_of,
    recognise=_recognise,
)
