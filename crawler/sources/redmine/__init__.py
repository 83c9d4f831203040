"""Redmine by its REST API, which administrators have to switch on. Facts about it are those of 5.0.

With a user name the secret is that account's password, without one it is an API access key; without either
the tracker is read as anybody may. A product is a project, by its name or its identifier, with its
subprojects.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source
from crawler.sources.redmine.address import base_of

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.redmine.source import RedmineSource

    return RedmineSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.redmine.parse.issue import RedmineParser

    return RedmineParser(connection)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.redmine.recognise import recognise

    return await recognise(client)


KIND = Kind(
    name="redmine",
    title="Redmine",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        exact_sizes=True,
        since_overlap=timedelta(seconds=60),
        modified_precision=timedelta(seconds=1),
        unseen_changes=True,  # edited notes, relations, removed files
        obeys_robots=False,
        credential="token",
        secret_help=(  # noqa: S106 - tells where it is
            "The API access key is shown at the right of My account (/my/account); the account needs the"
            " right to view issues. With a user name the secret is the account's password instead."
        ),
        needs_username=False,
        options=(
            Option(name="page_size", default=100, help="Issues on a page of the list.", least=1, most=100),
            Option(
                name="markup",
                default="auto",
                help="What its texts are written in: textile, markdown, none, or auto to tell by each text.",
            ),
        ),
    ),
    base_of=base_of,
    recognise=_recognise,
)
