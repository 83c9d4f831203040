"""What is read out of Redmine's answers, of today and of long ago; and of answers that are none."""

from __future__ import annotations

import copy
import gzip
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import PageRejected, UsageError
from crawler.records import IssueRecord, RelationRecord, State
from crawler.source import Connection, RawPage
from crawler.sources import find_kind
from crawler.sources.redmine.parse.issue import RedmineParser
from crawler.sources.redmine.parse.names import PART, CustomField, Names, read_names
from tests.trackers.redmine.standin import detail, issue, journal

BASE = "https://r.example.com/redmine"
PARSER = RedmineParser(Connection(base_url=BASE))


def page(body: Any, number: int = 1) -> RawPage:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return RawPage(url=f"{BASE}/issues/{number}.json?include=journals", body=raw)


def side(names: Names | bytes) -> RawPage:
    return RawPage(url=BASE, body=names if isinstance(names, bytes) else names.page(), part=PART)


def read(one: dict[str, Any], names: Names | None = None, parser: RedmineParser = PARSER) -> IssueRecord:
    pages = [page({"issue": one}, one["id"])] + ([] if names is None else [side(names)])
    return parser.parse(pages)


def test_every_field_has_its_place() -> None:
    one = issue(
        1,
        subject="제목",
        assigned_to={"id": 6, "name": "Lee"},
        category={"id": 4, "name": "Kernel"},
        fixed_version={"id": 3, "name": "1.0"},
        custom_fields=[
            {"id": 1, "name": "Site", "value": ""},
            {"id": 2, "name": "Platforms", "multiple": True, "value": ["Linux", "AIX"]},
            {"id": 3, "name": "Site", "value": "two of one name"},
            {"id": 4, "name": "markup", "value": None},
        ],
        easy_plugin={"x": 1},
        watchers=[{"id": 5, "name": "Kim"}],
    )
    record = read(one, Names(identifiers={"1": "db"}))
    assert (record.issue_id, record.url, record.title) == ("1", f"{BASE}/issues/1", "제목")
    assert (record.product, record.project_code, record.project_name) == ("Datenbank", "db", "Datenbank")
    assert (record.status, record.state, record.priority) == ("New", State.OPEN, "Normal")
    assert (record.issue_type, record.reporter, record.owner) == ("Bug", "Kim Minsu", "Lee")
    assert (record.module, record.target_version, record.fixed_version) == ("Kernel", "1.0", None)
    assert record.registered_date == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert record.modified_date == datetime(2026, 2, 2, 10, tzinfo=UTC)
    assert record.description == "Steps\n\n* one bold word"
    extra = record.extra
    assert (extra["Site"], extra["Site (3)"], extra["Platforms"]) == ("", "two of one name", ["Linux", "AIX"])
    assert (extra["markup (4)"], extra["easy_plugin"], extra["watchers"]) == (None, {"x": 1}, ["Kim"])
    assert extra["markup"] == {"format": "textile", "description": one["description"]}
    assert extra["ids"]["assigned_to"] == "6"
    assert extra["done_ratio"] == 0


def test_a_journal_is_a_comment_and_changes() -> None:
    one = issue(
        1,
        journals=[
            journal(4, "see @x@", detail("subject", "a", "b"), detail("2", None, "AIX", "cf")),
            journal(5, "only staff", private_notes=True, updated_on="2026-03-01T00:00:00Z"),
            journal(6, " \r\n", detail("9", None, "a.log", "attachment")),
            journal(7, "", detail("blocks", None, "2", "relation"), detail("parent_id", None, "8")),
            journal(8, "", detail("77", "x", None, "cf"), detail("is_private", "0", "1")),
            {"id": 9, "created_on": "2026-01-06T10:00:00Z", "details": []},  # old ones leave the rest out
            journal(10, "nobody", user=None),
        ],
        custom_fields=[{"id": 2, "name": "Platforms", "value": None}],
    )
    record = read(one, Names(fields={"77": CustomField("Gone")}))
    assert [(each.source_id, each.content, each.is_private, each.author) for each in record.comments] == [
        ("4", "see x", False, "Kim Minsu"),
        ("5", "only staff", True, "Kim Minsu"),
        ("10", "nobody", False, None),
    ]
    assert [
        (each.source_id, each.change_type, each.field_name, each.old_value, each.new_value)
        for each in record.history
    ] == [
        ("4.1", "field", "subject", "a", "b"),
        ("4.2", "field", "Platforms", None, "AIX"),
        ("6.1", "attachment", "attachment", None, "a.log"),
        ("7.1", "relation", "blocks", None, "2"),
        ("7.2", "field", "parent", None, "8"),
        ("8.1", "field", "Gone", "x", None),
        ("8.2", "field", "is_private", "0", "1"),
    ]
    assert record.extra["markup"]["comments"] == {"4": "see @x@"}
    assert record.extra["journals"] == {"5": {"updated_on": "2026-03-01T00:00:00Z"}}


def test_ids_of_custom_fields_become_words_where_an_administrator_asks() -> None:
    names = Names(
        names={"versions": {"3": "1.0"}, "users": {"6": "Lee"}},
        fields={
            "1": CustomField("Seen in", "version"),
            "2": CustomField("Reviewer", "user"),
            "3": CustomField("Level", "enumeration", {"7": "high"}),
        },
    )
    values = [("1", ["3", "4"]), ("2", "6"), ("3", "7")]
    fields = [{"id": int(key), "name": names.fields[key].name, "value": value} for key, value in values]
    one = issue(1, custom_fields=fields, journals=[journal(1, "", detail("3", None, "7", "cf"))])
    record = read(one, names)
    assert (record.extra["Seen in"], record.extra["Reviewer"], record.extra["Level"]) == (
        ["1.0", "4"],
        "Lee",
        "high",
    )
    assert record.history[0].new_value == "high"
    assert read_names(names.page()) == names


@pytest.mark.parametrize(
    ("status", "closed", "state"),
    [
        ({"id": 1, "name": "New", "is_closed": False}, {}, State.OPEN),
        ({"id": 2, "name": "In Progress", "is_closed": False}, {}, State.IN_PROGRESS),
        ({"id": 3, "name": "Resolved", "is_closed": False}, {}, State.IN_PROGRESS),
        ({"id": 4, "name": "Wartet auf Recht", "is_closed": False}, {}, State.OPEN),
        ({"id": 5, "name": "Abgelehnt", "is_closed": True}, {}, State.DONE),
        ({"id": 5, "name": "Abgelehnt"}, {"5": True}, State.DONE),
        ({"id": "3", "name": "Résolu"}, {}, State.UNKNOWN),
        ({"id": 6, "name": "Closed"}, {}, State.DONE),
    ],
)
def test_the_state_is_the_trackers_own(status: dict[str, Any], closed: dict[str, bool], state: State) -> None:
    one = issue(1)
    one["status"] = status
    assert read(one, Names(closed=closed)).state is state


def test_relations_have_a_direction() -> None:
    def relation(source: int, target: int, kind: str, delay: int | None = None) -> dict[str, Any]:
        return {"id": 1, "issue_id": source, "issue_to_id": target, "relation_type": kind, "delay": delay}

    one = issue(
        1,
        parent={"id": 9},
        children=[{"id": 8, "subject": "part", "children": [{"id": 80, "subject": "part of it"}]}],
        relations=[
            relation(1, 2, "blocks"),
            relation(3, 1, "blocks"),
            relation(1, 4, "relates"),
            relation(5, 1, "precedes", 2),
            relation(6, 1, "copied_to"),
            relation(7, 1, "duplicates"),
        ],
    )
    record = read(one)
    told = [(each.related_issue_id, each.relation_type) for each in record.relations]
    assert told == [
        ("9", "parent"),
        ("8", "child"),
        ("2", "blocks"),
        ("3", "blocked"),
        ("4", "relates"),
        ("5", "follows"),
        ("6", "copied_from"),
        ("7", "duplicated"),
    ]
    assert record.relations[1] == RelationRecord(related_issue_id="8", relation_type="child", title="part")
    assert record.extra["delays"] == {"5": 2}


def test_an_answer_of_redmine_1_is_read() -> None:
    old = {
        "id": 239,
        "project": {"name": "test", "id": 1},
        "status": {"name": "New", "id": "1"},
        "subject": "task",
        "created_on": "2011/01/24 13:59:25 -0800",
        "updated_on": "2011/01/24",
        "journals": [{"id": 3, "user": {"id": 1, "name": "A"}, "created_on": "2011-12-08T17:58:37.000Z"}],
    }
    record = PARSER.parse([page(old, 239)])
    assert record.registered_date == datetime(2011, 1, 24, 21, 59, 25, tzinfo=UTC)
    assert record.modified_date == datetime(2011, 1, 24, tzinfo=UTC)
    assert (record.reporter, record.description, record.comments) == (None, None, ())


def test_a_time_that_is_none_is_told_and_kept() -> None:
    record = read(issue(1, closed_on="someday", created_on="0001-01-01T00:00:00Z"))
    assert (record.closed_date, record.registered_date) == (None, None)
    assert record.extra["closed_on"] == "someday"
    assert [each for each in record.warnings if "someday" in each]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"subject": None}, "subject"),
        ({"subject": "  "}, "no subject"),
        ({"id": 2}, "not of '1'"),
        ({"id": "1x"}, "whole number"),
        ({"status": None}, "status"),
        ({"status": {"id": 1}}, "name"),
        ({"journals": None}, r"journals is null instead of a list"),
        ({"journals": [None]}, r"journals\[0\]"),
        ({"attachments": None}, "attachments"),
        ({"relations": [{"id": 1}]}, "issue_id"),
        ({"custom_fields": {}}, "custom_fields"),
        ({"description": 5}, "description"),
    ],
)
def test_what_is_not_as_promised_is_rejected_with_its_place(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PageRejected, match=sentence):
        PARSER.parse([page({"issue": {**issue(1), **changed}})])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html>", "not JSON"),
        (b'{"issue": {"id"', "cut off"),
        ({}, "no issue"),
        ({"issue": None}, "issue"),
        ([], "instead of an object"),
        ({"issue": {name: value for name, value in issue(1).items() if name != "journals"}}, "no history"),
    ],
)
def test_an_answer_without_an_issue_is_rejected(body: Any, sentence: str) -> None:
    with pytest.raises(PageRejected, match=sentence):
        PARSER.parse([page(body)])
    with pytest.raises(PageRejected, match="page of the issue"):
        PARSER.parse([side(Names())])
    with pytest.raises(PageRejected):
        PARSER.parse([page({"issue": issue(1)}), side(b"{}")])


def test_a_note_of_marks_alone_is_shown_as_it_is_written() -> None:
    assert [each.content for each in read(issue(1, journals=[journal(1, "{{toc}}")])).comments] == ["{{toc}}"]


def test_the_markup_can_be_told() -> None:
    one = issue(1, description="# one\n# two *b*", journals=[journal(1, "**bold** and `code`")])
    connection = Connection(base_url=BASE, options={"markup": "none"})
    record = read(one, parser=RedmineParser(connection))
    assert (record.description, record.extra.get("markup")) == ("# one\n# two *b*", None)
    assert read(one).description == "1. one\n2. two b"
    assert [each.content for each in read(one).comments] == ["bold and code"]
    assert read(one).extra["markup"]["format"] == "markdown, textile"
    with pytest.raises(UsageError, match="textile"):
        find_kind("redmine").open_parser(Connection(base_url=BASE, options={"markup": "wiki"}))


_WHOLE = issue(
    1,
    parent={"id": 9},
    children=[{"id": 8, "subject": "part"}],
    assigned_to={"id": 6, "name": "Lee"},
    watchers=[{"id": 5, "name": "Kim"}],
    relations=[{"id": 1, "issue_id": 1, "issue_to_id": 2, "relation_type": "blocks", "delay": 3}],
    attachments=[
        {"id": 9, "filename": "a", "filesize": 4, "content_type": "x/y", "created_on": "2026-01-05T10:00:00Z"}
    ],
    journals=[
        journal(4, "h1. A", detail("status_id", "1", "2"), detail("1", None, "7", "cf")),
        journal(5, "b", private_notes=True),
    ],
)
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["\x00", "\ud800", "2026-13-45", "9999-12-31T23:59:59-23:00", "1" * 30]),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.sampled_from(["id", "name", "notes"]), st.none() | st.integers(), max_size=2),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


_PLACES = [place for place in _places({"issue": _WHOLE}) if place]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_PLACES), st.none() | _ODD), min_size=1, max_size=3), st.booleans())
def test_any_answer_shaped_nearly_right_gives_an_issue_or_a_rejection(
    changes: list[tuple[tuple[Any, ...], Any]], is_removed: bool
) -> None:
    document = copy.deepcopy({"issue": _WHOLE})
    for place, value in changes:
        node: Any = document
        try:
            for key in place[:-1]:
                node = node[key]
            if is_removed:
                del node[place[-1]]
            else:
                node[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    try:
        record = PARSER.parse([page(document), side(Names())])
    except PageRejected:
        return
    assert record.issue_id == "1"
    assert record.title.strip()
    assert record.status is not None
    assert all(each.content.strip() for each in record.comments)


@settings(max_examples=100, deadline=None)
@given(st.recursive(_ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)))
def test_any_side_page_gives_names_or_a_rejection(value: Any) -> None:
    with suppress(PageRejected):
        read_names(json.dumps(value).encode())


@pytest.mark.skipif("IMS_RECORDED_ANSWERS" not in os.environ, reason="IMS_RECORDED_ANSWERS names no folder")
def test_recorded_answers_are_read() -> None:
    folder = Path(os.environ["IMS_RECORDED_ANSWERS"])
    read_ones = 0
    for name in ("redmine-live.jsonl.gz", "redmine.jsonl.gz"):
        with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
            exchanges = [json.loads(line) for line in lines]
        for exchange in exchanges:
            answer = exchange.get("json")
            one = answer.get("issue") if isinstance(answer, dict) else None
            if not one or "journals" not in one:
                continue
            record = read(one)
            notes = [each for each in one["journals"] if (each.get("notes") or "").strip()]
            details = [each for each in one["journals"] for _ in each.get("details", ())]
            assert (len(record.comments), len(record.history)) == (len(notes), len(details))
            assert record.warnings == ()
            read_ones += 1
    assert read_ones > 8
