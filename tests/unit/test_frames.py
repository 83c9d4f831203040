"""What a tracker process and its coordinator tell each other arrives as it was, or not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import asdict, replace

from crawler import errors
from crawler.errors import CrawlError, PageRejected, TemporaryError
from crawler.kept_page import pack
from crawler.packed import Packed
from crawler.process.messages import (
    LARGEST,
    BrokenFrame,
    CommentBlock,
    Fetched,
    FetchedIssue,
    FromProcess,
    Gathered,
    Parsed,
    error_of,
    fault_of,
    frame,
    in_parts,
    read_frame,
)
from crawler.records import AttachmentRecord, ChangeRecord, CommentRecord, IssueRecord, RelationRecord
from crawler.source import RawPage

_TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


_ISSUES = st.builds(
    IssueRecord,
    issue_id=st.text(),
    title=st.text(),
    description=st.none() | st.text(),
    registered_date=st.none() | _TIMES,
    extra=st.dictionaries(st.text(), _JSON, max_size=3),
    comments=st.tuples(
        st.builds(
            CommentRecord, content=st.text(), number=st.none() | st.integers(0, 2**40), commented_at=_TIMES
        )
    ),
    history=st.tuples(st.builds(ChangeRecord, old_value=st.none() | st.text())),
    attachments=st.tuples(st.builds(AttachmentRecord, filename=st.text(), file_size=st.integers(0, 2**60))),
    relations=st.lists(st.builds(RelationRecord, related_issue_id=st.text()), max_size=2).map(tuple),
    comments_announced=st.none() | st.integers(0, 10**9),
    warnings=st.lists(st.text(), max_size=2).map(tuple),
)


def _prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _read(data: bytes) -> FromProcess:
    async def read() -> FromProcess:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_frame(reader, msgpack.Decoder(FromProcess))

    return asyncio.run(read())


@given(_ISSUES, st.binary(max_size=200))
def test_an_issue_arrives_as_it_was(record: IssueRecord, body: bytes) -> None:
    pages = (pack(RawPage(url="http://x", body=body, fetched_at=datetime(2024, 1, 1, tzinfo=UTC))),)
    sent = Fetched(number=7, outcomes=(FetchedIssue(record=record, pages=pages, milliseconds=3),))
    assert _read(frame(sent)) == sent


@given(st.lists(_ISSUES, min_size=1, max_size=3), st.data())
def test_packed_comments_arrive_block_by_block_and_in_their_issue(
    records: list[IssueRecord], data: st.DataObject
) -> None:
    are_packed = [data.draw(st.booleans()) for _ in records]
    packed = [
        replace(record, comments=Packed(CommentRecord).followed_by(record.comments)) if is_packed else record
        for record, is_packed in zip(records, are_packed, strict=True)
    ]
    outcomes = [FetchedIssue(record=record, pages=(), milliseconds=3) for record in packed]
    gathered = Gathered()
    *parts, last = [_read(frame(part)) for part in in_parts(Fetched(number=7, outcomes=tuple(outcomes)))]
    for part in parts:
        assert isinstance(part, CommentBlock)
        gathered.take(part)
    assert isinstance(last, Fetched)
    came = gathered.put_into(last)
    assert isinstance(came, Fetched)
    told = [each.record for each in came.outcomes if isinstance(each, FetchedIssue)]
    assert [replace(each, comments=tuple(each.comments)) for each in told] == records


def test_comments_that_cannot_be_read_are_blamed_on_their_request() -> None:
    with pytest.raises(BrokenFrame) as caught:
        Gathered().take(CommentBlock(number=9, place=0, block=b"garbage"))
    assert caught.value.number == 9


@given(st.text(st.characters(codec=None, categories=["Cs", "L"])), st.integers())
def test_what_no_frame_can_hold_becomes_what_it_can(text: str, number: int) -> None:
    came = _read(
        frame(Parsed(number=7, record=IssueRecord(issue_id="1", title=text, extra={text: [number]})))
    )
    assert isinstance(came, Parsed)
    assert len(came.record.title) <= len(text)
    assert came.record.title.isascii() or came.record.title.encode()
    assert next(iter(came.record.extra.values())) in ([number], [str(number)])


@given(st.binary(max_size=300))
def test_garbage_is_no_message(data: bytes) -> None:
    with pytest.raises((BrokenFrame, asyncio.IncompleteReadError)):
        _read(_prefixed(data))


@given(st.recursive(st.none() | st.integers() | st.binary() | st.text(), st.lists, max_leaves=10))
def test_well_formed_garbage_is_no_message(value: Any) -> None:
    try:
        data = msgpack.encode(["Fetched", 5, value])
    except OverflowError:
        return
    if value == []:
        assert _read(_prefixed(data)) == Fetched(number=5, outcomes=())
        return
    with pytest.raises(BrokenFrame) as caught:
        _read(_prefixed(data))
    assert caught.value.number == 5


def test_a_frame_is_bounded_before_it_is_read() -> None:
    with pytest.raises(BrokenFrame, match="larger"):
        _read((LARGEST + 1).to_bytes(4, "big"))


@pytest.mark.parametrize("inner", ["bytes", "depth"])
def test_a_record_that_is_no_json_is_refused(inner: str) -> None:
    value: Any = b"bytes"
    for _ in range(200 if inner == "depth" else 1):
        value = [value if inner == "bytes" else value or None]
    extra = {"n": value}
    with pytest.raises(BrokenFrame) as caught:
        _read(frame(Parsed(number=9, record=IssueRecord(issue_id="1", extra=extra))))
    assert caught.value.number == 9


_ALL = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, CrawlError)]


@pytest.mark.parametrize("kind", _ALL)
def test_every_error_is_told_as_what_it_is(kind: type[CrawlError]) -> None:
    class Third(kind):  # type: ignore[valid-type, misc] # a third party's own
        pass

    for told in (kind("Why."), Third("Why.")):
        came = error_of(fault_of(told))
        assert (type(came), str(came)) == (kind, "Why.")
    if issubclass(kind, TemporaryError):
        for after, expected in ((3.5, 3.5), (float("nan"), None), (-1.0, None)):
            came = error_of(fault_of(kind("Why.", retry_after=after)))
            assert isinstance(came, TemporaryError)
            assert came.retry_after == expected
    if issubclass(kind, PageRejected):
        pages = (pack(RawPage(url="x", body=b"page")),)
        came = error_of(fault_of(kind("Why."), pages))
        assert isinstance(came, PageRejected)
        assert came.pages == pages


def test_a_page_that_lies_about_its_size_is_no_page() -> None:
    page = pack(RawPage(url="x", body=b"page"))
    sent = asdict(page)
    good = ["Fetched", 1, [["FetchedIssue", {"issue_id": "1"}, [sent], 0]]]
    assert isinstance(_read(_framed(good)), Fetched)
    for lie in ({"size": 2**40}, {"size": -1}, {"sha256": b"short"}):
        with pytest.raises(BrokenFrame):
            _read(_framed(["Fetched", 1, [["FetchedIssue", {"issue_id": "1"}, [{**sent, **lie}], 0]]]))


def _framed(value: object) -> bytes:
    return _prefixed(msgpack.encode(value))
