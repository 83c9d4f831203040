"""Roundup by its REST interface, which versions from 2.0 on have; the history is on its HTML pages only.

A product is a name of the property that an option names, the keyword of Roundup's classic template.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source
from crawler.sources.roundup.address import base_of

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.roundup.source import RoundupSource

    return RoundupSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.roundup.parse.issue import RoundupParser

    return RoundupParser(connection)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.roundup.recognise import recognise

    return await recognise(client)


KIND = Kind(
    name="roundup",
    title="Roundup",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        since_overlap=timedelta(seconds=60),
        modified_precision=timedelta(seconds=1),
        unseen_changes=True,  # edited messages
        obeys_robots=False,
        secret_help=(  # noqa: S106 - tells what it is
            "The secret is the account's password; its role needs the rights to Web and Rest access."
        ),
        options=(
            Option(name="page_size", default=500, help="Issues on a page of the list.", least=1, most=10_000),
            Option(name="product_property", default="keyword", help="The property that a product is."),
            Option(
                name="history",
                default=True,
                help="Read the history from the page of each issue; off where the pages show none.",
            ),
        ),
    ),
    base_of=base_of,
    recognise=_recognise,
)
