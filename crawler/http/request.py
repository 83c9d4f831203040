"""A request before it meets the network, and what a redirect makes of it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Container, Mapping
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from crawler.http.inflate import ACCEPTED
from crawler.http.library import httpx
from crawler.http.robots import AGENT

if TYPE_CHECKING:
    from crawler.http.response import Response
    from crawler.http.transfer import Transfer

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]  # as they go over the wire

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TURNED_TO_GET = frozenset({301, 302, 303})


class Request(Struct, frozen=True):
    """What to ask."""

    method: str
    url: httpx.URL
    headers: Headers
    content: bytes | None
    wanted: Container[int]  # the statuses that are an answer
    is_file: bool = False  # may lead to the hosts that the tracker keeps its files on
    is_bare: bool = False  # goes to such a host: no cookie, no credential
    into: Transfer | None = None  # takes the bytes of a file as they come
    is_the_file: Callable[[Response], bool] | None = None  # judges an answer of which only the head is here

    def redirected(self, status: int, url: httpx.URL) -> Request:
        """The request that follows: after 301, 302 and 303 a form becomes a GET, as in every browser."""
        if self.method == "GET" or status not in _TURNED_TO_GET:
            return replace(self, url=url)
        kept = tuple((name, value) for name, value in self.headers if name.lower() != b"content-type")
        return Request("GET", url, kept, None, self.wanted)


def bared(request: Request, url: httpx.URL) -> Request:
    """The request for a file on another host, which gets nothing of what the tracker knows us by."""
    return replace(request, url=url, headers=standing_headers(None), is_bare=True)


def redirect_target(status: int, headers: Mapping[str, str]) -> str | None:
    """Read where an answer leads, or None where it is no redirect."""
    location = headers.get("location")
    if status not in _REDIRECTS or location is None:
        return None
    raw = location.encode("latin-1")
    try:
        # Bytes beyond ASCII are not allowed, but sent, and then in UTF-8.
        return raw.decode()
    except UnicodeDecodeError:
        return quote(raw, safe="%/:?#[]@!$&'()*+,;=")


def merged(standing: Headers, own: Mapping[str, str] | None) -> Headers:
    """Put a request's own headers in the place of the standing ones of the same name."""
    if not own:
        return standing
    encoded = ((name.encode("ascii"), value.encode()) for name, value in own.items())
    return tuple({name.lower(): (name, value) for name, value in (*standing, *encoded)}.values())


def standing_headers(basic_auth: tuple[str, str] | None) -> Headers:
    """The headers of every request.

    Args:
        basic_auth: name and password, or None.
    """
    usual = (
        (b"User-Agent", f"{AGENT}/{_version()}".encode()),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", ACCEPTED.encode()),
    )
    if basic_auth is None:
        return usual
    return (*usual, (b"Authorization", b"Basic " + base64.b64encode(":".join(basic_auth).encode())))


@cache
def _version() -> str:
    try:
        return metadata.version("ims-crawler")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
