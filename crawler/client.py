"""The one way to a tracker: bounded, patient, and never outside of the tracker's origin."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from functools import partial
from ssl import SSLContext
from types import TracebackType
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from crawler.errors import (
    AccessError,
    CrawlError,
    ItemError,
    NotPermitted,
    RedirectRefused,
)
from crawler.http.connections import Connections
from crawler.http.cookies import Cookies
from crawler.http.form import Pairs, as_body, as_query
from crawler.http.library import httpx
from crawler.http.origin import FileHosts, Origin, shown, without_secrets
from crawler.http.proxy import Proxy
from crawler.http.reach import Reach
from crawler.http.request import Headers, Request, bared, merged, redirect_target, standing_headers
from crawler.http.response import Response
from crawler.http.retry import RetryableError, retry
from crawler.http.robots import Robots
from crawler.http.send import Bounds, send
from crawler.http.stats import ClientStats
from crawler.http.status import Forbids, error_for_status
from crawler.http.transfer import Transfer
from crawler.throttle import Limits, Share, Throttle

__all__ = ["Client", "ClientStats", "Event", "Pairs", "Response"]

_FINE = range(200, 300)
_HOPS = 5
_PROGRESS = 1 << 20  # bytes of a file
_REST = 206
_NO_REST = 416


class Event(Struct, frozen=True):
    """Something worth a line in a log."""

    kind: str  # retry: another try follows; pause: the tracker asked everybody to wait
    reason: str  # one sentence, without secrets
    seconds: float  # of the wait that follows


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Client:
    """Asks one tracker with one account's cookies and credentials. An async context manager.

    Args:
        base_url: ``http(s)://host[:port][/path]``; nothing outside of this origin is ever asked.
        concurrency: requests at once.
        rate: requests a second, evenly spaced; None: no limit.
        robots: keep to what the site asks of crawlers in its ``robots.txt``.
        deadline: seconds that one try may take, headers and body together.
        connect_timeout: seconds to make a connection.
        tries: how often a request is tried in all.
        max_bytes: of a body, on the wire and inflated.
        basic_auth: name and password, sent with every request.
        transport: used instead of real connections, and left open; the seam for tests.
        throttle: the limits that are shared with other clients of the process; None: this client's own.
        share: limits that hold over other processes too, besides those of this one.
        reach: which addresses may be connected to; None: any.
        proxy: that everything is asked through; None: no proxy, whatever the environment says.
        file_hosts: further hosts of files, see :class:`crawler.http.origin.FileHosts`.
        forbidden: what a 403 says that tells no pause: no right, or too many requests.
        tls: for a tracker whose certificate is signed by a private authority; None: the usual ones.
        on_event: told about retries and pauses.
        sleep: waits for that many seconds.
        clock: seconds that never go back.
        now: the time of day, for dates in answers.

    Raises:
        UsageError: the base address is none, or carries a name or password.
    """

    def __init__(
        self,
        base_url: str,
        *,
        concurrency: int = 4,
        rate: float | None = None,
        robots: bool = False,
        deadline: float = 60.0,
        connect_timeout: float = 10.0,
        tries: int = 5,
        max_bytes: int = 64 << 20,
        basic_auth: tuple[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        throttle: Throttle | None = None,
        share: Share | None = None,
        reach: Reach | None = None,
        proxy: Proxy | None = None,
        file_hosts: Iterable[str] = (),
        forbidden: Forbids = "denied",
        tls: SSLContext | None = None,
        on_event: Callable[[Event], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.stats = ClientStats()
        self._origin = Origin(base_url)
        self._file_hosts = FileHosts(file_hosts, plain=self._origin.base.scheme == "http")
        self._forbidden: Forbids = forbidden
        self._host = (throttle or Throttle(sleep=sleep, clock=clock)).host(self._origin.key)
        self._share = share
        self._limits = Limits(concurrency=concurrency, rate=rate)
        self._bounds = Bounds(deadline=deadline, size=max_bytes)
        self._timeouts = {"connect": connect_timeout}
        self._tries = tries
        self._headers = standing_headers(basic_auth)
        self._headers_of: tuple[tuple[bytes, Headers], httpx.Headers] | None = None  # of the last request
        self._cookies = Cookies()
        self.cookies = self._cookies.jar
        self._connections = Connections(tls=tls, only=transport, reach=reach, proxy=proxy)
        self._robots: Robots | None = None
        self._robots_unread = robots
        self._reading_robots = asyncio.Lock()
        self._entered = False
        self._membership = ExitStack()
        self._on_event = on_event or (lambda event: None)
        self._sleep = sleep
        self._now = now

    async def __aenter__(self) -> Self:
        self._membership.enter_context(self._host.member(self._limits))
        self._entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._entered = False
        self._membership.close()
        await self._connections.close()

    async def get(
        self,
        url: str,
        *,
        params: Pairs | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Container[int] = _FINE,
        retry: bool = True,
    ) -> Response:
        """Get a page.

        Args:
            url: absolute within the origin, or relative to the base address as a link there would be:
                ``ticket/5`` is below it, ``/ticket/5`` starts at the host's root.
            params: added to the address's own query.
            headers: besides the usual ones.
            accept: the statuses that are an answer; every other one is an error.
            retry: false: one try only.

        Raises:
            NotFound, Forbidden, NotPermitted: what the status says.
            PageTooLarge, RedirectRefused: the answer goes beyond what is allowed.
            ItemError: the tries are used up, or the answer is no use.
            TrackerError: the host cannot be reached, or not safely.
        """
        return await self._ask("GET", url, params, headers, None, accept, retry)

    async def download(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: Container[int] = _FINE,
        into: Transfer | None = None,
        is_file: Callable[[Response], bool] = lambda answer: True,
    ) -> Response:
        """Get a file, which may also be on one of the tracker's file hosts, or be redirected there.

        Such a host gets neither cookie nor credential, nor the headers given here.

        Args:
            url: as for :meth:`get`, or on a file host.
            headers: besides the usual ones, for the tracker itself.
            accept: the statuses that are an answer.
            into: gets the bytes as they come, and the answer's own body is then empty; an answer that is cut
                is gone on with. None: the whole file is the answer's body.
            is_file: whether an answer of status 200, of which the body is not here yet, is the file, and not
                a page in its place; for ``into``.

        Raises:
            CrawlError: as for :meth:`get`.
        """
        self._check_entered()
        if self._robots_unread:
            await self._obey_robots()
        elsewhere = self._file_hosts.resolve(url, str(self._origin.base))
        target = elsewhere or self._origin.resolve(url)
        request = Request("GET", target, merged(self._headers, headers), None, accept, is_file=True)
        request = replace(request, into=into, is_the_file=is_file)
        request = request if elsewhere is None else bared(request, elsewhere)
        while True:
            before = 0 if into is None else into.have
            try:
                return await self._retry(request)
            except ItemError as error:
                # A long file over a bad line is worth as many tries as bring it on.
                is_setback = isinstance(error.__cause__, RetryableError)
                if into is None or not is_setback or into.have < before + _PROGRESS:
                    raise

    async def post(
        self,
        url: str,
        *,
        data: Pairs | bytes | None = None,
        params: Pairs | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Container[int] = _FINE,
        retry: bool = True,
    ) -> Response:
        """Send a form and get the page that answers it.

        Args:
            url: as for :meth:`get`.
            data: the form's fields, sent as UTF-8, or a body as it is, its Content-Type among the headers.
            params: added to the address's own query.
            headers: besides the usual ones.
            accept: the statuses that are an answer; every other one is an error.
            retry: false where a second try may do harm, as with a login.

        Raises:
            CrawlError: as for :meth:`get`.
        """
        extra = dict(headers or {})
        if isinstance(data, bytes):
            content = data
        else:
            content = as_body(data or ())
            extra["Content-Type"] = "application/x-www-form-urlencoded"
        return await self._ask("POST", url, params, extra, content, accept, retry)

    async def _ask(
        self,
        method: str,
        url: str,
        params: Pairs | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        accept: Container[int],
        retry: bool,
    ) -> Response:
        self._check_entered()
        if self._robots_unread:
            await self._obey_robots()
        target = self._origin.resolve(url, added=as_query(params) if params else b"")
        request = Request(method, target, merged(self._headers, headers), content, accept)
        return await self._retry(request, tries=self._tries if retry else 1)

    def _check_entered(self) -> None:
        if not self._entered:
            raise RuntimeError("a client is used within its 'async with' block")

    async def _retry(self, request: Request, *, tries: int | None = None) -> Response:
        return await retry(
            partial(self._walk, request),
            tries=tries or self._tries,
            sleep=self._wait,
            on_retry=self._note_retry,
        )

    async def _obey_robots(self) -> None:
        """Read the site's ``robots.txt`` before anything else; a site without one asks for nothing."""
        async with self._reading_robots:
            if not self._robots_unread:
                return
            url = self._origin.resolve("/robots.txt")
            try:
                answer = await self._retry(Request("GET", url, merged(self._headers, None), None, _FINE))
            except (AccessError, ItemError):
                pass  # there is none, or none that can be read
            else:
                self._robots = Robots.read(answer.body)
                if self._robots.delay is not None:
                    slow = Limits(concurrency=self._limits.concurrency, rate=1 / self._robots.delay)
                    self._membership.enter_context(self._host.member(slow))
            self._robots_unread = False

    async def _walk(self, request: Request) -> Response:
        """One try: the request and whatever redirects follow."""
        seen = {(request.method, request.url)}
        for _ in range(_HOPS + 1):
            robots = None if request.is_bare else self._robots  # each host has its own, for pages
            if robots is not None and not robots.allows(str(request.url)):
                raise NotPermitted(
                    f"The site asks crawlers to stay away from {shown(request.url)}: ask its administrators,"
                    " or store the tracker with trackers add --ignore-robots."
                )
            status, headers, body, fresh_cookies = await self._send(request)
            if status in request.wanted or (status == _REST and request.into is not None):
                # A rest makes the file whole: whoever asked for it knows of no parts.
                told = 200 if request.into is not None and status == _REST else status
                return Response(without_secrets(request.url), told, headers, body)
            location = redirect_target(status, headers)
            if location is None:
                if request.into is not None and status == _NO_REST and request.into.wants_rest:
                    request.into.start_anew()
                    raise RetryableError(f"{shown(request.url)} has no such part of the file.")
                raise self._refused(status, headers, body, request.url)
            request = self._redirected(request, status, location)
            place = (request.method, request.url)
            # The same place again can be right only where a cookie was set in between.
            if place in seen and not fresh_cookies:
                raise RedirectRefused(f"{shown(request.url)} redirects in a circle.")
            seen.add(place)
        raise RedirectRefused(f"{shown(request.url)} is reached only by too many redirects.")

    def _redirected(self, request: Request, status: int, location: str) -> Request:
        if request.is_file:
            elsewhere = self._file_hosts.resolve(location, str(request.url))
            if elsewhere is not None:
                return bared(request, elsewhere)
            if request.is_bare:  # there is no way back to where we are known
                raise RedirectRefused(f"{shown(request.url)} redirects to a host that no file should be on.")
        return request.redirected(status, self._origin.follow(location, request.url))

    async def _send(self, request: Request) -> tuple[int, dict[str, str], bytes, bool]:
        where = str(request.url)
        cookie = None if request.is_bare else self._cookies.header(where)
        sent = request.headers
        if request.into is not None:
            own = request.into.headers
            sent = (*(each for each in sent if each[0].lower() != b"accept-encoding"), *own)
        message = self._message(request, sent if cookie is None else (*sent, (b"Cookie", cookie)))
        shared = nullcontext(0.0) if self._share is None else self._share.turn()
        async with self._host.turn() as waited:
            self.stats.wait_seconds += waited
            async with shared as waited:
                self.stats.wait_seconds += waited
                scheme = request.url.scheme
                transport = self._connections.take(scheme)
                try:
                    answer, headers, body = await send(
                        transport,
                        message,
                        bounds=self._bounds,
                        wanted=request.wanted,
                        stats=self.stats,
                        into=request.into,
                        is_file=partial(_is_file, request),
                    )
                finally:
                    self._connections.give_back(scheme, transport)
        fresh = not request.is_bare and self._cookies.take(where, answer.headers.raw)
        return answer.status_code, headers, body, fresh

    def _message(self, request: Request, sent: Headers) -> httpx.Request:
        timeouts = {"timeout": self._timeouts}
        if request.content is not None or request.method != "GET":
            return httpx.Request(
                request.method, request.url, headers=sent, content=request.content, extensions=timeouts
            )
        place = request.url.netloc, sent
        if self._headers_of is None or self._headers_of[0] != place:
            # The library looks at each of them several times, and one request's are the next one's.
            self._headers_of = place, httpx.Request("GET", request.url, headers=sent).headers
        nothing = httpx.ByteStream(b"")
        return httpx.Request(
            "GET", request.url, headers=self._headers_of[1], stream=nothing, extensions=timeouts
        )

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes, url: httpx.URL) -> CrawlError:
        error = error_for_status(
            status, headers, shown(url), self._now(), body=body, forbidden=self._forbidden
        )
        if isinstance(error, RetryableError) and error.retry_after is not None:
            self._host.pause(error.retry_after)
            if self._share is not None:
                self._share.pause(error.retry_after)
            self._on_event(Event("pause", str(error), error.retry_after))
        return error

    async def _wait(self, seconds: float) -> None:
        self.stats.wait_seconds += seconds
        await self._sleep(seconds)

    def _note_retry(self, setback: RetryableError, seconds: float) -> None:
        self.stats.retries += 1
        self._on_event(Event("retry", str(setback), seconds))


def _is_file(request: Request, status: int, headers: Mapping[str, str]) -> bool:
    judge = request.is_the_file
    return status in (200, _REST) and (
        judge is None or judge(Response(without_secrets(request.url), 200, headers, b""))
    )
