"""Trac, 0.11 to 1.6: its ticket pages and query lists; it has no API.

From 1.4 on its pages tell every value as it is stored, so that neither zone nor language of the server or the
account matter. Before that some are words. Without a user name the tracker is read as anybody may. A product
is a component of Trac.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.trac.source import TracSource

    return TracSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.trac.parse.ticket import TracParser

    return TracParser(connection)


def _base_of(url: str) -> str | None:
    from crawler.sources.trac.address import base_of

    return base_of(url)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.trac.address import recognise

    return await recognise(client)


KIND = Kind(
    name="trac",
    title="Trac",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        exact_sizes=True,
        options=(
            Option(name="page_size", default=500, help="Tickets on a page of hits.", least=1, most=10_000),
        ),
    ),
    base_of=_base_of,
    recognise=_recognise,
)
