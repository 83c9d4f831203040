"""What goes wrong is told in one sentence with the right status, and leaves nothing half-written."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.embedded import Home
from tests.fixtures.program import Program, Tracker

pytestmark = pytest.mark.xdist_group("bad_input")


def test_an_address_where_nobody_answers(ims_crawl: Program) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = ims_crawl("crawl", "x", "--kind", "ims", "--url", url, **Tracker.ACCOUNT, IMS_LOG="json")
    assert done.status == 5
    assert "127.0.0.1" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("url", ["ftp://host/x", "nonsense", "http://", "http://user:pw@host/"])
def test_an_address_that_is_none(ims_crawl: Program, url: str) -> None:
    done = ims_crawl("crawl", "x", "--kind", "ims", "--url", url)
    assert done.status == 2
    assert "pw" not in done.sentence()


def test_a_refused_login(ims_crawl: Program, ims_process: Tracker) -> None:
    done = ims_crawl(
        "crawl",
        "x",
        *ims_process.options,
        IMS_TRACKER_USERNAME="kim",
        IMS_TRACKER_PASSWORD="canary-wrong-password",
    )
    assert done.status == 3
    assert "canary" not in done.out + done.err


def test_an_unknown_product(ims_crawl: Program, ims_process: Tracker) -> None:
    done = ims_crawl("crawl", "x", *ims_process.options, "--product", "Nonesuch", **ims_process.ACCOUNT)
    assert done.status == 2
    assert "Nonesuch" in done.err


@pytest.mark.parametrize("command", ["crawl", "search", "query"])
def test_an_unbalanced_quote(ims_crawl: Program, command: str) -> None:
    done = ims_crawl(command, "+'connection timeout")
    assert done.status == 2
    assert "quote" in done.sentence()


@pytest.mark.parametrize(
    "arguments",
    [
        ("crawl",),
        ("crawl", "x", "--kind", "ims"),
        ("crawl", "x", "--kind", "nonesuch", "--url", "http://127.0.0.1:1"),
        ("crawl", "x", "--tracker", "nonesuch"),
        ("crawl", "x", "--since", "yesterday-ish", "--tracker", "t"),
        ("crawl", "x", "--max", "0"),
        ("show", "no-such-issue"),
        ("resume", "not-a-uuid"),
        ("resume", "00000000-0000-0000-0000-000000000000"),
        ("trackers", "add", "t", "--kind", "ims", "--url", "http://h", "--timezone", "Mars/Olympus"),
        ("trackers", "remove", "nonesuch"),
        ("users", "add", ""),
        ("users", "add", "two\nlines"),
        ("nonesuch",),
    ],
)
def test_wrong_usage(ims_crawl: Program, arguments: tuple[str, ...]) -> None:
    done = ims_crawl(*arguments)
    assert done.status == 2
    assert done.sentence().endswith(("?", ".", "--help."))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\x00",
        # It is asked again and again, with growing pauses.
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ngarbage", marks=pytest.mark.long),
        pytest.param(b"\x00\x01\x02 this is no HTTP", marks=pytest.mark.long),
    ],
)
def test_a_tracker_that_answers_garbage(ims_crawl: Program, answer: bytes) -> None:
    with _answering(answer) as url:
        done = ims_crawl("crawl", "x", "--kind", "ims", "--url", url, **Tracker.ACCOUNT)
    assert done.status == 5
    assert "Traceback" not in done.err
    assert ims_crawl("sessions", "--json").document[0]["status"] == "failed"


def test_a_missing_database(ims_crawl: Program, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://ims_app:pw-canary@/nonesuch?host={tmp_path}"
    done = ims_crawl("sessions", DATABASE_URL=url)
    assert done.status == 5
    assert "canary" not in done.sentence()


def test_a_data_folder_of_another_version(home: Home) -> None:
    program = Program(home.path)
    assert program("sessions").status == 0
    version = next(home.path.rglob("PG_VERSION"))
    version.write_text("9\n")
    done = program("sessions")
    assert done.status == 5
    assert "9" in done.sentence()


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    done = Program(tmp_path / "home")("sessions")
    assert done.status == 5
    done.sentence()


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """A server that gives the same bytes to everybody."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    port = 0

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    async def serve() -> asyncio.Server:
        nonlocal port
        server = await asyncio.start_server(reply, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ready.set()
        return server

    def run() -> None:
        server = loop.run_until_complete(serve())
        loop.run_forever()
        server.close()
        loop.run_until_complete(server.wait_closed())

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
