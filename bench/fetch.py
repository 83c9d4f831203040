"""What a request costs: CPU milliseconds of our client beside bare httpx, as JSON.

A trivial server in a process of its own answers every request with the same page. The ways to ask take turns
within one run, so that a noisy machine disturbs all of them alike; medians are reported.

Run as ``python -m bench.fetch [--requests N] [--rounds N] [--concurrency C]``.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from crawler.client import Client

PAGE = b"".join(
    b"<tr id='action_%d'><td>%d</td><td>text of an answer</td></tr>\n" % (n, n * n) for n in range(680)
)

Ask = Callable[[], Awaitable[object]]


class _Answering(asyncio.Protocol):
    """Answers whatever ends in an empty line; /gzip gets the compressed page."""

    plain = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE
    packed = gzip.compress(PAGE)
    small = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._got = b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        while b"\r\n\r\n" in self._got:
            head, self._got = self._got.split(b"\r\n\r\n", 1)
            answer = self.small if head.startswith(b"GET /gzip") else self.plain
            assert isinstance(self._transport, asyncio.WriteTransport)
            self._transport.write(answer)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def _our_client(url: str, concurrency: int) -> AsyncIterator[list[Ask]]:
    async with Client(url, concurrency=concurrency) as client:
        yield [lambda: client.get(url)] * concurrency


@asynccontextmanager
async def _one_httpx(url: str, concurrency: int) -> AsyncIterator[list[Ask]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield [lambda: client.get(url)] * concurrency


@asynccontextmanager
async def _httpx_per_worker(url: str, concurrency: int) -> AsyncIterator[list[Ask]]:
    limits = httpx.Limits(max_connections=1)
    clients = [httpx.AsyncClient(trust_env=False, limits=limits) for _ in range(concurrency)]

    def ask(client: httpx.AsyncClient) -> Ask:
        return lambda: client.get(url)

    yield [ask(client) for client in clients]
    for client in clients:
        await client.aclose()


WAYS = {"client": _our_client, "httpx": _one_httpx, "httpx_per_worker": _httpx_per_worker}


async def _worker(ask: Ask, times: int) -> None:
    for _ in range(times):
        await ask()


async def _cost(way: str, url: str, concurrency: int, requests: int) -> float:
    async with WAYS[way](url, concurrency) as asks:
        await asyncio.gather(*(ask() for ask in asks))  # connections are made outside of the measurement
        began = time.process_time()
        await asyncio.gather(*(_worker(ask, requests // concurrency) for ask in asks))
        return (time.process_time() - began) * 1000 / (requests // concurrency * concurrency)


async def _measure(port: int, concurrency: int, requests: int, rounds: int) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for path in ("plain", "gzip"):
        url = f"http://127.0.0.1:{port}/{path}"
        costs: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                costs[way].append(await _cost(way, url, concurrency, requests))
        found[path] = {way: round(statistics.median(each), 3) for way, each in costs.items()}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=800, help="of each way in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(_serve())
        return
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.fetch", "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        costs = asyncio.run(_measure(port, asked.concurrency, asked.requests, asked.rounds))
    finally:
        server.terminate()
        server.wait()
    report = {"page_bytes": len(PAGE), "concurrency": asked.concurrency, "cpu_ms_per_request": costs}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
