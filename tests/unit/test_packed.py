"""A packed list is the list that it was made of, and takes nobody's word for it."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from crawler import packed
from crawler.packed import Packed
from crawler.records import CommentRecord

RECORDS = st.lists(st.builds(CommentRecord, source_id=st.text(max_size=3), content=st.text()), max_size=8)


@given(RECORDS, RECORDS, st.sampled_from([1, 50, 1 << 18]), st.data())
def test_a_packed_list_is_the_list(
    first: list[CommentRecord], more: list[CommentRecord], size: int, data: st.DataObject
) -> None:
    with patch.object(packed, "_BLOCK", size):
        one = Packed(CommentRecord).followed_by(first)
        whole = one.followed_by(more)
        expected = [*first, *more]
        if expected:
            place = data.draw(st.integers(0, len(expected) - 1))
            whole[place] = expected[place] = CommentRecord(content="another")
            assert (whole[place], whole[place - 1]) == (expected[place], expected[place - 1])
        assert (list(one), list(whole), len(whole)) == (first, expected, len(expected))
        assert whole == tuple(expected)
        assert whole[1:3] == expected[1:3]
        assert list(whole.each(lambda each: each.content)) == [each.content for each in expected]
        came = Packed(CommentRecord)
        for block in whole.blocks:
            came.add(block)
        assert came == whole
        assert len(whole.blocks) <= len(expected)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"garbage",
        zstandard.compress(b"\x91\xa1x"),
        zstandard.compress(b"\xdd\0\0\0\2\xc0"),
        zstandard.compress(bytes(1 << 26)),
        zstandard.ZstdCompressor(write_content_size=False).compress(b"\x90"),
    ],
    ids=["nothing", "garbage", "another kind", "too short", "too large", "without its size"],
)
def test_a_block_that_is_none_is_refused(block: bytes) -> None:
    items = Packed(CommentRecord)
    with pytest.raises(ValueError, match="block of a list"):
        items.add(block)
    assert len(items) == 0
