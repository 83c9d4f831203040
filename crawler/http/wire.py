"""A connection to a tracker: h11 on asyncio.

The HTTP library's own connection has three layers more, which cost more processor time than reading a page.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import h11

from crawler.http.library import httpx

_BUFFER = 1 << 16  # bytes that are read at once
_HELD = 1 << 18  # bytes that may wait to be taken before the server must wait
_HEAD = 100 << 10  # bytes of a head
_EYEBALLS = 0.25  # seconds until another address of the host is tried beside the first (RFC 8305)
_PORTS = {"http": 80, "https": 443}


class Wire(httpx.AsyncBaseTransport):
    """A transport of one connection, made anew where the last one has ended; for one user at a time.

    Args:
        tls: for https.
        idle: seconds that the connection is kept for the next request.
    """

    def __init__(self, tls: ssl.SSLContext, *, idle: float) -> None:
        self._tls = tls
        self._idle = idle
        self._line: _Line | None = None
        self._origin: tuple[str, str, int] | None = None
        self._until = 0.0  # when the connection has been idle for too long
        self._checked: tuple[list[tuple[bytes, bytes]], h11.Request] | None = None  # headers that were fine

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer's body is still to be read."""
        url = request.url
        if url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol("only http and https are spoken here")
        reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD)
        message = self._message(reader, request)
        origin = url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        line = self._line
        if line is None or origin != self._origin or not line.is_alive() or monotonic() > self._until:
            await self.aclose()
            line = self._line = await self._connected(origin, request.extensions)
            self._origin = origin
        try:
            line.begin()
            line.transport.write(message)
            head = await line.head(reader)
        except BaseException:
            await self.aclose()
            raise
        fields = head.headers.raw_items()
        return httpx.Response(head.status_code, headers=fields, stream=_Body(self, line, line.body(reader)))

    def _message(self, reader: h11.Connection, request: httpx.Request) -> bytes:
        """A request as it goes over the wire."""
        if not isinstance(request.stream, httpx.ByteStream):
            raise TypeError("a request's body is bytes")
        (content,) = request.stream
        target, headers = request.url.raw_path, request.headers.raw
        # Those of one request are those of the next, and need not be looked at again.
        known = self._checked[1].headers if self._checked and self._checked[0] == headers else headers
        try:
            head = h11.Request(method=request.method, target=target, headers=known)
            sent = [reader.send(head)]
            if content:
                sent.append(reader.send(h11.Data(data=content)))
            sent.append(reader.send(h11.EndOfMessage()))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        self._checked = headers, head
        return b"".join(part or b"" for part in sent)

    async def aclose(self) -> None:
        """Close the connection."""
        line, self._line = self._line, None
        if line is not None:
            line.transport.abort()
            await asyncio.shield(line.closed)

    def rest(self) -> None:
        """Keep the connection for the next request."""
        self._until = monotonic() + self._idle

    async def _connected(self, origin: tuple[str, str, int], extensions: Any) -> _Line:
        scheme, host, port = origin
        more: dict[str, Any] = {}
        if scheme == "https":
            self._tls.set_alpn_protocols(["http/1.1"])
            more = {"ssl": self._tls, "server_hostname": extensions.get("sni_hostname") or host}
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(extensions.get("timeout", {}).get("connect")):
                _, line = await loop.create_connection(
                    _Line,
                    host,
                    port,
                    proto=socket.IPPROTO_TCP,
                    happy_eyeballs_delay=_EYEBALLS,
                    **more,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return line


class _Body(httpx.AsyncByteStream):
    """What follows a head; the connection is kept where it was read to its end."""

    def __init__(self, wire: Wire, line: _Line, pieces: AsyncIterator[bytes]) -> None:
        self._wire = wire
        self._line = line
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._line.is_reusable:
            self._wire.rest()
        else:
            await self._wire.aclose()


class _Line(asyncio.BufferedProtocol):
    """What comes over the connection, piece by piece."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_BUFFER))
        self._came: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._held = 0
        self._asked = False  # an answer is wanted
        self._failure: Exception | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = False  # nothing more can be asked for
        self.is_reusable = False  # the last answer was read to its end, and the next may be asked for

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's own promise
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        if not self._asked:  # nobody asked for this
            self.ended = True
            self.transport.abort()
            return
        self._came.append(bytes(self._buffer[:size]))
        self._held += size
        if self._held > _HELD:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True
        self._failure = error
        self._wake()
        if not self.closed.done():
            self.closed.set_result(None)

    def is_alive(self) -> bool:
        """Whether another request may be sent: nothing has come since the last answer, not even an end."""
        if self.ended:
            return False
        looked_at = select.poll()
        looked_at.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not looked_at.poll(0)

    def begin(self) -> None:
        """Expect an answer."""
        self._asked, self.is_reusable = True, False

    async def head(self, reader: h11.Connection) -> h11.Response:
        """The head of the answer."""
        while isinstance(event := await self._event(reader), h11.InformationalResponse):
            pass
        if not isinstance(event, h11.Response):
            raise httpx.RemoteProtocolError("the connection ended before an answer came")
        return event

    async def body(self, reader: h11.Connection) -> AsyncIterator[bytes]:
        """The body of the answer, piece by piece."""
        while isinstance(event := await self._event(reader), h11.Data):
            yield bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            raise httpx.RemoteProtocolError("the connection ended before the answer did")
        self._asked = False
        is_left = self.ended or self._came or reader.trailing_data[0]  # by nothing that was asked for
        self.is_reusable = reader.their_state is h11.DONE and not is_left

    async def _event(self, reader: h11.Connection) -> Any:
        try:
            while (event := reader.next_event()) is h11.NEED_DATA:
                reader.receive_data(await self._piece())
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        return event

    async def _piece(self) -> bytes:
        """What came next; nothing: the server has ended the connection."""
        while not self._came:
            if self._failure is not None:
                raise httpx.ReadError(str(self._failure)) from self._failure
            if self.ended:
                return b""
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        piece = self._came.popleft()
        if self._held > _HELD >= self._held - len(piece):
            self.transport.resume_reading()
        self._held -= len(piece)
        return piece

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
