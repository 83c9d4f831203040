"""The content hash changes with everything about an issue, and with nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from db.loader.content_hash import NAMES, canonical_json, digest
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, RelationRow
from tests.fixtures.packed_page import packed

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ROW = IssueRow(
    issue_id="7",
    title="Crash",
    registered_date=NOON,
    full_data={"a": 1, "b": [1, 2]},
    comments=(CommentRow(source_id="1", content="first", commented_at=NOON),),
    history=(ChangeRow(changed_by="ann", field_name="status", new_value="open"),),
    attachments=(AttachmentRow(filename="log.txt", file_size=5),),
    relations=(RelationRow(related_issue_id="8"),),
)
OF_THE_CRAWL = {
    "pages": (packed(url="http://x", body=b"x"),),
    "observed_at": NOON,
    "position": 9,
    "crawl_duration_ms": 9,
    "had_errors": True,
    "error_message": "x",
}


def hash_of(row: IssueRow) -> bytes:
    return digest(row, canonical_json(row.full_data))


def different(value: object) -> Any:
    """Something else of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case datetime():
            return value + timedelta(microseconds=1)
        case str():
            return value + "x"
        case _:
            return "x"


@pytest.mark.parametrize("name", [each for each in IssueRow.__struct_fields__ if each not in OF_THE_CRAWL])
def test_every_field_of_an_issue_is_in_its_hash(name: str) -> None:
    value = getattr(ROW, name)
    if name.endswith("_date"):
        value = NOON + timedelta(days=1)
    elif name == "full_data":
        value = {"a": 1, "b": [2, 1]}
    elif isinstance(value, tuple):
        value = ()
    else:
        value = different(value)
    assert hash_of(replace(ROW, **{name: value})) != hash_of(ROW)


@pytest.mark.parametrize("kind", ["comments", "history", "attachments", "relations"])
def test_every_field_of_a_child_is_in_the_hash(kind: str) -> None:
    (child,) = getattr(ROW, kind)
    for name in child.__struct_fields__:
        if name == "title":
            continue  # the other issue's
        value = getattr(child, name)
        value = NOON + timedelta(days=1) if name.endswith("_at") else different(value)
        changed = replace(ROW, **{kind: (replace(child, **{name: value}),)})
        assert hash_of(changed) != hash_of(ROW), name


@pytest.mark.parametrize("name", list(OF_THE_CRAWL))
def test_what_tells_of_the_crawl_is_not_in_the_hash(name: str) -> None:
    assert hash_of(replace(ROW, **{name: OF_THE_CRAWL[name]})) == hash_of(ROW)


def test_stored_issues_keep_their_hash() -> None:
    # Another one would have every stored issue written once more: raise _VERSION only where that is wanted.
    assert hash_of(ROW).hex() == "edd0f24d62e693f1522e38d0c628032f"


def test_what_belongs_to_others_is_not_in_the_hash() -> None:
    (link,) = ROW.relations
    assert hash_of(replace(ROW, relations=(replace(link, title="Other"),))) == hash_of(ROW)
    for names in ({}, {"kim": "Kim"}):
        assert hash_of(replace(ROW, full_data={**ROW.full_data, NAMES: names})) == hash_of(ROW)


def test_the_same_issue_said_in_another_way_has_the_same_hash() -> None:
    class Word(str):  # what a document's text may be
        __slots__ = ()

    seoul = NOON.astimezone(timezone(timedelta(hours=9)))
    other = replace(
        ROW,
        title=Word("Crash"),
        registered_date=seoul,
        full_data=MappingProxyType({"b": (1, 2), "a": 1}),
    )
    assert hash_of(other) == hash_of(ROW)


def test_nothing_and_an_empty_text_are_different() -> None:
    assert hash_of(replace(ROW, description="")) != hash_of(replace(ROW, description=None))


def test_text_does_not_move_between_fields_unnoticed() -> None:
    one = replace(ROW, site="ab", customer="c")
    assert hash_of(one) != hash_of(replace(ROW, site="a", customer="bc"))


def test_bad_characters_do_not_keep_an_issue_from_being_hashed() -> None:
    assert hash_of(replace(ROW, title="a\0\ud800")) != hash_of(replace(ROW, title="a\0\ud801"))


@pytest.mark.parametrize(
    "value", [float("nan"), object(), 10**5000], ids=["not a number", "an object", "endless"]
)
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical_json({"x": value})
