"""The proxy that a tracker is asked through: which one, and connections by way of it.

It looks up the tracker's name itself, so that what may be connected to (:mod:`crawler.http.reach`) is asked
of the proxy's own address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.http.library import httpx

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")
_HOST = re.compile(rb"[a-z0-9._:-]+")  # after IDNA; an IPv6 address comes without its brackets


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy with the account to use at it."""

    url: str  # scheme://[name@]host:port, without a password
    password: str | None = field(default=None, repr=False)
    variable: str | None = None  # of the environment that names it; None: it is the tracker's own

    @property
    def port(self) -> int:
        """The port of TCP that is connected to."""
        url = _parsed(self.url)
        return url.port or _PORTS[url.scheme]

    @property
    def username(self) -> str | None:
        """The account's name."""
        return _parsed(self.url).username or None

    def described(self) -> str:
        """The proxy as it may be shown."""
        return self.url if self.variable is None else f"{self.url} (from {self.variable})"

    def at(self, host: str | None = None) -> httpx.Proxy:
        """The proxy for the HTTP library, at another address of its host where one is given."""
        from crawler.http.library import httpx

        url = httpx.URL(self.url)
        account = (url.username, self.password or "") if url.username else None
        return httpx.Proxy(url.copy_with(host=host or url.host, userinfo=b""), auth=account)


def read_proxy(text: str) -> tuple[str, str | None]:
    """Read a proxy's address: it comes back without the password, and the password beside it.

    Raises:
        UsageError: it is none, or one by SOCKS and the package for these is not installed.
    """
    from crawler.http.library import httpx

    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UsageError("The proxy's address is not one: write http://HOST:PORT.") from error
    if (
        url.scheme not in _PORTS
        or not _HOST.fullmatch(url.raw_host)
        or url.path.strip("/")
        or url.query
        or url.fragment
    ):
        raise UsageError("The proxy's address must be http://, https:// or socks5:// with a host and a port.")
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise UsageError("A proxy by SOCKS needs the package socksio: install it with pip install socksio.")
    password = url.password or None
    plain = url.copy_with(username=url.username, password=None, path="") if url.userinfo else url
    return str(plain).rstrip("/"), password


def proxy_of_environment(base_url: str, env: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for an address: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, less NO_PROXY.

    Raises:
        UsageError: what is named there is no proxy.
    """
    if not any(env.get(name) for lower in _VARIABLES for name in (lower, lower.upper())):
        return None  # as in most places: nobody needs to take the address apart
    target = _parsed(base_url)
    names = (f"{target.scheme}_proxy", "all_proxy")
    if _is_excepted(target, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    for name in (each for lower in names for each in (lower, lower.upper())):
        if name == "HTTP_PROXY" and "REQUEST_METHOD" in env:
            continue  # whoever asks a CGI program for something sets it
        if text := (env.get(name) or "").strip():
            try:
                url, password = read_proxy(text)
            except UsageError as error:
                raise UsageError(f"{name}: {error}") from error
            return Proxy(url=url, password=password, variable=name)
    return None


def _parsed(url: str) -> httpx.URL:
    from crawler.http.library import httpx  # large, and most crawls have no proxy

    return httpx.URL(url)


def _is_excepted(target: httpx.URL, exceptions: str) -> bool:
    host = target.host.lower().rstrip(".")
    port = target.port or _PORTS[target.scheme]
    for each in exceptions.lower().replace(",", " ").split():
        if each == "*" or _is_within(host, each):
            return True
        name, colon, number = each.rpartition(":")
        if colon and number.isdecimal() and not name.endswith(":"):
            if int(number) != port:
                continue
            each = name
        name = each.strip("[]").removeprefix("*").lstrip(".").rstrip(".")
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _is_within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
