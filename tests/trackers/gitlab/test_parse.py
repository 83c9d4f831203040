"""Reading of GitLab's answers: what nobody recorded, and anything that is shaped nearly right."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import PageRejected
from crawler.records import IssueRecord, State
from crawler.source import Connection, RawPage
from crawler.sources import find_kind
from crawler.sources.gitlab.parse.side import PART, Side, read_side
from crawler.sources.gitlab.parse.system_notes import change_in, relation_in, tells_of_links

HOST = "https://gitlab.example.com"
BASE = f"{HOST}/api/v4/projects/seoul%2Fdesk"
PARSER = find_kind("gitlab").open_parser(Connection(base_url=BASE))
AT = "2026-01-02T03:04:05.678Z"
SECRET = "0123456789abcdef" * 2
EVENTS = ("resource_label_events", "resource_state_events", "resource_milestone_events")
ISSUE: dict[str, Any] = {
    "id": 4001,
    "iid": 7,
    "project_id": 3,
    "title": "Crash",
    "state": "opened",
    "description": "",
    "author": {"username": "kim"},
    "labels": ["bug"],
    "created_at": AT,
    "references": {"full": "seoul/desk#7"},
    "web_url": f"{HOST}/seoul/desk/-/issues/7",
    "user_notes_count": 0,
}
SIDE = Side(number=3, path="seoul/desk", name="Desk")


def page(part: str, body: Any) -> RawPage:
    return RawPage(url=f"{BASE}/issues/7", body=json.dumps(body).encode(), part=part)


def read(lists: dict[str, Any] | None = None, side: Side = SIDE, **changed: Any) -> IssueRecord:
    told = {name: [] for name in ("notes", *EVENTS) if name not in side.refused} | (lists or {})
    pages = [page("issue", {**ISSUE, **changed}), *(page(f"{name}/1", rows) for name, rows in told.items())]
    return PARSER.parse([*pages, RawPage(url=BASE, body=side.page(), part=PART)])


def note(number: int, body: str | None, **more: Any) -> dict[str, Any]:
    return {"id": number, "body": body, "created_at": AT, "author": {"username": "lee"}, **more}


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("closed", ("field", "state", "opened", "closed")),
        ("reopened", ("field", "state", "closed", "opened")),
        ("Status changed to closed by commit 0a1b", ("field", "state", "opened", "closed")),
        ("closed via merge request !5", ("field", "state", "opened", "closed")),
        ("changed title from **A** to **B**", ("field", "title", "A", "B")),
        ("changed title from **{-A-} x** to **{+B+} x**", ("field", "title", "A x", "B x")),
        ("changed title from **a ** to ** b** to **c**", ("field", "title", "a ** to ** b", "c")),
        ("assigned to @kim", ("field", "assignees", None, "kim")),
        ("unassigned @kim", ("field", "assignees", "kim", None)),
        ("assigned to @kim and @lee.2 and unassigned @park", ("field", "assignees", "park", "kim, lee.2")),
        ("removed assignee", ("field", "assignee", None, None)),
        ("changed milestone to %12", ("field", "milestone", None, "%12")),
        ("removed milestone", ("field", "milestone", None, None)),
        ("changed weight to **5**", ("field", "weight", None, "5")),
        ("changed due date to January 5, 2026", ("field", "due date", None, "January 5, 2026")),
        ("removed due date", ("field", "due date", None, None)),
        ("removed due date January 5, 2026", ("field", "due date", "January 5, 2026", None)),
        ("changed time estimate to 1h 30m", ("field", "time estimate", None, "1h 30m")),
        ("changed the description", ("field", "description", None, None)),
        ("made the issue confidential", ("field", "confidential", "false", "true")),
        ("made the issue visible to everyone", ("field", "confidential", "true", "false")),
        ("locked this issue", ("field", "discussion_locked", "false", "true")),
        ("unlocked this issue", ("field", "discussion_locked", "true", "false")),
        ("marked this issue as related to #5", ("relation", "related to", None, "#5")),
        ("removed the relation with a/b#5", ("relation", "related to", "a/b#5", None)),
        ("marked this issue as a duplicate of attic#2", ("relation", "duplicate of", None, "attic#2")),
        ("marked #9 as a duplicate of this issue", ("relation", "duplicate", None, "#9")),
        ("moved to fdroidserver#268", ("relation", "moved to", None, "fdroidserver#268")),
        ("mentioned in issue #3", ("relation", "mentioned in", None, "#3")),
        ("added #4 as child task", ("relation", "child", None, "#4")),
        ("removed child task #4", ("relation", "child", "#4", None)),
        ("mentioned in merge request !3", ("text", None, None, None)),
        ("added 2h of time spent", ("text", None, None, None)),
        ("", ("text", None, None, None)),
    ],
)
def test_notes_of_the_system_are_taken_apart(body: str, change: tuple[Any, ...]) -> None:
    assert tuple(change_in(body)) == change
    record = read({"notes": [note(1, body, system=True)]})
    (entry,) = record.history
    assert (entry.change_type, entry.field_name, entry.old_value, entry.new_value) == change
    assert entry.source_id == "note-1"
    assert record.comments == ()


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("moved to #5", "5"),
        ("moved to desk#5", "5"),
        ("moved to attic#5", "seoul/attic#5"),
        ("moved to other/group/attic#5", "other/group/attic#5"),
        ("marked this issue as related to #5", None),  # GitLab lists links
        ("moved to somewhere", None),
    ],
)
def test_references_are_keys(body: str, key: str | None) -> None:
    told = relation_in(body, "seoul/desk")
    assert (None if told is None else told[0].related_issue_id) == key


@pytest.mark.parametrize(
    "body",
    [
        "marked this issue as related to #1",
        "marked this issue as blocked by #2",
        "removed the relation with #3",
    ],
)
def test_a_note_tells_of_links(body: str) -> None:
    assert tells_of_links(body)
    assert not tells_of_links("changed the description")


def test_a_relation_that_was_taken_back_is_none() -> None:
    bodies = ("added #4 as child task", "added #5 as child task", "removed child task #4")
    record = read({"notes": [note(at, body, system=True) for at, body in enumerate(bodies)]})
    assert [(each.related_issue_id, each.relation_type) for each in record.relations] == [("5", "child")]


@pytest.mark.parametrize(
    ("part", "event", "values"),
    [
        ("label", {"action": "add", "label": {"name": "bug"}}, ("labels", None, "bug")),
        ("label", {"action": "remove", "label": {"name": "bug"}}, ("labels", "bug", None)),
        ("label", {"action": "add", "label": None}, ("labels", None, None)),
        ("state", {"state": "closed", "source_commit": "0a1b"}, ("state", "opened", "closed")),
        ("state", {"state": "reopened"}, ("state", "closed", "opened")),
        ("milestone", {"action": "remove", "milestone": {"title": "1.0"}}, ("milestone", "1.0", None)),
        ("milestone", {"action": "add", "milestone": None}, ("milestone", None, None)),
        ("weight", {"weight": 5, "previous_weight": 3}, ("weight", "3", "5")),
        ("iteration", {"action": "add", "iteration": {"title": "It 1"}}, ("iteration", None, "It 1")),
    ],
)
def test_events_are_changes(part: str, event: dict[str, Any], values: tuple[Any, ...]) -> None:
    rows = [{"id": 5, "user": None, "created_at": AT, **event}]
    (change,) = read({f"resource_{part}_events": rows}).history
    assert (change.field_name, change.old_value, change.new_value) == values
    assert (change.source_id, change.changed_by) == (f"{part}-5", None)
    assert change.description


def test_history_is_in_order_of_time_whatever_it_is_made_of() -> None:
    late, early = "2026-03-01T00:00:00Z", "2026-01-01T00:00:00Z"
    record = read({
        "notes": [note(1, "closed", system=True) | {"created_at": late}],
        "resource_label_events": [{"id": 1, "action": "add", "label": {"name": "x"}, "created_at": early}],
    })  # fmt: skip
    assert [each.source_id for each in record.history] == ["label-1", "note-1"]


def test_a_row_that_comes_twice_is_one() -> None:
    record = read({"notes": [note(1, "a"), note(1, "a"), note(2, "b")]}, user_notes_count=2)
    assert [each.content for each in record.comments] == ["a", "b"]


def test_files_are_found_in_texts() -> None:
    text = (
        f"![a](/uploads/{SECRET}/a%20b.png){{width=5}} [log]({HOST}/seoul/desk/uploads/{SECRET}/시간.log)\n"
        f"<img src='{HOST}/-/project/9/uploads/{SECRET}/c.png'> /uploads/{SECRET}/d.txt."
        f" https://elsewhere.example/uploads/{SECRET}/e.txt [f](/uploads/nothex/f.txt) /uploads/{SECRET}/.."
    )
    record = read(description=text, created_at=AT)
    assert [(each.filename, each.download_url) for each in record.attachments] == [
        ("a b.png", f"{HOST}/api/v4/projects/3/uploads/{SECRET}/a%20b.png"),
        ("시간.log", f"{HOST}/api/v4/projects/seoul%2Fdesk/uploads/{SECRET}/%EC%8B%9C%EA%B0%84.log"),
        ("c.png", f"{HOST}/api/v4/projects/9/uploads/{SECRET}/c.png"),
        ("d.txt", f"{HOST}/api/v4/projects/3/uploads/{SECRET}/d.txt"),
    ]
    assert record.attachments[0].attached_at == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_fields_have_their_places_and_the_rest_is_extra() -> None:
    record = read(
        state="closed",
        severity="HIGH",
        milestone={"title": "1.0"},
        assignees=[{"username": "a", "name": "Ann"}, {"username": "b"}],
        closed_by={"username": "kim"},
        description="It is **slow**.",
        weight=3,
        epic={"iid": 5, "title": "Big"},
        health_status=None,
        due_date="2026-05-05",
    )
    assert (record.state, record.severity, record.target_version) == (State.DONE, "HIGH", "1.0")
    assert (record.owner, record.description, record.product) == ("a, b", "It is slow.", "seoul/desk")
    extra = record.extra
    assert (extra["weight"], extra["due_date"], extra["closed_by"]) == (3, "2026-05-05", "kim")
    assert (extra["epic"], extra["labels"]) == ({"iid": 5, "title": "Big"}, ["bug"])
    assert extra["markup"] == {"format": "markdown", "description": "It is **slow**."}
    assert extra["display names"] == {"a": "Ann"}
    assert "health_status" not in extra


def test_nobody_and_nothing_are_no_words() -> None:
    record = read({"notes": [note(1, None) | {"author": None}]}, author=None, description=None, assignee=None)
    assert (record.reporter, record.owner, record.description) == (None, None, None)
    assert (record.comments[0].author, record.comments[0].content) == (None, "")


@pytest.mark.parametrize("missing", ["issue", "notes/1", "resource_state_events/1", PART])
def test_a_page_that_is_missing_is_named(missing: str) -> None:
    pages = [page("issue", ISSUE), *(page(f"{name}/1", []) for name in ("notes", *EVENTS))]
    pages.append(RawPage(url=BASE, body=SIDE.page(), part=PART))
    with pytest.raises(PageRejected, match="missing"):
        PARSER.parse([each for each in pages if each.part != missing])


@pytest.mark.parametrize(
    "changed",
    [
        {"title": " "},
        {"title": None},
        {"iid": 8},
        {"iid": "7"},
        {"state": None},
        {"created_at": "soon"},
        {"labels": [5]},
        {"assignees": {}},
        {"author": "kim"},
        {"user_notes_count": "many"},
    ],
)
def test_an_answer_that_is_not_as_promised_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(PageRejected):
        read(**changed)


def test_the_side_page_is_read_as_it_was_written() -> None:
    side = Side(number=3, path="a/b", name=None, totals={"notes": 5}, refused={"links": 401})
    assert read_side(side.page()) == side
    with pytest.raises(PageRejected):
        read_side(b'{"id": 1}')


odd = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**19) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ROW: dict[str, Any] = {
    "id": 5,
    "iid": 2,
    "body": "moved to a/b#5",
    "system": True,
    "action": "add",
    "state": "closed",
    "label": {"name": "x"},
    "milestone": {"title": "x"},
    "user": {"username": "kim"},
    "author": {"username": "kim"},
    "created_at": AT,
    "references": {"full": "a/b#2"},
    "link_type": "blocks",
    "project_id": 3,
}


@given(
    issue=st.dictionaries(st.sampled_from([*ISSUE, "milestone", "assignees", "_links", "severity"]), odd),
    part=st.sampled_from(["notes", "links", *EVENTS, "resource_weight_events"]),
    row=st.dictionaries(st.sampled_from(list(ROW)), odd, max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_anything_nearly_right_is_read_or_refused(
    issue: dict[str, Any], part: str, row: dict[str, Any]
) -> None:
    try:
        record = read({part: [{**ROW, **row}]}, **issue)
    except PageRejected:
        return
    assert record.issue_id
    assert record.title.strip()
    assert record.status is not None


@given(st.text(max_size=80))
def test_any_note_of_the_system_is_told_whole(body: str) -> None:
    (entry,) = read({"notes": [note(1, body, system=True)]}).history
    assert entry.description is not None
    assert entry.change_type in ("field", "relation", "text")
