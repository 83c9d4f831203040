"""Bugzilla by its REST API, which it has from 5.0 on, else by its pages.

A product is a product of Bugzilla. Without a secret it is read as anybody may.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source

if TYPE_CHECKING:
    from crawler.client import Client

_HOW_TO_LOG_IN = (
    "An API key, made under Preferences, API Keys, which sees what its account sees; no user name is needed."
    " A Bugzilla without a REST API takes a user name with its password instead."
)


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.bugzilla.source import BugzillaSource

    return BugzillaSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.bugzilla.parse.bug import BugzillaParser

    return BugzillaParser(connection)


def _base_of(address: str) -> str | None:
    from crawler.sources.bugzilla.address import base_of

    return base_of(address)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.bugzilla.version import recognise

    return await recognise(client)


KIND = Kind(
    name="bugzilla",
    title="Bugzilla",
    open_source=_open_source,
    open_parser=_open_parser,
    base_of=_base_of,
    recognise=_recognise,
    features=Features(
        exact_sizes=True,
        since_overlap=timedelta(minutes=1),
        modified_precision=timedelta(seconds=1),
        unseen_changes=True,  # tags of comments, and comments that somebody edited
        batch_size=100,
        obeys_robots=False,
        credential="token",
        needs_username=False,
        secret_help=_HOW_TO_LOG_IN,
        options=(
            Option(
                name="page_size",
                default=500,
                help="Numbers on a page of the list; Bugzilla may give fewer.",
                least=1,
                most=10_000,
            ),
            Option(
                name="bearer",
                default=False,
                help="Send the key as Authorization: Bearer, as the Bugzilla of Red Hat wants it.",
            ),
        ),
    ),
)
