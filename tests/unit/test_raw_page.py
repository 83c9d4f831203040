"""Raw pages are packed, and come out as they went in or not at all."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crawler.errors import PageDamaged
from crawler.kept_page import inflate, pack, unpack
from crawler.source import RawPage
from tests.fixtures.packed_page import packed


@given(st.binary(max_size=2000))
def test_a_page_comes_out_as_it_went_in(body: bytes) -> None:
    page = packed(body=body)
    assert unpack(page.body, page.size) == body
    assert page.sha256 == sha256(body).digest()


@given(st.binary(max_size=2000), st.none() | st.text(max_size=10))
def test_a_kept_page_is_the_one_that_was_packed(body: bytes, content_type: str | None) -> None:
    page = RawPage(url="x", body=body, content_type=content_type, part="list", status=404)
    assert inflate(pack(page)) == page


def test_a_page_is_much_smaller_packed() -> None:
    page = packed(body=b"<td>value</td>" * 3000)
    assert len(page.body) * 50 < page.size


def test_a_page_never_becomes_more_than_its_size_says() -> None:
    page = packed(body=bytes(10_000_000))
    with pytest.raises(PageDamaged, match="size"):
        inflate(replace(pack(RawPage(url="x", body=bytes(10_000_000))), size=1000))
    with pytest.raises(PageDamaged, match="cannot be read"):
        unpack(page.body, 1000)


def test_a_damaged_page_is_refused() -> None:
    page = packed(body=b"<html>" * 100)
    with pytest.raises(PageDamaged, match="cannot be read"):
        unpack(page.body[:-5], page.size)
    with pytest.raises(PageDamaged, match="cannot be read"):
        unpack(page.body, page.size + 1)
    kept = pack(RawPage(url="x", body=b"<html>" * 100))
    for damaged in (replace(kept, body=kept.body[:-5]), replace(kept, size=601), replace(kept, body=b"")):
        with pytest.raises(PageDamaged, match="cannot be read"):
            inflate(damaged)
