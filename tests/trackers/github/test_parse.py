"""Reading of GitHub's answers: what nobody recorded, and anything that is shaped nearly right."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import PageRejected
from crawler.records import IssueRecord
from crawler.source import Connection, RawPage
from crawler.sources import find_kind

BASE = "https://api.github.com/repos/octo/desk"
PARSER = find_kind("github").open_parser(Connection(base_url=BASE))
ISSUE: dict[str, Any] = {
    "number": 7,
    "title": "Crash",
    "state": "open",
    "repository_url": BASE,
    "html_url": "https://github.com/octo/desk/issues/7",
    "body": "",
    "user": {"login": "kim"},
    "labels": [{"name": "bug"}, "old"],
    "created_at": "2026-01-01T00:00:00Z",
    "comments": 0,
}
AT = "2026-01-02T03:04:05Z"


def read(timeline: Any = (), **changed: Any) -> IssueRecord:
    pages = [("issue", {**ISSUE, **changed}), ("timeline/1", timeline)]
    return PARSER.parse(
        [RawPage(url=f"{BASE}/issues/7", body=json.dumps(body).encode(), part=part) for part, body in pages]
    )


def other(number: int, name: str = "octo/desk") -> dict[str, Any]:
    return {
        "number": number,
        "title": f"Issue {number}",
        "repository_url": f"https://api.github.com/repos/{name}",
    }


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ({"event": "closed", "state_reason": "completed"}, ("state", "open", "closed")),
        ({"event": "reopened"}, ("state", "closed", "open")),
        ({"event": "labeled", "label": {"name": "bug"}}, ("labels", None, "bug")),
        ({"event": "unlabeled", "label": {"name": "bug"}}, ("labels", "bug", None)),
        ({"event": "labeled"}, ("labels", None, None)),
        ({"event": "assigned", "assignee": {"login": "lee"}}, ("assignees", None, "lee")),
        ({"event": "unassigned", "assignee": None}, ("assignees", None, None)),
        ({"event": "milestoned", "milestone": {"title": "1.0"}}, ("milestone", None, "1.0")),
        ({"event": "demilestoned", "milestone": {"title": "1.0"}}, ("milestone", "1.0", None)),
        ({"event": "renamed", "rename": {"from": "a", "to": "b"}}, ("title", "a", "b")),
        ({"event": "locked", "lock_reason": "spam"}, ("locked", None, "spam")),
        ({"event": "unlocked"}, ("locked", "locked", None)),
        ({"event": "referenced", "commit_id": "abc"}, ("referenced", None, "abc")),
        ({"event": "cross-referenced", "source": {"issue": other(9)}}, ("cross-referenced", None, "9")),
        ({"event": "sub_issue_added", "sub_issue": other(3, "a/b")}, ("sub_issue_added", None, "a/b#3")),
        ({"event": "sub_issue_removed", "sub_issue": other(3)}, ("sub_issue_removed", "3", None)),
        ({"event": "something_new"}, ("something_new", None, None)),
    ],
)
def test_entries_become_changes(entry: dict[str, Any], values: tuple[str | None, ...]) -> None:
    (change,) = read([{"id": 1, "actor": {"login": "lee"}, "created_at": AT, **entry}]).history
    assert (change.field_name, change.old_value, change.new_value) == values
    assert (change.changed_by, change.changed_at) == ("lee", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_entries_without_id_actor_or_time_of_their_own_are_kept() -> None:
    commit = {"event": "committed", "sha": "abc", "message": "fix", "author": {"name": "Lee", "date": AT}}
    review = {"event": "reviewed", "id": 5, "user": {"login": "kim"}, "submitted_at": AT, "body": "good"}
    record = read([commit, commit, review, {"event": "line-commented"}])
    first, _, third, last = record.history
    assert (first.changed_by, first.new_value, first.source_id) == ("Lee", "abc", None)
    assert first.changed_at == third.changed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (third.changed_by, third.description, third.source_id) == ("kim", "reviewed: good", "review-5")
    assert (last.changed_by, last.changed_at) == (None, None)
    assert record.history_announced == 4


def test_an_entry_that_came_twice_while_the_pages_shifted_is_one() -> None:
    entry = {"event": "closed", "id": 1}
    comment = {"event": "commented", "id": 2, "body": "x"}
    record = read([entry, comment, entry, comment])
    assert (len(record.history), len(record.comments)) == (1, 1)


def test_relations_are_those_that_hold_in_the_end() -> None:
    record = read(
        [
            {"event": "cross-referenced", "source": {"issue": other(9, "a/b")}},
            {"event": "sub_issue_added", "sub_issue": other(3)},
            {"event": "sub_issue_added", "sub_issue": other(4)},
            {"event": "sub_issue_removed", "sub_issue": other(3)},
        ],
        parent_issue_url=f"{BASE}/issues/2",
    )
    assert {(each.related_issue_id, each.relation_type) for each in record.relations} == {
        ("a/b#9", "cross-referenced"),
        ("4", "child"),
        ("2", "parent"),
    }


def test_files_are_found_in_links_and_pictures_alone_of_the_tracker() -> None:
    body = (
        "![shot](https://github.com/user-attachments/assets/0a-1b) "
        "[dump.zip](https://github.com/user-attachments/files/12/dump.zip). "
        "https://github.com/octo/desk/files/3/a%20b.log "
        "![](https://user-images.githubusercontent.com/1/2.png?jwt=secret) "
        "https://github.com/octo/desk/issues/5 https://evil.example/octo/desk/files/3/x"
    )
    record = read(body=body)
    assert [(each.filename, each.download_url) for each in record.attachments] == [
        ("shot", "https://github.com/user-attachments/assets/0a-1b"),
        ("dump.zip", "https://github.com/user-attachments/files/12/dump.zip"),
        ("a b.log", "https://github.com/octo/desk/files/3/a%20b.log"),
        ("2.png", "https://user-images.githubusercontent.com/1/2.png"),
    ]


def test_a_text_reads_plain_and_its_source_is_kept() -> None:
    record = read([{"event": "commented", "id": 4, "body": "plain"}], body="a **b**", comments=1)
    assert record.description == "a b"
    assert record.extra["markup"] == {"format": "markdown", "description": "a **b**"}
    assert record.extra["labels"] == ["bug", "old"]


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 8},
        {"title": " "},
        {"title": None},
        {"state": None},
        {"user": "kim"},
        {"created_at": "soon"},
    ],
)
def test_an_issue_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(PageRejected):
        read(**changed)


@pytest.mark.parametrize("timeline", [None, {}, [None], [5], [{"event": "commented", "body": "x"}], [{}]])
def test_a_timeline_that_is_none_is_refused(timeline: Any) -> None:
    with pytest.raises(PageRejected):
        read(timeline)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(AT),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["login", "name", "title", "number", "url", "issue", "id"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [*ISSUE, *["assignees", "type", "reactions", "pull_request", "parent_issue_url", "closed_by"]]
    ),
    ANYTHING,
    max_size=2,
)
ENTRY = st.dictionaries(
    st.sampled_from(
        ["id", "event", "actor", "user", "label", "rename", "source", "body", "author", "sub_issue"]
    ),
    ANYTHING | st.sampled_from(["commented", "labeled", "renamed", "sub_issue_added", "cross-referenced"]),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(FIELDS, st.lists(ENTRY, max_size=3))
def test_whatever_comes_is_an_issue_or_a_clear_refusal(changed: dict[str, Any], timeline: list[Any]) -> None:
    try:
        record = read(timeline, **changed)
    except PageRejected:
        return
    assert record.issue_id
    assert record.title.strip()
    assert len(record.comments) + len(record.history) <= len(timeline)
