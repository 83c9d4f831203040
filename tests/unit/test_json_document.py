"""What a tracker's JSON says is read strictly: a value of its type, or a refusal that names its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import PageCut, PageRejected
from crawler.json_document import DEEPEST, JsonNode, read_json

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
_GETTERS = ("object", "text", "integer", "boolean", "key", "time")


def test_values_are_found_by_their_names() -> None:
    node = read_json(
        '{"id": 7, "title": "접속 오류", "at": "2026-01-05T10:00+09:00",'
        ' "who": null, "tags": ["a", "b"]}'.encode()
    )
    assert node.at("id").key() == "7"
    assert node.optional_text("title") == "접속 오류"
    assert node.optional_time("at") == datetime(2026, 1, 5, 1, tzinfo=UTC)
    assert node.find("who") is None
    assert [tag.text() for tag in node.each("tags")] == ["a", "b"]
    assert list(node.each("none")) == []
    assert node.flag("none") is False


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda node: node.at("missing"), r"no \$\.missing"),
        (lambda node: node.at("issues").object(), r"\$\.issues is a list instead of an object"),
        (lambda node: next(node.each("issues")).at("id").text(), r"\$\.issues\[0\]\.id is a number"),
        (lambda node: list(node.each("total")), r"\$\.total is a number instead of a list"),
        (lambda node: node.at("flag").integer(), r"\$\.flag is true or false instead of a whole number"),
    ],
)
def test_a_refusal_names_the_place(read: Callable[[JsonNode], object], sentence: str) -> None:
    node = read_json(b'{"issues": [{"id": 1}], "total": 1, "flag": true}')
    with pytest.raises(PageRejected, match=sentence):
        read(node)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>login</html>", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b"[" * (DEEPEST + 1)],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(PageRejected):
        read_json(body)


@given(_VALUES.filter(lambda value: isinstance(value, dict | list | str)), st.data())
def test_json_that_ends_early_is_told_as_cut(value: object, data: st.DataObject) -> None:
    body = json.dumps(value, ensure_ascii=False).encode(errors="replace")
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(PageCut):
        read_json(body[:end])


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"a": NaN}', b"{} x", b"]"])
def test_what_is_whole_and_no_json_is_not_cut(body: bytes) -> None:
    with pytest.raises(PageRejected) as refused:
        read_json(body)
    assert not isinstance(refused.value, PageCut)


def test_nesting_is_bounded() -> None:
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(PageRejected, match="deep"):
        read_json(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))


def _refusal(read: Callable[[], object]) -> str | None:
    try:
        read()
    except PageRejected as refused:
        return str(refused)
    return None


@given(_VALUES, st.sampled_from(_GETTERS))
def test_any_value_is_read_or_refused(value: object, getter: str) -> None:
    node = read_json(json.dumps(value).encode())
    refusal = _refusal(lambda: getattr(node, getter)())
    assert refusal is None or refusal.startswith("In the answer $ is ")
