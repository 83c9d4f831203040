"""The limit: what any crawler must do with such pages, and nothing else.

Each page is asked for over a bare connection, made a tree of by Lexbor, packed, and copied with its text into
a table that has no index. No field is read, nothing is checked, the issues' numbers are known beforehand.

Run as ``python -m bench.peer.limit --url U --issues N``; the database's address is in ``PEER_DATABASE``.
Prints one JSON document: issues stored, and seconds from the first request to the last commit.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import re
import time
from urllib.parse import urlencode, urlsplit

import httpx
import psycopg
import zstandard
from selectolax.lexbor import LexborHTMLParser

from bench.peer.page import SEARCH, VIEW, read_list

CONNECTIONS = 8  # of each process
BATCH = 200
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Worker:
    """One process's share."""

    def __init__(self, base: str, cookie: str, numbers: list[str], database: str) -> None:
        self._base, self._cookie, self._numbers = urlsplit(base), cookie, numbers
        self._connection = psycopg.connect(database, autocommit=True)
        self._rows: list[tuple[int, str, bytes]] = []

    async def run(self) -> None:
        """Fetch and store everything."""
        await asyncio.gather(*(self._fetch() for _ in range(CONNECTIONS)))
        self._save()

    async def _fetch(self) -> None:
        host = self._base.hostname
        reader, writer = await asyncio.open_connection(host, self._base.port, limit=2**20)
        pack = zstandard.ZstdCompressor(level=3).compress
        while self._numbers:
            number = self._numbers.pop()
            target = f"{self._base.path}{VIEW}{number}"
            writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nCookie: {self._cookie}\r\n\r\n".encode())
            length = _LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
            assert length is not None
            page = await reader.readexactly(int(length[1]))
            body = LexborHTMLParser(page.decode()).body
            assert body is not None
            self._rows.append((int(number), body.text(), pack(page)))
            if len(self._rows) >= BATCH:
                self._save()
        writer.close()

    def _save(self) -> None:
        with self._connection.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "text", "bytea"])
            for row in self._rows:
                copy.write_row(row)
        self._rows.clear()


def _work(base: str, cookie: str, numbers: list[str], database: str) -> None:
    gc.collect()  # as ours
    gc.freeze()
    gc.set_threshold(20_000)
    asyncio.run(Worker(base, cookie, numbers, database).run())


def _listed(base: str, issues: int) -> tuple[str, list[str]]:
    """A session's cookie, and the numbers of all issues."""
    form = {"id": os.environ["IMS_TRACKER_USERNAME"], "password": os.environ["IMS_TRACKER_PASSWORD"]}
    with httpx.Client(base_url=base, trust_env=False) as browser:
        browser.post("auth/login.do", data=form)
        numbers: list[str] = []
        while len(numbers) < issues:
            page = len(numbers) // 10 + 1
            numbers += read_list(browser.get(f"{SEARCH}&pageIndex={page}").text)[1]
        return urlencode(dict(browser.cookies)), numbers


def main() -> None:
    """Store every page once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--issues", type=int, default=2000)
    arguments = parser.parse_args()
    base, database = f"{arguments.url}/tody/", os.environ["PEER_DATABASE"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (number bigint, text text, page bytea)")
    cookie, numbers = _listed(base, arguments.issues)
    began = time.monotonic()
    processes = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        pool.starmap(
            _work, [(base, cookie, numbers[place::processes], database) for place in range(processes)]
        )
    with psycopg.connect(database) as connection:
        stored = connection.execute("SELECT count(DISTINCT number) FROM bare").fetchone()
        connection.execute("DROP TABLE bare")
    assert stored is not None
    print(json.dumps({"stored": stored[0], "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
