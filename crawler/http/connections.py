"""Connections to one tracker, one to a transport, the one that was used last taken first."""

from __future__ import annotations

from functools import cache, partial
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

from crawler.http.library import httpx
from crawler.http.proxy import Proxy, ThroughProxy
from crawler.http.reach import Reach, WithinReach
from crawler.http.wire import Wire

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
