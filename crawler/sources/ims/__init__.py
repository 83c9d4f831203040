"""IMS: HTML pages behind a login, no API. Known of it: three independent public clients of its pages.

Times are local to the server, Asia/Seoul unless the connection says otherwise. IMS cannot tell what changed
since a time: ``since`` is not sent, every hit is yielded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.source import Connection, Features, Kind, Option, Parser, Source

if TYPE_CHECKING:
    from crawler.client import Client


def _open_source(connection: Connection, client: Client) -> Source:
    from crawler.sources.ims.source import ImsSource

    return ImsSource(connection, client)


def _open_parser(connection: Connection) -> Parser:
    from crawler.sources.ims.parse.issue import ImsParser

    return ImsParser(connection)


def _base_of(url: str) -> str | None:
    from crawler.sources.ims.address import base_of

    return base_of(url)


async def _recognise(client: Client) -> str | None:
    from crawler.sources.ims.address import recognise

    return await recognise(client)


KIND = Kind(
    name="ims",
    title="IMS",
    open_source=_open_source,
    open_parser=_open_parser,
    features=Features(
        default_zone="Asia/Seoul",
        tells_changes=False,
        known_products=True,
        options=(
            Option(
                name="path",
                default="tody",
                help="Where the application is below the base address; a slash alone: right there.",
            ),
            Option(
                name="login_path",
                default="auth/login.do",
                help="Where the login page is below that; a query such as ?tmaxsso_nsso=yes may follow.",
            ),
            Option(
                name="download_url",
                default=None,
                help="The address of a file with {id} and {kind}, in place of what the page's script says.",
            ),
            Option(
                name="relations",
                default=False,
                help="Also ask findRelationIssues.do for related issues: one more request for each issue.",
            ),
            Option(
                name="patches",
                default=False,
                help="Also ask for the patch list of the issue's project: up to one more request each.",
            ),
            Option(
                name="page_size_cookie",
                default=True,
                help="Ask for lists of 500 hits by a cookie, which some servers honour.",
            ),
        ),
    ),
    base_of=_base_of,
    recognise=_recognise,
)
