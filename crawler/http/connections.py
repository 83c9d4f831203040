"""Connections to one tracker, one to a transport, the one that was used last taken first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError

from crawler.errors import NotPermitted, TrackerError
from crawler.http.library import httpx
from crawler.http.proxy import Proxy
from crawler.http.reach import Reach
from crawler.http.retry import RetryableError, causes_of
from crawler.http.wire import Wire

_TRIES = 3  # where a proxy fails
_WANTS_ACCOUNT = 407
_IDLE = 60.0  # seconds a connection is kept; one that the server closed before is noticed


class Connections:
    """Transports that are made when one is needed and none is free.

    Args:
        tls: trusts what the tracker's certificate may be signed by; None: the usual authorities.
        only: used for everything and never closed, instead of real connections.
        reach: which addresses may be connected to; None: any.
        proxy: that everything is asked through; None: the tracker itself is connected to.
    """

    def __init__(
        self,
        *,
        tls: SSLContext | None = None,
        only: httpx.AsyncBaseTransport | None = None,
        reach: Reach | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self._tls = tls
        self._reach = reach
        self._proxy = proxy
        self._only = only
        self._made: list[httpx.AsyncBaseTransport] = []
        self._free: dict[str, list[httpx.AsyncBaseTransport]] = {}  # by the scheme that they are for

    def take(self, scheme: str) -> httpx.AsyncBaseTransport:
        """Get a transport for http or https that nobody else uses; whoever takes it gives it back."""
        if self._only is not None:
            return self._only
        free = self._free.setdefault(scheme, [])
        return free.pop() if free else self._make(scheme)

    def give_back(self, scheme: str, transport: httpx.AsyncBaseTransport) -> None:
        """Let others use it."""
        if transport is not self._only:
            self._free[scheme].append(transport)

    async def close(self) -> None:
        """Close all of them, those in use too."""
        self._free.clear()
        while self._made:
            await self._made.pop().aclose()

    def _make(self, scheme: str) -> httpx.AsyncBaseTransport:
        transport: httpx.AsyncBaseTransport
        if self._proxy is not None:
            transport = ThroughProxy(self._proxy, self._reach, partial(self._open, scheme))
        else:
            transport = self._open(scheme)
            if self._reach is not None:
                transport = WithinReach(transport, self._reach)
        self._made.append(transport)
        return transport

    def _open(self, scheme: str, proxy: httpx.Proxy | None = None) -> httpx.AsyncBaseTransport:
        tls = self._tls or (_nobody() if scheme == "http" else _usual_authorities())
        if proxy is None:
            return Wire(tls, idle=_IDLE)
        if proxy.url.scheme == "https":
            proxy.ssl_context = _usual_authorities()
        # One connection a transport: a larger pool is searched through at every request.
        return httpx.AsyncHTTPTransport(
            verify=tls,
            trust_env=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_IDLE),
            proxy=proxy,
        )


class WithinReach(httpx.AsyncBaseTransport):
    """A transport that asks only hosts within reach, at the address that was judged."""

    def __init__(self, transport: httpx.AsyncBaseTransport, reach: Reach) -> None:
        self._transport = transport
        self._reach = reach
        self._known: dict[tuple[str, int], str] = {}  # the address that answered last

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first address that answers."""
        url = request.url
        host, port = url.raw_host.decode("ascii"), url.port or {"https": 443}.get(url.scheme, 80)
        known = self._known.pop((host, port), None)
        failure = httpx.ConnectError("nobody answers")
        for address in [known] if known else await self._reach.addresses(host, port):
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,  # Host among them, as it was asked for
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                answer = await self._transport.handle_async_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = httpx.ConnectError("nobody answers")
                failure.__cause__ = error
            else:
                self._known[host, port] = address
                return answer
        raise failure

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class ThroughProxy(httpx.AsyncBaseTransport):
    """A transport by way of a proxy, whose failures are told apart from the tracker's.

    Args:
        proxy: which one.
        reach: which addresses it may have; None: any.
        make: makes the library's transport.
    """

    def __init__(
        self, proxy: Proxy, reach: Reach | None, make: Callable[[httpx.Proxy], httpx.AsyncBaseTransport]
    ) -> None:
        self._proxy = proxy
        self._reach = reach
        self._make = make
        self._transport: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request by way of the proxy."""
        where = self._proxy.url
        try:
            if self._transport is None:
                self._transport = self._make(await self._pinned())
            answer = await self._transport.handle_async_request(request)
        except httpx.ProxyError as error:
            if str(error).startswith(str(_WANTS_ACCOUNT)):
                raise _no_account(where) from error
            raise RetryableError(
                f"The proxy {where} does not connect to {request.url.host}.",
                most_tries=_TRIES,
                final=TrackerError,
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if any(isinstance(cause, SSLError) for cause in causes_of(error)):
                raise  # of the tracker behind it
            raise RetryableError(
                f"The proxy {where} cannot be reached.", most_tries=_TRIES, final=TrackerError
            ) from error
        if answer.status_code == _WANTS_ACCOUNT:
            await answer.aclose()
            raise _no_account(where)
        return answer

    async def _pinned(self) -> httpx.Proxy:
        """The proxy at an address that may be connected to."""
        if self._reach is None:
            return self._proxy.at()
        url = httpx.URL(self._proxy.url)
        if url.scheme == "https":  # its certificate is for its name
            raise NotPermitted("A worker uses other users' proxies by http:// or socks5:// only.")
        return self._proxy.at((await self._reach.addresses(url.host, self._proxy.port))[0])

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()


def _no_account(where: str) -> TrackerError:
    return TrackerError(
        f"The proxy {where} wants another name or password: give its address with the account's name "
        "before the host to trackers edit --proxy."
    )


@cache
def _nobody() -> SSLContext:
    """Trusts no certificate: for plain connections, which should not wait until authorities are read."""
    return SSLContext(PROTOCOL_TLS_CLIENT)


@cache
def _usual_authorities() -> SSLContext:
    """The system's and certifi's, read once a process, because that takes tens of milliseconds."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
