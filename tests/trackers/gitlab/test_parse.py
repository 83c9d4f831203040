"""Reading of GitLab's answers: sentences of every version, and anything that is shaped nearly right."""

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
from tests.trackers.gitlab.standin import SECRET

BASE = "https://gitlab.com/api/v4/projects/group%2Fdesk"
PARSER = find_kind("gitlab").open_parser(Connection(base_url=BASE))
AT = "2026-01-02T03:04:05.678Z"
ISSUE: dict[str, Any] = {
    "id": 900,
    "iid": 7,
    "title": "Crash",
    "state": "opened",
    "description": "",
    "author": {"username": "kim"},
    "assignees": [{"username": "lee"}, {"username": "park"}],
    "labels": ["bug"],
    "milestone": {"title": "1.0"},
    "created_at": AT,
    "user_notes_count": 0,
    "severity": "HIGH",
    "references": {"full": "group/desk#7"},
    "_links": {"self": BASE},
    "weight": 3,
}


def read(notes: Any = (), side: Any = None, /, *, parts: Any = None, **changed: Any) -> IssueRecord:
    bodies = {"issue": {**ISSUE, **changed}, "notes/1": notes, **(parts or {})}
    if side is not None:
        bodies["project"] = side
    return PARSER.parse(
        [
            RawPage(url=f"{BASE}/issues/7", body=json.dumps(body).encode(), part=part)
            for part, body in bodies.items()
        ]
    )


def note(body: str | None, **other: Any) -> dict[str, Any]:
    return {"id": 1, "body": body, "author": {"username": "lee"}, "created_at": AT, "system": True, **other}


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("changed title from **{-Old-} x** to **{+New+} x**", ("field", "title", "Old x", "New x")),
        ("assigned to @kim", ("field", "assignees", None, "kim")),
        ("assigned to @kim and @lee-x", ("field", "assignees", None, "kim, lee-x")),
        ("assigned to @kim and unassigned @lee", ("field", "assignees", "lee", "kim")),
        ("unassigned @kim", ("field", "assignees", "kim", None)),
        ("closed", ("field", "state", "opened", "closed")),
        ("reopened", ("field", "state", "closed", "opened")),
        ("changed the description", ("field", "description", None, None)),
        ("moved to attic#12", ("relation", "moved to", None, "group/attic#12")),
        ("moved to other/attic#12", ("relation", "moved to", None, "other/attic#12")),
        ("mentioned in issue #9", ("relation", "mentioned in issue", None, "9")),
        ("marked this issue as related to #9", ("relation", "marked this issue as related to", None, "9")),
        ("did something new", ("text", None, None, None)),
        ("", ("text", None, None, None)),
        (None, ("text", None, None, None)),
    ],
)
def test_sentences_become_changes(body: str | None, change: tuple[str | None, ...]) -> None:
    record = read([note(body)])
    (found,) = record.history
    assert (found.change_type, found.field_name, found.old_value, found.new_value) == change
    assert (found.changed_by, found.changed_at) == ("lee", datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC))
    assert record.comments == ()


@pytest.mark.parametrize(
    ("kind", "entry", "values"),
    [
        ("label", {"action": "add", "label": {"name": "bug"}}, ("labels", None, "bug")),
        ("label", {"action": "remove", "label": {"name": "bug"}}, ("labels", "bug", None)),
        ("label", {"action": "add", "label": None}, ("labels", None, None)),
        ("state", {"state": "closed"}, ("state", "opened", "closed")),
        ("state", {"state": "merged"}, ("state", None, "merged")),
        ("milestone", {"action": "add", "milestone": {"title": "1.0"}}, ("milestone", None, "1.0")),
        ("iteration", {"action": "remove", "iteration": {"title": None}}, ("iteration", None, None)),
        ("weight", {"weight": 5}, ("weight", None, "5")),
        ("weight", {"weight": None}, ("weight", None, None)),
    ],
)
def test_events_become_changes(kind: str, entry: dict[str, Any], values: tuple[str | None, ...]) -> None:
    body = [{"id": 4, "user": {"username": "kim"}, "created_at": AT, **entry}]
    (change,) = read(parts={f"resource_{kind}_events/1": body}).history
    assert (change.field_name, change.old_value, change.new_value) == values
    assert (change.source_id, change.changed_by) == (f"{kind}-4", "kim")


def test_history_is_in_the_order_in_which_it_happened() -> None:
    notes = [note("closed", id=1, created_at="2026-01-03T00:00:00Z"), note("x", id=2, created_at=None)]
    event = {"id": 1, "state": "reopened", "created_at": "2026-01-02T00:00:00Z"}
    record = read(notes, parts={"resource_state_events/1": [event]})
    assert [each.source_id for each in record.history] == ["note-2", "state-1", "note-1"]
    assert record.history_announced == 3


def test_fields_have_their_places() -> None:
    record = read(closed_by={"username": "kim"}, due_date="2026-02-01")
    assert (record.issue_id, record.product, record.reporter, record.owner) == (
        "7",
        "group/desk",
        "kim",
        "lee, park",
    )
    assert (record.state, record.severity, record.target_version) == (State.OPEN, "HIGH", "1.0")
    expected = {"id": 900, "labels": ["bug"], "weight": 3, "closed_by": "kim", "due_date": "2026-02-01"}
    assert record.extra == expected


def test_an_issue_of_another_project_has_its_key() -> None:
    record = read(references={"full": "other/attic#7"}, description=f"/uploads/{SECRET}/a.txt")
    assert (record.issue_id, record.product) == ("other/attic#7", "other/attic")
    address = f"https://gitlab.com/api/v4/projects/other%2Fattic/uploads/{SECRET}/a.txt"
    assert [each.download_url for each in record.attachments] == [address]


def test_a_project_that_was_renamed_keeps_its_numbers() -> None:
    side = {"path_with_namespace": "group/renamed", "refused": {}}
    assert read((), side, references={"full": "group/renamed#7"}).issue_id == "7"


def test_relations_are_links_and_moves() -> None:
    link = {"id": 3, "iid": 3, "title": "Three", "link_type": "blocks", "references": {"full": "a/b#3"}}
    record = read([note("moved to attic#12")], parts={"links/1": [link, link]}, state="closed")
    assert [(each.related_issue_id, each.relation_type, each.title) for each in record.relations] == [
        ("a/b#3", "blocks", "Three"),
        ("group/attic#12", "moved", None),
    ]


def test_files_are_found_in_the_description_and_in_comments_once() -> None:
    text = f"![x](/uploads/{SECRET}/a%20b.png) and [again](/uploads/{SECRET}/a%20b.png){{width=9}}"
    said = note(f"/uploads/{SECRET}/../evil /uploads/{SECRET}/. /uploads/{SECRET}/c.log", system=False)
    record = read([said], description=text)
    assert [(each.filename, each.download_url, each.author) for each in record.attachments] == [
        ("a b.png", f"{BASE}/uploads/{SECRET}/a%20b.png", "kim"),
        ("c.log", f"{BASE}/uploads/{SECRET}/c.log", "lee"),
    ]


def test_texts_read_plain_and_private_ones_are_marked() -> None:
    said = [note("a *b*", system=False, internal=True), note("c", system=False, id=2, confidential=True)]
    record = read(said, description="**x**")
    assert [(each.content, each.is_private) for each in record.comments] == [("a b", True), ("c", True)]
    assert record.extra["markup"] == {
        "format": "markdown",
        "description": "**x**",
        "comments": {"1": "a *b*"},
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"iid": 8},
        {"title": ""},
        {"title": None},
        {"state": None},
        {"author": "kim"},
        {"created_at": "soon"},
        {"assignees": {}},
    ],
)
def test_an_issue_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(PageRejected):
        read(**changed)


@pytest.mark.parametrize("notes", [None, {}, [None], [{"body": "no id"}], [note("x", system="yes")]])
def test_notes_that_are_none_are_refused(notes: Any) -> None:
    with pytest.raises(PageRejected):
        read(notes)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(AT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["username", "full", "title", "iid", "name", "id"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from([*ISSUE, "assignee", "closed_by", "web_url"]), ANYTHING, max_size=2)
ENTRY = st.dictionaries(
    st.sampled_from(
        [
            "id",
            "body",
            "author",
            "system",
            "label",
            "action",
            "state",
            "created_at",
            "internal",
            "iid",
            "link_type",
        ]
    ),
    ANYTHING | st.sampled_from(["add", "closed", "moved to a#1", "assigned to @x"]),
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(FIELDS, st.lists(ENTRY, max_size=3), st.sampled_from(["resource_label_events/1", "links/1"]))
def test_whatever_comes_is_an_issue_or_a_clear_refusal(
    changed: dict[str, Any], entries: list[Any], part: str
) -> None:
    for notes, parts in ((entries, None), ([], {part: entries})):
        try:
            record = read(notes, parts=parts, **changed)
        except PageRejected:
            continue
        assert record.issue_id
        assert record.title.strip()
        assert len(record.comments) + len(record.history) <= len(entries)
