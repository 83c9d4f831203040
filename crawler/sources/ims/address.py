"""The address of an IMS within the address of one of its pages, and how a server shows that it is one."""

from __future__ import annotations

from urllib.parse import urlsplit

from crawler.client import Client
from crawler.html import LexborDocument

_APPLICATION = "/tody/"
_FORM = "form[action*='auth/login' i] input[name=id], form[action*='auth/login' i] input[name=password]"


def base_of(url: str) -> str | None:
    """Return the address of the IMS that a page is of; None: it does not look like a page of one."""
    parts = urlsplit(url)
    before, application, _ = parts.path.partition(_APPLICATION)
    return f"{parts.scheme}://{parts.netloc}{before}" if application else None


async def recognise(client: Client) -> str | None:
    """Return its name, where there is the form that it logs in with; it tells no version."""
    answer = await client.get("tody/auth/login.do", accept=range(200, 500))
    is_one = len(LexborDocument(answer.text).select(_FORM)) > 1
    return "IMS" if is_one else None
