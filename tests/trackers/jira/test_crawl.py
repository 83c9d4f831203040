"""Crawls of both Jiras, as a user types them: what is stored, what it costs, and what is gone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.shell import Shell
from tests.trackers.jira.standin import SECRET, TOKEN, USER, JiraStandIn, filled

pytestmark = pytest.mark.xdist_group("jira")


@pytest.fixture(params=[False, True], ids=["data center", "cloud"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraStandIn]:
    standin = filled(is_cloud=request.param, context="" if request.param else "/jira")
    with standin.serving():
        yield standin


@pytest.fixture
def added(shell: Shell, jira: JiraStandIn, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell that knows the Jira as ``desk``."""
    monkeypatch.setattr("sys.stdin", io.StringIO(SECRET if jira.is_cloud else TOKEN))
    who = ("--username", USER) if jira.is_cloud else ()
    where = ("--kind", "jira", "--url", f"{jira.url}{jira.context}/browse/DOC-1")
    done = shell("trackers", "add", "desk", *where, *who, "--password-stdin")
    assert done.status == 0, done.err
    return shell


def crawl(shell: Shell, *more: str) -> dict[str, Any]:
    done = shell("crawl", "*", "--tracker", "desk", *more, "--json")
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def about_issues(jira: JiraStandIn) -> list[str]:
    """What was asked that is no list of times of change and no login."""
    lists = ('"fields": ["created", "updated"]', "serverInfo", "myself", "/project")
    return [
        f"{each.method} {each.raw_path}"
        for each in jira.asked
        if not any(words in f"{each.raw_path} {each.body.decode()}" for words in lists)
    ]


def test_everything_is_stored_once_and_an_unchanged_issue_costs_no_request(
    added: Shell, jira: JiraStandIn
) -> None:
    first = crawl(added)
    assert (first["status"], first["issues_new"]) == ("completed", len(jira.issues))
    # One request for 50 issues; this Server cuts it to 7.
    assert len(about_issues(jira)) <= 4
    account = added("receipt", first["session_uuid"], "--json").document
    assert account["complete"]
    assert account["comments_announced"] == account["comments_stored"] == 3
    assert account["history_announced"] == account["history_stored"] == 3

    jira.asked.clear()
    again = crawl(added)
    assert again["issues_unchanged"] == again["total_issues_found"] == len(jira.issues)
    assert again["issues_new"] == again["issues_changed"] == 0
    assert about_issues(jira) == []


def test_what_changed_is_fetched_and_what_is_gone_is_told_apart(added: Shell, jira: JiraStandIn) -> None:
    crawl(added)
    deleted, hidden, moved, talked, linked = jira.of("DOC")[5:10]
    jira.pass_time(days=1)
    jira.issues.remove(deleted)
    hidden.hidden = True
    former = moved.key
    jira.move(moved, "OPS")
    jira.comment(talked, "It is quiet now.")
    linked.more["votes"] = {"votes": 3}  # without a trace in its time of change
    assert crawl(added)["issues_changed"] == 1
    jira.asked.clear()

    counted = crawl(added, "--census")
    gone = (
        {"deleted": 2, "moved": 1, "denied": 0} if jira.is_cloud else {"deleted": 1, "moved": 1, "denied": 1}
    )
    assert counted["removed"] == gone
    assert counted["issues_changed"] == 1
    # Every issue again, and each of the three that are missing by itself.
    assert len(about_issues(jira)) <= 4 + 3
    shown = added("show", talked.key, "--json").document
    assert [each["content"] for each in shown["comments"]] == ["It is quiet now."]
    new = added("show", moved.key, "--json").document
    assert new["full_data"]["earlier keys"] == [former]


def test_a_question_since_a_moment_brings_what_changed_then(added: Shell, jira: JiraStandIn) -> None:
    jira.pass_time(days=30)
    since = jira.now - timedelta(hours=1)
    late = jira.of("OPS")[3]
    jira.comment(late, "Once more.")
    found = crawl(added, "--since", since.isoformat())
    assert found["total_issues_found"] == found["issues_new"] == 1
    assert added("show", late.key, "--json").document["issue_id"] == late.key


def test_what_it_is_the_server_says(shell: Shell, jira: JiraStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(SECRET if jira.is_cloud else TOKEN))
    where = ("--url", f"{jira.url}{jira.context}/browse/DOC-1", "--username", USER)
    assert shell("trackers", "add", "found", *where, "--password-stdin").status == 0
    (row,) = shell("trackers", "list", "--json").document
    assert (row["kind"], row["base_url"]) == ("jira", f"{jira.url}{jira.context}")


def test_no_secret_is_kept_anywhere(added: Shell, jira: JiraStandIn) -> None:
    crawl(added)
    assert not any(secret in each.raw_path for each in jira.asked for secret in (SECRET, TOKEN))
    with added.database.superuser() as connection:
        rows = connection.execute("SELECT url, part FROM ims.raw_pages").fetchall()
    assert {part for _, part in rows} == {"issue"}
    assert not any("myself" in url for url, _ in rows)
