"""Limits of attached files, as people type them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import UsageError
from pipeline.attachments.limits import LARGEST, Limits, limits_of, read_limits, read_size, shown_size
from pipeline.attachments.media_type import media_type


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("500k", 500 << 10),
        ("500 KB", 500 << 10),
        ("20MB", 20 << 20),
        ("20 MiB", 20 << 20),
        ("1.5GB", 3 << 29),
        ("1,5 g", 3 << 29),
        ("1TB", 1 << 40),
        ("512b", 512),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert read_size(text) == size


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_size_or_said_to_be_none(text: str) -> None:
    with suppress(UsageError):
        assert 0 < read_size(text) <= LARGEST


@given(st.integers(1, LARGEST))
def test_what_is_shown_is_near(size: int) -> None:
    shown = shown_size(size)
    assert abs(read_size(shown.replace("bytes", "b")) - size) <= size / 10


@given(
    largest=st.none() | st.integers(1, LARGEST),
    kinds=st.lists(st.text(max_size=10), max_size=3),
    without=st.lists(st.text(max_size=10), max_size=3),
)
def test_limits_are_kept_as_json(largest: int | None, kinds: list[str], without: list[str]) -> None:
    limits = Limits(largest=largest, kinds=tuple(kinds), without=tuple(without))
    assert limits_of(limits.as_json()) == limits
    typed = read_limits(None if largest is None else str(largest), kinds, without)
    assert limits_of(typed.as_json()) == typed


@given(st.none() | st.text() | st.dictionaries(st.sampled_from(["largest", "kinds", "without"]), st.text()))
def test_what_somebody_else_wrote_there_limits_nothing(told: object) -> None:
    assert limits_of(told) == Limits()


@pytest.mark.parametrize(
    ("patterns", "name", "is_wanted"),
    [
        (["log"], "server.log", True),
        (["log"], "SERVER.LOG", True),
        (["log"], "log", False),
        ([".tar.gz"], "a.tar.gz", True),
        (["*.log*"], "server.log.1", True),
        (["TRACE*"], "trace 1.txt", True),
        (["로그"], "a.로그", True),
        (["a/b"], "x.a/b", True),
        (["log,txt", "zip"], "a.zip", True),
        (["[ab].txt"], "a.txt", True),
    ],
)
def test_patterns_fit_names(patterns: list[str], name: str, is_wanted: bool) -> None:
    only, but = read_limits(None, patterns, []), read_limits(None, [], patterns)
    assert (only.refusal(name, 1, largest=10, exact=True) is None) == is_wanted
    assert (but.refusal(name, 1, largest=10, exact=True) is not None) == is_wanted


def test_a_size_that_may_be_rounded_leaves_nothing_out() -> None:
    for exact, reason in ((True, "It is larger than 10 bytes."), (False, None)):
        assert Limits().refusal("a", 11, largest=10, exact=exact) == reason
        assert Limits(largest=20).refusal("a", 11, largest=10, exact=exact) is None


@given(st.text() | st.from_regex(r"[a-zA-Z]{1,8}/[a-zA-Z.+-]{1,90}(; ?[a-z]+=.*)?"))
def test_a_media_type_is_plain_and_bounded(text: str) -> None:
    kind = media_type(text)
    assert kind is None or (len(kind) <= 127 and kind.isascii() and kind == kind.lower() and "/" in kind)
