"""A server on a raw socket that says exactly what a test tells it to, broken answers included."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from enum import Enum
from typing import TypeAlias

import pytest


class End(Enum):
    """How a script takes leave."""

    CLOSE = "closes the connection in order"
    RESET = "resets it"


Step: TypeAlias = bytes | float | End  # say this, wait that many seconds, take leave
Script: TypeAlias = Sequence[Step]


def reply(body: bytes = b"fine", *headers: str, status: str = "200 OK") -> bytes:
    """A correct answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class RawServer:
    """Plays one script a request, in order; the last one is played again for every further request."""

    def __init__(self, *scripts: Script | bytes) -> None:
        self.scripts = [[script] if isinstance(script, bytes) else list(script) for script in scripts]
        self.requests: list[bytes] = []  # head and body of each, as they came
        self.via: list[int] = []  # the connection each request came on, from 1
        self.connections = 0
        self.active = 0
        self.most_active = 0  # requests at once
        self.url = ""
        self._news = asyncio.Condition()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def asked(self) -> list[str]:
        """Method and target of each request."""
        return [" ".join(request.decode("latin-1").split(" ", 2)[:2]) for request in self.requests]

    async def has_been_asked(self, times: int) -> None:
        """Wait until that many requests have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.requests) >= times)

    def header(self, name: str, which: int = -1) -> str | None:
        """A header of a request."""
        for line in self.requests[which].split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
        """Listen on a free port of loopback for the block."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()
            await asyncio.sleep(0)  # so that the connections' tasks see it

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        own = self.connections
        self._writers.add(writer)
        try:
            while True:
                self.requests.append(await self._request(reader))
                self.via.append(own)
                async with self._news:
                    self._news.notify_all()
                self.active += 1
                self.most_active = max(self.most_active, self.active)
                try:
                    if not await self._play(writer):
                        return
                finally:
                    self.active -= 1
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head + await reader.readexactly(int(line.split(b":")[1]))
        return head

    async def _play(self, writer: asyncio.StreamWriter) -> bool:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, End):
                if step is End.RESET:
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                return False
            else:
                await asyncio.sleep(step)
        return True


@pytest.fixture
async def rawserver() -> AsyncIterator[Callable[..., Awaitable[RawServer]]]:
    """Starts servers: ``server = await rawserver(script, …, tls=None)``; they stop with the test."""
    async with AsyncExitStack() as stack:

        async def start(*scripts: Script | bytes, tls: ssl.SSLContext | None = None) -> RawServer:
            return await stack.enter_async_context(RawServer(*scripts).running(tls))

        yield start
