"""Files are asked for as they are, gone on with where they were cut, and never put together from two."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crawler.client import Client
from crawler.errors import FileTooLarge, ItemError
from crawler.http.transfer import OVERLAP, Head, Kept, Transfer, validator_of
from tests.fixtures.rawserver import End, RawServer, reply
from tests.fixtures.taken import Taken

Start = Callable[..., Awaitable[RawServer]]

TAG = 'ETag: "1"'
BODY = hashlib.shake_128(b"file").digest(5000)
AT = 2000  # where it is cut
FROM = AT - OVERLAP  # from where on it is asked for again


async def get(server: RawServer, file: Taken | None = None, **options: Any) -> Taken:
    """Have the file."""
    file = file or Taken()
    transfer = Transfer(file, **{"limit": 1 << 20, **options})

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    async with Client(server.url, sleep=at_once, tries=3) as client:
        answer = await client.download("/file", into=transfer)
    assert (answer.body, answer.status, transfer.is_taken) == (b"", 200, True)
    return file


def rest(body: bytes, start: int, *headers: str, size: int | None = None) -> bytes:
    """The rest of a file from a byte on."""
    told = f"Content-Range: bytes {start}-{len(body) - 1}/{len(body) if size is None else size}"
    return reply(body[start:], told, *headers, status="206 Partial Content")


def cut(body: bytes, at: int, *headers: str) -> list[bytes | End]:
    """A whole answer of which so many bytes come."""
    whole = reply(body, *headers)
    return [whole[: len(whole) - len(body) + at], End.CLOSE]


async def test_a_file_is_asked_for_as_it_is(rawserver: Start) -> None:
    server = await rawserver(reply(BODY, "Content-Type: text/x-diff; charset=koi8-r"))
    file = await get(server)
    assert file.body == BODY
    assert file.heads == [Head(start=0, size=len(BODY), content_type="text/x-diff; charset=koi8-r")]
    assert server.header("Accept-Encoding") == "identity"
    assert server.header("Range") is None


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
async def test_a_file_is_gone_on_with_where_it_was_cut(rawserver: Start, end: End) -> None:
    first = [*cut(BODY, AT, TAG)[:1], 0.05, end]
    server = await rawserver(first, rest(BODY, FROM, TAG))
    file = await get(server)
    assert file.body == BODY
    assert (server.header("Range"), server.header("If-Range")) == (f"bytes={FROM}-", '"1"')
    assert [head.start for head in file.heads] == [0, AT]


@pytest.mark.parametrize(
    "second",
    [
        reply(BODY, TAG),  # all of it
        rest(BODY, FROM - 1, TAG),
        rest(BODY, FROM + 1, TAG),
        rest(BODY, AT, TAG),
        rest(BODY, FROM, 'ETag: "2"'),
        rest(BODY, FROM),
        rest(BODY, FROM, TAG, size=len(BODY) + 1),
        rest(BODY[:-1], FROM, TAG),
        reply(BODY[FROM:], TAG, status="206 Partial Content"),
        reply(BODY[FROM:], TAG, "Content-Range: bytes 2000-1/x", status="206 Partial Content"),
        reply(b"", "Content-Range: bytes */10", status="416 Range Not Satisfiable"),
        rest(BODY, FROM, TAG, "Content-Encoding: gzip"),
    ],
    ids=range(12),
)
async def test_what_is_not_the_rest_begins_the_file_anew(rawserver: Start, second: bytes) -> None:
    other = bytes(FROM) + BODY[FROM:]  # what is asked for again is the same
    server = await rawserver(cut(other, AT, TAG), second, reply(BODY, TAG))
    file = await get(server)
    assert file.body == BODY
    assert file.heads[-1].start == 0


async def test_the_rest_of_another_file_of_the_same_tag_is_noticed(rawserver: Start) -> None:
    server = await rawserver(cut(BODY[::-1], AT, TAG), rest(BODY, FROM, TAG), reply(BODY, TAG))
    assert (await get(server)).body == BODY
    assert len(server.requests) == 3


@pytest.mark.parametrize("headers", [[], ['ETag: W/"1"'], [TAG, "Accept-Ranges: none"]])
async def test_without_a_strong_validator_a_file_begins_anew(rawserver: Start, headers: list[str]) -> None:
    server = await rawserver(cut(BODY, AT, *headers), reply(BODY))
    assert (await get(server)).body == BODY
    assert server.header("Range") is None


async def test_what_an_earlier_run_left_is_gone_on_with(rawserver: Start) -> None:
    server = await rawserver(rest(BODY, FROM, TAG))
    kept = Kept(have=AT, tail=BODY[FROM:AT], size=len(BODY), validator='"1"')
    assert (await get(server, Taken(BODY[:AT]), kept=kept)).body == BODY
    assert server.header("Range") == f"bytes={FROM}-"


async def test_a_part_that_is_too_short_to_compare_is_not_gone_on_with(rawserver: Start) -> None:
    server = await rawserver(reply(BODY, TAG))
    kept = Kept(have=OVERLAP, tail=BODY[:OVERLAP], size=len(BODY), validator='"1"')
    assert (await get(server, Taken(BODY[:OVERLAP]), kept=kept)).body == BODY
    assert server.header("Range") is None


async def test_a_rest_that_nobody_asked_for_is_no_file(rawserver: Start) -> None:
    server = await rawserver(rest(BODY, 100, TAG))
    with pytest.raises(ItemError):
        await get(server)
    assert len(server.requests) == 3


async def test_a_file_beyond_the_limit_is_not_read(rawserver: Start) -> None:
    announced = await rawserver(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
    with pytest.raises(FileTooLarge):
        await get(announced)
    pieces = [b"%x\r\n%b\r\n" % (1 << 16, bytes(1 << 16))] * 40
    chunked = await rawserver([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *pieces])
    file = Taken()
    with pytest.raises(FileTooLarge):
        await get(chunked, file)
    assert len(file.body) <= 1 << 20


PACKED = gzip.compress(BODY, mtime=0)


@pytest.mark.parametrize(
    ("name", "announced", "came", "right"),
    [
        ("doc.tar.gz", len(PACKED), PACKED, PACKED),  # Apache's AddEncoding
        ("doc.tar.gz", None, PACKED, PACKED),
        ("doc.tgz", 3, PACKED, PACKED),  # a size that was rounded
        ("a.log", len(BODY), PACKED, BODY),  # packed on the way
        ("a.log", None, PACKED, BODY),
        ("doc.tar.gz", None, gzip.compress(PACKED, mtime=0), PACKED),
        ("doc.tar.gz", len(PACKED), gzip.compress(PACKED, mtime=0), PACKED),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_what_comes_encoded_all_the_same_is_the_file_that_the_tracker_tells_of(
    rawserver: Start, name: str, announced: int | None, came: bytes, right: bytes, is_chunked: bool
) -> None:
    answer = reply(came, "Content-Encoding: x-gzip", TAG)
    if is_chunked:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        answer = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(came), came)
    server = await rawserver(answer)
    assert (await get(server, name=name, announced=announced)).body == right


async def test_a_packed_answer_that_was_cut_is_not_gone_on_with(rawserver: Start) -> None:
    server = await rawserver(cut(PACKED, 50, "Content-Encoding: gzip", TAG), reply(BODY))
    assert (await get(server, name="a.log")).body == BODY
    assert server.header("Range") is None


async def test_the_checksum_of_the_whole_file_is_told(rawserver: Start) -> None:
    digest = hashlib.sha256(BODY)
    told = base64.b64encode(digest.digest()).decode()
    for header in (f"Repr-Digest: sha-512=:AAAA:, sha-256=:{told}:", f"Digest: SHA-256={told}"):
        file = await get(await rawserver(reply(BODY, header)))
        assert file.heads[0].sha256 == digest.hexdigest()


async def test_a_page_in_place_of_the_file_is_not_handed_over(rawserver: Start) -> None:
    server = await rawserver(reply(b"log in", "Content-Type: text/html"))
    file = Taken()
    transfer = Transfer(file, limit=100)
    async with Client(server.url) as client:
        page = await client.download(
            "/file", into=transfer, is_file=lambda answer: answer.content_type != "text/html"
        )
    assert (page.body, file.heads, transfer.is_taken) == (b"log in", [], False)


async def test_a_long_file_over_a_bad_line_has_as_many_tries_as_bring_it_on(rawserver: Start) -> None:
    body = bytes(5 << 20)
    step = 1 << 20
    scripts: list[Any] = [cut(body, step, TAG)]
    for start in range(step, len(body) - step, step):
        whole = rest(body, start - OVERLAP, TAG)
        scripts += [[whole[: len(whole) - len(body) + start + step], End.CLOSE], [End.CLOSE]]
    server = await rawserver(*scripts, rest(body, len(body) - step - OVERLAP, TAG))
    assert len((await get(server, limit=len(body))).body) == len(body)
    assert len(server.requests) > 6


async def test_a_file_that_comes_steadily_has_time(rawserver: Start) -> None:
    steps: list[Any] = [reply(bytes(100_000))[:-100_000]]
    for _ in range(10):
        steps += [bytes(10_000), 0.1]
    server = await rawserver(steps)
    file = Taken()
    async with Client(server.url, deadline=0.5, tries=1) as client:
        await client.download("/file", into=Transfer(file, limit=1 << 20))
        assert len(file.body) == 100_000
        with pytest.raises(ItemError, match="did not answer"):
            await client.download("/file")


@pytest.mark.parametrize(
    ("headers", "right"),
    [
        ({"etag": '"a-b"'}, '"a-b"'),
        ({"etag": '"a" b'}, None),
        ({"etag": '"a\r\nX: y"'}, None),
        ({"etag": '"' + "a" * 300 + '"'}, None),
        ({"etag": '"a"', "accept-ranges": "none"}, None),
        (
            {"last-modified": "Mon, 01 Jan 2024 00:00:00 GMT", "date": "Mon, 01 Jan 2024 00:02:00 GMT"},
            "Mon, 01 Jan 2024 00:00:00 GMT",
        ),
        ({"last-modified": "Mon, 01 Jan 2024 00:00:00 GMT", "date": "Mon, 01 Jan 2024 00:00:30 GMT"}, None),
        ({"last-modified": "Mon, 01 Jan 2024 00:00:00 GMT", "date": "whenever"}, None),
        ({"last-modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, None),
    ],
)
def test_only_strong_validators_go_on_with_a_file(headers: dict[str, str], right: str | None) -> None:
    assert validator_of(headers) == right
