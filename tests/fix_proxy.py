"""A proxy between a crawl and its tracker that cuts each answer once, somewhere else each time."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# Where an answer of so many bytes, of which the first so many are its head, is cut.
CLASSES: tuple[Callable[[int, int], int], ...] = (
    lambda head, whole: 0,
    lambda head, whole: 1,
    lambda head, whole: 8,  # in the status line
    lambda head, whole: head // 2,
    lambda head, whole: head - 2,  # the empty line is not whole
    lambda head, whole: head,
    lambda head, whole: head + 1,
    lambda head, whole: (head + whole) // 2,
    lambda head, whole: whole - 8,  # in the last tag of a page
    lambda head, whole: whole - 1,
)
MANNERS = ("close", "reset")
WAYS = len(CLASSES) * len(MANNERS)


@dataclass
class CuttingProxy:
    """What goes on between the two."""

    tracker: str  # its address
    url: str = ""  # the proxy's own
    cuts: int = 0
    asked: list[tuple[float, str]] = field(default_factory=list)  # when (monotonic), and for what
    _ways: Iterator[int] | None = None
    _seen: set[bytes] = field(default_factory=set)

    def cut_from(self, way: int) -> None:
        """From now on cut the first answer to each request, the first of them in this way, and so on."""
        self._seen.clear()
        self._ways = itertools.count(way)

    def pass_all(self) -> None:
        """From now on cut nothing."""
        self._ways = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the crawl."""
        address = urlsplit(self.tracker)
        there = await asyncio.open_connection(address.hostname, address.port)
        is_login = False
        try:
            while True:
                request = await _message(reader)
                first = request.split(b"\r\n", 1)[0]
                self.asked.append((time.monotonic(), first.split(b" ")[1].decode()))
                there[1].write(request)
                answer = await _message(there[0])
                # A login is tried once, with the page that it leads to: repeated, it might lock the account.
                is_login, logged_in = first.startswith(b"POST "), is_login
                if self._ways is not None and not (is_login or logged_in) and first not in self._seen:
                    self._seen.add(first)
                    self._cut(writer, answer, next(self._ways) % WAYS)
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # one of them has left
        finally:
            for side in (there[1], writer):
                side.close()

    def _cut(self, writer: asyncio.StreamWriter, answer: bytes, way: int) -> None:
        manner, place = divmod(way, len(CLASSES))
        writer.write(answer[: CLASSES[place](answer.index(b"\r\n\r\n") + 4, len(answer))])
        self.cuts += 1
        if MANNERS[manner] == "reset":
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return head + await reader.readexactly(int(value))
    return head


@contextmanager
def cutting_proxy(tracker: str) -> Iterator[CuttingProxy]:
    """Run a proxy, in a thread of its own, before the tracker at this address. At first it cuts nothing."""
    proxy = CuttingProxy(tracker)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20))
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    ours = asyncio.current_task()
    connections = [task for task in asyncio.all_tasks() if task is not ours]
    for task in connections:
        task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.gather(*connections, return_exceptions=True)
