"""Raw pages are packed, and come out as they went in or not at all."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.loader.pages import pack, unpack
from db.rows import RawPageRow


@given(st.binary(max_size=2000))
def test_a_page_comes_out_as_it_went_in(body: bytes) -> None:
    packed = pack(RawPageRow(url="http://x", body=body))
    assert unpack(packed.body, packed.size) == body
    assert packed.sha256 == sha256(body).digest()


def test_a_page_is_much_smaller_packed() -> None:
    packed = pack(RawPageRow(url="http://x", body=b"<td>value</td>" * 3000))
    assert len(packed.body) * 50 < packed.size


def test_a_page_never_becomes_more_than_its_size_says() -> None:
    packed = pack(RawPageRow(url="http://x", body=bytes(10_000_000)))
    with pytest.raises(ValueError, match="cannot be read"):
        unpack(packed.body, 1000)


def test_a_damaged_page_is_refused() -> None:
    packed = pack(RawPageRow(url="http://x", body=b"<html>" * 100))
    with pytest.raises(ValueError, match="cannot be read"):
        unpack(packed.body[:-5], packed.size)
    with pytest.raises(ValueError, match="cannot be read"):
        unpack(packed.body, packed.size + 1)
