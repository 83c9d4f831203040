"""The address of an IMS within the address of one of its pages, and how a server shows that it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.http.web_address import web_page

if TYPE_CHECKING:
    from crawler.client import Client

_APPLICATION = "/tody/"
_FORM = "form[action*='auth/login' i] input[name=id], form[action*='auth/login' i] input[name=password]"


def base_of(url: str) -> str | None:
    """Return the address of the IMS that a page is of; None: it does not look like a page of one."""
    page = web_page(url)
    if page is None or page.has_account:
        return None
    before, application, _ = page.path.partition(_APPLICATION)
    return page.origin + before if application else None


async def recognise(client: Client) -> str | None:
    """Return its name, where there is the form that it logs in with; it tells no version."""
    from crawler.html import LexborDocument  # whoever knows the kind needs no page

    answer = await client.get("tody/auth/login.do", accept=range(200, 500))
    is_one = len(LexborDocument(answer.text).select(_FORM)) > 1
    return "IMS" if is_one else None
