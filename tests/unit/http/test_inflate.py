"""Undoing Content-Encoding."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import CrawlError, ItemError, PageTooLarge, TemporaryError
from crawler.http.inflate import Inflater

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "deflate": zlib.compress,
    "bare deflate": partial(zlib.compress, wbits=-15),
}
LIMIT = 64 << 20


def inflate(packed: bytes, encoding: str | None, *, step: int = 65536, limit: int = LIMIT) -> bytes:
    inflater = Inflater(encoding, limit=limit)
    for start in range(0, len(packed), step):
        inflater.feed(packed[start : start + step])
    return inflater.finish()


@pytest.mark.parametrize("name", PACKERS)
@given(body=st.binary(max_size=400), step=st.integers(1, 50))
def test_a_body_comes_back_whatever_pieces_it_comes_in(name: str, body: bytes, step: int) -> None:
    assert inflate(PACKERS[name](body), name.split()[-1], step=step) == body


@pytest.mark.parametrize("name", PACKERS)
def test_a_stream_cut_at_any_byte_is_noticed(name: str) -> None:
    packed = PACKERS[name](b"".join(b"%d answers\n" % n for n in range(60)))
    for end in range(len(packed)):
        with pytest.raises(TemporaryError):
            inflate(packed[:end], name.split()[-1])


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_gzip_stream_with_one_byte_changed_is_noticed_or_means_the_same(
    body: bytes, draw: st.DataObject
) -> None:
    packed = bytearray(gzip.compress(body, mtime=0))
    at = draw.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= draw.draw(st.integers(1, 255))
    with suppress(CrawlError):
        assert inflate(bytes(packed), "gzip") == body


@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate"]), st.integers(1, 50))
def test_bytes_that_are_no_stream_give_an_error_of_ours(body: bytes, encoding: str, step: int) -> None:
    with suppress(CrawlError):
        inflate(body, encoding, step=step)


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_gzip_of_several_members_is_one_body(step: int) -> None:
    assert inflate(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", step=step) == b"one two"
    assert inflate(gzip.compress(b"one") + b"\0\0\0\r\n", "gzip", step=step) == b"one"
    with pytest.raises(TemporaryError):
        inflate(gzip.compress(b"one ") + gzip.compress(b"two")[:1], "gzip", step=step)


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
@pytest.mark.parametrize("name", PACKERS)
def test_sizes_around_a_step_come_back_whole(name: str, size: int) -> None:
    assert inflate(PACKERS[name](bytes(size)), name.split()[-1]) == bytes(size)


def test_output_that_is_left_behind_when_the_input_is_used_up_is_not_forgotten() -> None:
    # Found by search: all of the input is taken when a step of 1 MiB is full, and one byte is still to come.
    body = bytes((1 << 20) + 1)
    assert inflate(zlib.compress(body, 1, wbits=-15), "deflate") == body


def test_a_bomb_is_stopped_before_it_fills_the_memory() -> None:
    bomb = PACKERS["gzip"](bytes(40 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(PageTooLarge):
            inflate(bomb, "gzip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


def test_a_body_of_empty_members_is_stopped() -> None:
    began = time.process_time()
    with pytest.raises(TemporaryError):
        inflate(gzip.compress(b"") * 200_000, "gzip")
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("encoding", [None, "", "identity", "gzip"])
def test_a_limit_holds_for_every_encoding(encoding: str | None) -> None:
    body = b"0123456789" * 10
    packed = gzip.compress(body) if encoding == "gzip" else body
    assert inflate(packed, encoding, limit=100) == body
    with pytest.raises(PageTooLarge):
        inflate(packed, encoding, limit=99)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x" * 9999])
def test_what_was_not_offered_is_refused(encoding: str) -> None:
    with pytest.raises(ItemError):
        Inflater(encoding, limit=LIMIT)
