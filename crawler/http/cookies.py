"""Cookies of one tracker, exchanged byte for byte.

The standard library's jar decides which cookie goes where. Values are bytes that mean something only to the
tracker: ones beyond ASCII, which are not allowed and yet are sent, must come back as they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from http.cookiejar import Cookie, CookieJar
from urllib.parse import urlsplit
from urllib.request import Request

from crawler.errors import ItemError

_MOST = 100  # that a tracker may set; RFC 6265 asks browsers for 50


class Cookies:
    """The cookies of one client."""

    def __init__(self) -> None:
        self.jar = Jar()
        self._headers: dict[str, bytes | None] = {}  # for places that were asked before
        self._headers_of = self.jar.state

    def header(self, url: str) -> bytes | None:
        """The Cookie header for a request to this address; None: there is none to send."""
        if not self.jar.state:  # nothing was ever in it
            return None
        if self.jar.expires:
            return self._asked(url)
        if self._headers_of != self.jar.state:
            self._headers, self._headers_of = {}, self.jar.state
        place = url.partition("?")[0]
        if place not in self._headers:
            if len(self._headers) == _MOST:
                self._headers.clear()
            self._headers[place] = self._asked(url)
        return self._headers[place]

    def _asked(self, url: str) -> bytes | None:
        request = _request(url)
        self.jar.add_cookie_header(request)
        value = request.get_header("Cookie")
        return None if value is None else value.encode("latin-1")

    def take(self, url: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Keep what an answer sets, and tell whether it set anything.

        Args:
            url: where the answer came from.
            headers: the answer's, as they came.

        Raises:
            ItemError: there are more cookies than any tracker needs; all are forgotten.
        """
        fresh = [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]
        if not fresh:
            return False
        message = Message()
        for cookie in fresh:
            message["Set-Cookie"] = _for_its_host(cookie, url)
        # The jar's stub asks for a whole HTTPResponse; the jar itself calls info() only, as documented.
        self.jar.extract_cookies(_Answer(message), _request(url))  # type: ignore[arg-type]
        if len(self.jar) > _MOST:
            self.jar.clear()
            raise ItemError("The tracker sets more cookies than any tracker needs.")
        return True


class Jar(CookieJar):
    """The standard library's jar, which tells when what it holds has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.state = 0  # another number after each change
        self.expires = False  # one of its cookies ends by the clock

    def set_cookie(self, cookie: Cookie) -> None:
        """Keep a cookie."""
        super().set_cookie(cookie)
        self.state += 1
        self.expires = self.expires or cookie.expires is not None

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Forget all cookies, or some."""
        super().clear(domain, path, name)
        self.state += 1


def _for_its_host(cookie: str, url: str) -> str:
    """Take away a Domain that is the host's own name, as browsers do.

    The jar refuses one without a dot (``Domain=ims`` from ``http://ims/``), and the login would never hold.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    pair, *attributes = cookie.split(";")
    kept = [each for each in attributes if not _is_domain_of(each, host)]
    return ";".join((pair, *kept))


def _is_domain_of(attribute: str, host: str) -> bool:
    name, _, value = attribute.partition("=")
    return name.strip().lower() == "domain" and value.strip().strip('"').lstrip(".").lower() == host


class _Answer:
    """All that the jar asks of an answer."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message


def _request(url: str) -> Request:
    return Request(url)  # noqa: S310 - only looked at by the jar, never opened
