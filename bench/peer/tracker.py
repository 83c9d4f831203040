"""The stand-in's pages out of memory: every answer is made once, before the first request.

A benchmark of crawlers that waits for its tracker measures the tracker. Run as
``python -m bench.peer.tracker --issues N``; the address is the first line of its output.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
import sys
import threading

from crawler.sources.ims.standin.accounts import DEMO
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.messages import Answer, Request, status_line
from crawler.sources.ims.standin.pages import LOGIN_PATH, MAIN_PATH
from crawler.sources.ims.standin.routes import ISSUE_PATH, PAGE_SIZE, QUERY_ID, SEARCH_PATH, Site
from crawler.sources.ims.standin.sessions import COOKIE, Sessions
from crawler.sources.ims.standin.state import World
from crawler.sources.ims.standin.synthetic import Synthetic

_ISSUE = re.compile(rb"[?&]issueId=(\d+)")
_PAGE = re.compile(rb"[?&]pageIndex=(\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SEND_BUFFER = 1 << 20  # a page goes out in one call


class Answers:
    """Everything that the tracker can say to its first account, as bytes of HTTP."""

    def __init__(self, count: int) -> None:
        generated = Synthetic(count, Listing())
        account = DEMO[0]
        sessions = Sessions(DEMO, seconds=1e9)
        session = sessions.login(account.name, account.password)
        assert session is not None
        cookies = {COOKIE: session}
        site = Site(World((), generated), sessions, Listing(), generated.page)

        def made(path: str, **params: str) -> bytes:
            told = {name: [value] for name, value in params.items()}
            return _wire(site.answer(Request(method="GET", path=path, params=told, cookies=cookies)))

        listed = {"reSearchYN": "Y", "queryId": QUERY_ID}
        self.issues = {b"%d" % number: made(ISSUE_PATH, issueId=str(number)) for number in generated.numbers}
        self.lists = {
            b"%d" % page: made(SEARCH_PATH, pageIndex=str(page), **listed)
            for page in range(1, (count + PAGE_SIZE - 1) // PAGE_SIZE + 1)
        }
        self.last = self.lists[b"%d" % len(self.lists)]
        self.login = _wire(site.answer(Request(method="GET", path=LOGIN_PATH)))
        self.main = made(MAIN_PATH)
        self.missing = made("/tody/nothing/there.do")
        welcome = (("Location", MAIN_PATH), ("Set-Cookie", f"{COOKIE}={session}; Path=/tody"))
        self.welcome = _wire(Answer(status=302, headers=welcome))
        self.away = _wire(Answer(status=302, headers=(("Location", LOGIN_PATH),)))
        self._token = session.encode()
        self._form = (f"id={account.name}".encode(), f"password={account.password}".encode())

    def to(self, head: bytes, body: bytes) -> bytes:
        """The answer to a request."""
        target = head[: head.find(b"\r\n")].split(b" ")[1]
        if LOGIN_PATH.encode() in target:
            right = head.startswith(b"POST") and all(pair in body.split(b"&") for pair in self._form)
            return self.welcome if right else self.login
        if self._token not in head:
            return self.away
        if target.startswith(ISSUE_PATH.encode()) and (found := _ISSUE.search(target)):
            return self.issues.get(found[1], self.missing)
        if target.startswith(SEARCH_PATH.encode()) and (found := _PAGE.search(target)):
            return self.lists.get(found[1], self.last)  # as the tracker does past its end
        return self.main if target.startswith(MAIN_PATH.encode()) else self.missing


def _wire(answer: Answer) -> bytes:
    lines = [f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    return status_line(answer.status) + "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body


class _Connection(asyncio.Protocol):
    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        wire: socket.socket = transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._got) < whole:
                return
            self._transport.write(self._answers.to(head, self._got[end + 4 : whole]))
            self._got = self._got[whole:]


async def _serve(answers: Answers) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    stopped = asyncio.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    await stopped.wait()


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=2000)
    asyncio.run(_serve(Answers(parser.parse_args().issues)))


if __name__ == "__main__":
    main()
