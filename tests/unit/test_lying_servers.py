"""Whatever a server cuts, says twice or lies about: a stored file is whole, or there is an error."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import ItemError
from crawler.http.transfer import Transfer
from crawler.records import AttachmentRecord
from pipeline.attachments import download
from pipeline.attachments.draft import Draft
from pipeline.attachments.paths import path_of
from pipeline.stages.counts import FileCounts

SIZE = 4000
# Two versions of a file, and one that is larger.
VERSIONS = [
    hashlib.shake_128(b"one").digest(SIZE),
    hashlib.shake_128(b"two").digest(SIZE),
    hashlib.shake_128(b"large").digest(SIZE + 50),
]
SAYS = (
    "the truth",
    "ignores ranges",
    "ignores the condition",
    "the same tag for another file",
    "another start",
    "another start of the right length",
    "another end",
    "another total",
    "no content range",
    "twice",
    "less than announced",
    "more than announced",
    "short as a whole",
    "416",
    "500",
    "a wrong checksum",
    "in chunks",
    "without an end",
)
steps = st.lists(
    st.tuples(
        # The first is what is tried most: a part of one version is there when the lies begin.
        st.one_of(st.just(SAYS[0]), st.sampled_from(SAYS)),
        st.sampled_from((0, 0, 1, 1, 2)),
        st.integers(0, SIZE),
    ),
    min_size=2,
    max_size=12,
)


def answer(says: str, version: int, asked: str | None, condition: str | None) -> tuple[bytes, bytes]:
    """Head and body of what a server says that has this version."""
    body, tag = VERSIONS[version], f'"{version}"'
    if says == "the same tag for another file":
        tag = condition or '"0"'
    start = 0
    is_rest = asked is not None and says != "ignores ranges"
    if is_rest and (condition == tag or says == "ignores the condition"):
        start = min(int(str(asked).removeprefix("bytes=").removesuffix("-")), len(body) - 1)
    status = "206 Partial Content" if start else "200 OK"
    lines = [f"ETag: {tag}"]
    first, last, total, sent = start, len(body) - 1, len(body), body[start:]
    if says == "another start":
        first, sent = start // 2, body[start // 2 :]
    elif says == "another start of the right length":
        first, sent = start // 2, body[start // 2 :][: len(sent)]
    elif says == "another end":
        last, sent = last - 1, sent[:-1]
    elif says == "another total":
        total += 1
    elif says == "short as a whole":
        sent = sent[: len(sent) // 2]
    if start and says != "no content range":
        lines.append(f"Content-Range: bytes {first}-{last}/{total}")
    length = len(sent)
    if says == "twice":
        sent += sent
    elif says == "less than announced":
        length += 10
    elif says == "more than announced":
        length = max(0, length - 10)
    elif says == "a wrong checksum":
        lines.append("Repr-Digest: sha-256=:" + base64.b64encode(hashlib.sha256(b"").digest()).decode() + ":")
    elif says == "416":
        status, sent, length = "416 Range Not Satisfiable", b"", 0
    elif says == "500":
        status, sent, length = "500 Internal Server Error", b"", 0
    if says == "in chunks":
        lines.append("Transfer-Encoding: chunked")
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent)
    elif says != "without an end":
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode(), sent


@asynccontextmanager
async def server(script: list[tuple[str, int, int]]) -> AsyncIterator[str]:
    """One answer a connection, as the script says, each cut after so many bytes; then the truth, whole."""
    left = list(script)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            told = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            says, version, at = left.pop(0) if left else ("the truth", 0, 10_000)
            top, body = answer(says, version, told.get("range"), told.get("if-range"))
            writer.write(top + body[:at])
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await listening.wait_closed()


@dataclass
class Straight:
    """The client without a process of its own, in the place of a tracker's pool."""

    url: str
    kept_by: Callable[[], None] = lambda: None

    async def download(self, attachment: AttachmentRecord, store: Any, *, limit: int) -> None:
        async def at_once(_: float) -> None:
            await asyncio.sleep(0)

        transfer = Transfer(store, limit=limit, announced=attachment.file_size, kept=store.kept)
        async with Client(self.url, sleep=at_once, tries=3, deadline=10) as client:
            await client.download("/file", into=transfer)


async def fetched(home: Path, url: str) -> bytes | None:
    """The file as it is stored, or None where there was an error."""
    work = download.Work(
        claim=None,  # type: ignore[arg-type] # no database
        source=Straight(url),  # type: ignore[arg-type]
        home=home,
        stop=asyncio.Event(),
        within=lambda: None,
        largest=1 << 20,
        exact=True,
        counts=FileCounts(),
        tell=lambda: None,
    )
    async with Draft(home, "1") as draft:
        with suppress(ItemError):
            await download._fetched(work, AttachmentRecord(filename="a", file_size=SIZE), draft, 1 << 20)
            digest = draft.keep()
            return (home / path_of(digest)).read_bytes()
    return None


@settings(max_examples=100)
@given(runs=st.lists(steps, min_size=1, max_size=3))
def test_a_stored_file_is_one_of_the_servers_and_never_a_mixture(
    runs: list[list[tuple[str, int, int]]],
) -> None:
    async def go_on() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for script in runs:  # each goes on with what the one before left
                async with server(script) as url:
                    body = await fetched(Path(folder), url)
                if body is not None:
                    assert body in VERSIONS[:2]
                    return
            async with server([]) as url:
                assert await fetched(Path(folder), url) == VERSIONS[0]

    asyncio.run(go_on())
