"""Request Tracker by its REST 2.0 interface, which RT 5 has and RT 4.4 may have by an extension.

With a user name the secret is that account's password, without one it is an authentication token. A product
is a queue.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source
from crawler.sources.rt.address import base_of

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.rt.source import RtSource

    return RtSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.rt.parse.ticket import RtParser

    return RtParser(connection)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.rt.recognise import recognise

    return await recognise(client)


KIND = Kind(
    name="rt",
    title="Request Tracker",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        since_overlap=timedelta(seconds=60),
        modified_precision=timedelta(seconds=1),
        unseen_changes=True,  # links to a ticket that was merged or deleted
        obeys_robots=False,
        credential="token",
        secret_help=(  # noqa: S106 - tells where it is
            "A token is made under Logged in as, Settings, Auth Tokens (/Prefs/AuthTokens.html); the account"
            " needs the rights SeeQueue and ShowTicket, ShowTicketComments for private comments, and"
            " SeeCustomField. With a user name the secret is the account's password instead."
        ),
        needs_username=False,
        options=(
            Option(name="page_size", default=100, help="Tickets on a page of the list.", least=1, most=100),
        ),
    ),
    base_of=base_of,
    recognise=_recognise,
)
