"""A tracker's origin: the only place where its client asks, and to which credentials and cookies go."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from crawler.errors import RedirectRefused, UsageError
from crawler.http.secret_names import is_secret

if TYPE_CHECKING:
    from crawler.http.library import httpx

_PORTS = {"http": 80, "https": 443}
_PART = re.compile("([?&;])")  # where a parameter begins
_HOST = re.compile(rb"[a-z0-9._:-]+")  # after IDNA; an IPv6 address comes without its brackets
# An address that reads the same however it is written: what is not one of these, the HTTP library looks at.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN = re.compile(
    rf"(https?)://((?:{_OCTET}\.){{3}}{_OCTET}|(?:(?!xn--)[a-z0-9-]{{1,63}}\.){{0,20}}(?!xn--)[a-z][a-z0-9-]{{0,62}})"
    r"(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(?:/[A-Za-z0-9_-]{1,200}){0,20}/"
)
# What follows the host, likewise: no segment that stands for another one, nothing that would be encoded.
_SEGMENT = "[A-Za-z0-9_-][A-Za-z0-9_.~-]*+"
_FOLDER = re.compile(rf"/(?:{_SEGMENT}/)*+")
_REST = re.compile(rf"((?:{_SEGMENT}/)*+(?:{_SEGMENT})?+)(?:\?([A-Za-z0-9_.~%&=+:/,*-]++))?+")
_LONGEST_REST = 10_000  # characters; the HTTP library refuses addresses of more than 65,536
_SHOWN = 500  # characters of an address in a message


def without_secrets(url: httpx.URL) -> str:
    """Write an address as it may be stored: no name, password, fragment or secret parameter."""
    place, *parts = _PART.split(url.raw_path.decode("ascii"))
    for number in range(1, len(parts), 2):
        name, equals, value = parts[number].partition("=")
        if equals and is_secret(name, value):
            parts[number] = f"{name}=***"
    return f"{url.scheme}://{url.netloc.decode('ascii')}{place}{''.join(parts)}"


def shown(url: httpx.URL) -> str:
    """Write an address for a message: as :func:`without_secrets`, without its query, and not endless."""
    text, mark, _ = without_secrets(url).partition("?")
    return (text if len(text) <= _SHOWN else text[:_SHOWN] + "…") + (mark and "?…")


class Origin:
    """Scheme, host and port of a tracker, and the folder that relative addresses start from.

    A server that sends its visitors from http to https on the usual ports stays the same origin; from then on
    its plain addresses are asked over https, and there is no way back.

    Args:
        base_url: ``http(s)://host[:port][/path]``.

    Raises:
        UsageError: that is no such address, or it carries a name, password, query or fragment.
    """

    def __init__(self, base_url: str) -> None:
        self._address = base_url.rstrip("/") + "/"
        self._upgraded = False
        if plain := _PLAIN.fullmatch(self._address):
            self._scheme, self._host, port = plain.groups()
            self._port = int(port or _PORTS[self._scheme])
            return
        url = self.base
        try:
            host = url.host
        except UnicodeError as error:  # an xn-- that stands for nothing
            raise UsageError("The tracker's address is not a web address.") from error
        if url.scheme not in _PORTS or not host or not _HOST.fullmatch(url.raw_host):
            raise UsageError("The tracker's address must start with http:// or https:// and name a host.")
        if url.userinfo:
            raise UsageError("The tracker's address must not carry a name or password; give them separately.")
        if url.query or url.fragment:
            raise UsageError(
                "The tracker's address must not have a query or fragment: others would see a key in it; "
                "give it as the password."
            )
        self._scheme, self._host, self._port = url.scheme, host, url.port or _PORTS[url.scheme]

    @cached_property
    def base(self) -> httpx.URL:
        """The address that others are relative to."""
        from crawler.http.library import httpx  # large, and whoever only wants to know the host needs none

        try:
            return httpx.URL(self._address)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise UsageError("The tracker's address is not a web address.") from error

    @cached_property
    def _text(self) -> str:
        return str(self.base)

    @cached_property
    def _root(self) -> str:
        """The host's root, as the HTTP library writes it."""
        return f"{self.base.scheme}://{self.base.netloc.decode('ascii')}/"

    @cached_property
    def _folder(self) -> str | None:
        """The path that relative addresses start from; None: not one that reads the same however written."""
        path = self.base.raw_path.decode("ascii")
        return path if _FOLDER.fullmatch(path) else None

    @property
    def name(self) -> str:
        """Scheme, host and port, the port always there."""
        return f"{self._scheme}://{self.key}"

    @property
    def port(self) -> int:
        """The port of TCP that is connected to."""
        return self._port

    @property
    def key(self) -> str:
        """What the limits of this host are kept under: its name and port."""
        return f"{self._host}:{self._port}"

    def resolve(self, url: str, against: httpx.URL | None = None, *, added: bytes = b"") -> httpx.URL:
        """Turn a link into the address to ask, as a browser would.

        Args:
            url: absolute, or relative to ``against``; one that starts with a slash starts at the host's root.
            against: the page that the link is on; None: the tracker's base address.
            added: put after the address's own query, encoded.

        Raises:
            RedirectRefused: the address is not within the origin, or is none at all.
        """
        from crawler.http.library import httpx

        plain = self._plain(url, added.decode("ascii")) if against is None else None
        if plain is not None:
            return plain
        try:
            # Joined as text: the URL class would read both of them twice.
            joined = urljoin(self._text if against is None else str(against), url)
            target = httpx.URL(_with_query(joined, added.decode("ascii")) if added else joined)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise RedirectRefused("A link of the tracker is not a web address.") from error
        if not self._holds(target):
            where = f"{target.scheme}://{target.host}"[:_SHOWN]
            raise RedirectRefused(f"The address {where} is outside of the tracker's origin.")
        if self._upgraded and target.scheme == "http":
            target = target.copy_with(scheme="https", port=None)
        return target

    def _plain(self, url: str, added: str) -> httpx.URL | None:
        """The address of a link on the base address, where there is nothing in it to be looked at."""
        folder = self._folder
        if folder is None or self._upgraded:
            return None
        if url.startswith(self._root):
            folder, url = "/", url[len(self._root) :]
        elif url.startswith("/"):
            folder, url = "/", url[1:]
        rest = _with_query(url, added) if added else url
        match = _REST.fullmatch(rest) if len(rest) <= _LONGEST_REST else None
        if match is None:
            return None
        from crawler.http.library import httpx

        # The library reads an address letter by letter, which takes as long as sending the request.
        made = httpx.URL.__new__(httpx.URL)
        made._uri_reference = self.base._uri_reference._replace(path=folder + match[1], query=match[2])
        return made

    def follow(self, location: str, page: httpx.URL) -> httpx.URL:
        """Resolve a redirect, and remember a move to https.

        Raises:
            RedirectRefused: as for :meth:`resolve`, or it leads from https back to http.
        """
        target = self.resolve(location, page)
        if page.scheme == "https" and target.scheme == "http":
            raise RedirectRefused("A redirect led from https to http.")
        if page.scheme == "http" and target.scheme == "https":
            self._upgraded = True
        return target

    def _holds(self, url: httpx.URL) -> bool:
        if url.host != self._host:
            return False
        if url.scheme == self._scheme:
            return _port(url) == self._port
        upgrade = self._scheme == "http" and url.scheme == "https"
        return upgrade and self._port == 80 and _port(url) == 443


class FileHosts:
    """Further hosts that a tracker keeps its files on, as its kind declares them.

    Args:
        names: ``files.example.com``, or ``*.example.com`` for every host below it; with a port where it is
            not the usual one.
        plain: whether http will do, because the tracker itself is asked so; else only https.
    """

    def __init__(self, names: Iterable[str], *, plain: bool) -> None:
        self._names = tuple(name.lower() for name in names)
        self._schemes = ("https", "http") if plain else ("https",)

    def hold(self, url: httpx.URL) -> bool:
        """Whether an address is on one of them."""
        if url.scheme not in self._schemes or url.userinfo:
            return False
        port = "" if url.port in (None, _PORTS[url.scheme]) else f":{url.port}"
        place = f"{url.host.lower()}{port}"
        return any(
            place.endswith(name[1:]) if name.startswith("*.") else place == name for name in self._names
        )

    def resolve(self, url: str, against: str) -> httpx.URL | None:
        """Turn a link into an address on one of them; None: it leads elsewhere, or is no address."""
        from crawler.http.library import httpx

        try:
            target = httpx.URL(urljoin(against, url))
        except (httpx.InvalidURL, UnicodeError, ValueError):
            return None
        return target if self.hold(target) else None


def _with_query(url: str, added: str) -> str:
    whole, mark, fragment = url.partition("#")
    start = "" if whole.endswith(("?", "&")) else "&" if "?" in whole else "?"
    return f"{whole}{start}{added}{mark}{fragment}"


def _port(url: httpx.URL) -> int | None:
    return url.port or _PORTS.get(url.scheme)
