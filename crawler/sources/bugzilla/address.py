"""A Bugzilla's base address, made of any address of it that people copy."""

from __future__ import annotations

import re

from crawler.http.web_address import web_page

_PAGE = re.compile(
    r"/(?:(?:show_bug|buglist|query|enter_bug|describecomponents|show_activity|attachment|userprefs|report)\.cgi"
    r"|rest(?:\.cgi)?/(?:bug|version|product)(?:/.*)?)$"
)
_SHORT = re.compile(r"/[0-9]+$")  # bugzilla.example.com/12, where the host says what it is


def base_of(address: str) -> str | None:
    """The base address; None: it does not look like a Bugzilla's."""
    page = web_page(address)
    if page is None:
        return None
    found = _PAGE.search(page.path)
    if found is not None:
        return page.origin + page.path[: found.start()]
    if "bugzilla" in page.host.split("."):
        return page.origin + _SHORT.sub("", page.path).rstrip("/")
    return None
