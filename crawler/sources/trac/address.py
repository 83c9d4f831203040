"""The address of a Trac within the address of one of its pages, and how a server shows that it is one."""

from __future__ import annotations

import re

from crawler.client import Client
from crawler.http.web_address import web_page
from crawler.sources.trac.parse.markup import version_of

_PAGE = re.compile(r"(?P<base>.*?)/(?:ticket/[0-9]+|query|newticket|report(?:/[0-9]+)?|timeline|roadmap)/?")


def base_of(url: str) -> str | None:
    """Return the address of the Trac that a page is of; None: it does not look like a page of one."""
    page = web_page(url)
    if page is None or page.has_account:
        return None
    found = _PAGE.fullmatch(page.path)
    return None if found is None else page.origin + found["base"]


async def recognise(client: Client) -> str | None:
    """Return the program with its version, as the foot of its pages tells; None: it is something else."""
    answer = await client.get("", accept=range(200, 500))
    version = version_of(answer.text)
    return None if version is None else f"Trac {version}"
