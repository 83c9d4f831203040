"""Crawls of a Bugzilla, as a user types them: what is stored, what it costs, and what is gone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.shell import Shell
from tests.trackers.bugzilla.standin import KEY, BugzillaStandIn, filled

pytestmark = pytest.mark.xdist_group("bugzilla")
_OF_BUGS = re.compile(r"/bug/[0-9]+|include_fields=_all")


@pytest.fixture(params=[False, True], ids=["5.0", "later"])
def bugzilla(request: pytest.FixtureRequest) -> Iterator[BugzillaStandIn]:
    standin = filled(knows_headers=request.param)
    with standin.serving():
        yield standin


@pytest.fixture
def added(shell: Shell, bugzilla: BugzillaStandIn, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell that knows the Bugzilla as ``bugs``."""
    monkeypatch.setattr("sys.stdin", io.StringIO(KEY))
    where = ("--kind", "bugzilla", "--url", f"{bugzilla.url}/bugs/show_bug.cgi")
    done = shell("trackers", "add", "bugs", *where, "--password-stdin")
    assert done.status == 0, done.err
    bugzilla.asked.clear()
    return shell


def crawl(shell: Shell, *more: str) -> dict[str, Any]:
    done = shell("crawl", *(more or ("*",)), "--tracker", "bugs", "--json")
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def about_bugs(bugzilla: BugzillaStandIn) -> list[str]:
    """What was asked that is no list of times of change and no login."""
    return [each.raw_path for each in bugzilla.asked if _OF_BUGS.search(each.raw_path)]


def test_everything_is_stored_once_and_an_unchanged_bug_costs_no_request(
    added: Shell, bugzilla: BugzillaStandIn
) -> None:
    bugzilla.most = 100
    first = crawl(added)
    assert (first["status"], first["issues_new"]) == ("completed", len(bugzilla.bugs))
    assert len(about_bugs(bugzilla)) <= 4
    assert added("receipt", first["session_uuid"], "--json").document["complete"]

    bugzilla.asked.clear()
    again = crawl(added)
    assert again["issues_unchanged"] == again["total_issues_found"] == len(bugzilla.bugs)
    assert again["issues_new"] == again["issues_changed"] == 0
    assert about_bugs(bugzilla) == []


def test_what_changed_is_fetched_and_what_is_gone_is_told_apart(
    added: Shell, bugzilla: BugzillaStandIn
) -> None:
    crawl(added)
    bugzilla.pass_time(days=1)
    del bugzilla.bugs[7]
    bugzilla.bugs[8].hidden = True
    bugzilla.comment(bugzilla.bugs[9], "It crashed once more.")
    bugzilla.bugs[10].comments[0]["text"] = "Edited without a trace."
    assert crawl(added)["issues_changed"] == 1
    counted = crawl(added, "*", "--census")
    assert counted["removed"] == {"deleted": 1, "moved": 0, "denied": 1}
    assert counted["issues_changed"] == 1
    shown = added("show", "9", "--json").document
    assert [each["content"] for each in shown["comments"]] == ["It crashed once more."]
    assert added("show", "10", "--json").document["description"] == "Edited without a trace."


def test_words_narrow_what_is_fetched(added: Shell, bugzilla: BugzillaStandIn) -> None:
    found = crawl(added, "+zebras +number")
    assert found["issues_new"] == found["total_issues_found"] == 3
    assert crawl(added, "memory")["issues_new"] == 7


def test_a_question_since_a_moment_brings_what_changed_then(added: Shell, bugzilla: BugzillaStandIn) -> None:
    bugzilla.pass_time(days=30)
    since = bugzilla.now - timedelta(hours=1)
    bugzilla.comment(bugzilla.bugs[11], "Once more.")
    found = crawl(added, "*", "--since", since.isoformat())
    assert found["total_issues_found"] == found["issues_new"] == 1


def test_no_secret_is_kept_anywhere(added: Shell, bugzilla: BugzillaStandIn) -> None:
    crawl(added)
    with added.database.superuser() as connection:
        rows = connection.execute("SELECT url, body FROM ims.raw_pages").fetchall()
        everything = "".join(
            str(connection.execute(f"SELECT array_agg(t::text) FROM ims.{table} t").fetchone())  # noqa: S608 - our own names
            for table in ("raw_pages", "issues", "session_errors", "crawl_sessions", "session_frontier")
        )
    assert len(rows) == 4 * len(bugzilla.bugs)
    assert KEY not in everything
    in_addresses = any(KEY in each.raw_path for each in bugzilla.asked)
    assert in_addresses is not bugzilla.knows_headers
