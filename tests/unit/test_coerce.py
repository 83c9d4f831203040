"""One bad cell is mended and told of; nothing else of the issue changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.loader.coerce import RowRefused, check_number, coerce_row, is_plain
from db.loader.content_hash import canonical_json
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, RelationRow
from db.sanitize import storable_json, storable_text

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def plain(row: IssueRow) -> bool:
    return is_plain(row, canonical_json(row.full_data))


def test_an_ordinary_issue_needs_no_mending() -> None:
    row = IssueRow(
        issue_id="1",
        title="한국어 NaN 😀 \\u0000 in words",
        registered_date=DAY,
        comments=(CommentRow(number=1, content="日本語", commented_at=DAY),),
    )
    assert plain(row)
    assert coerce_row(row) == (row, [])


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "NUL in a title": ({"title": "a\0b"}, {"title": "a␀b"}, "title"),
    "half a character": ({"site": "x\ud83d"}, {"site": "x\ufffd"}, "site"),
    "year 0 in UTC": (
        {"closed_date": datetime.fromisoformat("0001-01-01T00:00+09:00")},
        {"closed_date": None},
        "closed_date",
    ),
    "the end of time": (
        {"closed_date": datetime.max.replace(tzinfo=UTC)},
        {"closed_date": None},
        "closed_date",
    ),
    "no zone": ({"closed_date": datetime(2024, 5, 1)}, {"closed_date": DAY}, "closed_date"),
    "an unknown state": ({"state": "odd"}, {"state": "unknown"}, "state"),
    "an endless product": ({"product": "p" * 5000}, {"product": "p" * 600}, "product"),
    "NUL in JSON": ({"full_data": {"k\0": ["v\0"]}}, {"full_data": {"k␀": ["v␀"]}}, "full_data"),
    "half a character in JSON": ({"full_data": {"k": "\udc00"}}, {"full_data": {"k": "\ufffd"}}, "full_data"),
    "no number in JSON": ({"full_data": {"k": float("inf")}}, {"full_data": {"k": "inf"}}, "full_data"),
    "no JSON": ({"full_data": {"k": object(), "l": 1}}, {"full_data": {"l": 1}}, "full_data"),
    "a comment's text": (
        {"comments": (CommentRow(content="\0"),)},
        {"comments": (CommentRow(content="␀"),)},
        "comment 1 content",
    ),
    "a comment's number": (
        {"comments": (CommentRow(number=2**31),)},
        {"comments": (CommentRow(),)},
        "comment 1 number",
    ),
    "a file's size": (
        {"attachments": (AttachmentRow(file_size=2**63),)},
        {"attachments": (AttachmentRow(),)},
        "attachment 1 file_size",
    ),
    "a history entry": (
        {"history": (ChangeRow(), ChangeRow(new_value="\0"))},
        {"history": (ChangeRow(), ChangeRow(new_value="␀"))},
        "history 2 new_value",
    ),
    "an endless relation": (
        {"relations": (RelationRow(related_issue_id="9" * 501),)},
        {"relations": ()},
        "relation",
    ),
}


@pytest.mark.parametrize("fault", list(BAD))
def test_a_bad_cell_is_found_mended_and_told_of(fault: str) -> None:
    bad, good, cell = BAD[fault]
    row = IssueRow(issue_id="1", **bad)
    try:
        found = not plain(row)
    except (TypeError, ValueError):
        found = True
    assert found
    mended, notes = coerce_row(row)
    assert mended == IssueRow(issue_id="1", **good)
    assert len(notes) == 1
    assert cell in notes[0]
    assert plain(mended)


def test_a_thousand_bad_cells_are_told_of_in_few_sentences() -> None:
    _, notes = coerce_row(
        IssueRow(issue_id="1", comments=tuple(CommentRow(content="\0") for _ in range(1000)))
    )
    assert len(notes) == 11
    assert notes[-1] == "990 more cells were mended"


@pytest.mark.parametrize("number", ["", "1\0", "\ud800", "9" * 501])
def test_an_issue_without_a_storable_number_is_refused(number: str) -> None:
    with pytest.raises(RowRefused):
        check_number(number)


@given(st.text(st.characters(exclude_categories=())))
def test_mended_text_can_always_be_stored_and_keeps_its_length(text: str) -> None:
    mended = storable_text(text)
    assert len(mended) == len(text)
    assert "\0" not in mended
    mended.encode()


endless: dict[str, Any] = {}
endless["again"] = endless
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything)
def test_mended_json_can_always_be_written(value: object) -> None:
    text = json.dumps(storable_json(value), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode()


def test_json_without_an_end_gets_one() -> None:
    assert len(json.dumps(storable_json(endless))) < 2000
