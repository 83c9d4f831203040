"""Trackers are renamed and removed, with or without what was crawled from them."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from db import CrawlSession, Issue, SavedSearch, SessionFrontier, Tracker
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")


@pytest.fixture
def named(shell: Shell) -> Shell:
    """Alice's trackers old and other, the first with an issue, and Bob's tracker new."""
    for user_id, names in ((ALICE, ("old", "other")), (BOB, ("new", "old"))):
        with shell.database.session(user_id) as session:
            for name in names:
                tracker = Tracker(name=name, kind="ims", base_url="http://localhost/")
                session.add(tracker)
                session.flush()
                session.add(Issue(issue_id="7", tracker_id=tracker.tracker_id, title=f"of {name}"))
    return shell


def test_a_renamed_tracker_keeps_its_issues(named: Shell) -> None:
    assert named("trackers", "rename", "old", "new").status == 0
    assert {row["name"] for row in named("trackers", "list", "--json").document} == {"new", "other"}
    assert named("show", "7", "--tracker", "new", "--json").document["title"] == "of old"
    bobs = named("trackers", "list", "--json", user="bob").document
    assert {row["name"] for row in bobs} == {"new", "old"}


@pytest.mark.parametrize("taken", ["other", "", " ", "a\x1bb", "x" * 10_000])
def test_a_name_that_cannot_be_is_refused(named: Shell, taken: str) -> None:
    done = named("trackers", "rename", "old", taken)
    assert done.status == 2, done.err
    assert {row["name"] for row in named("trackers", "list", "--json").document} == {"old", "other"}


def test_a_tracker_with_issues_is_removed_only_with_its_data(named: Shell) -> None:
    refused = named("trackers", "remove", "old")
    assert refused.status == 2
    assert "0 sessions and 1 issue belong to it. --with-data" in refused.err
    unsure = named("trackers", "remove", "old", "--with-data")
    assert unsure.status == 2
    assert "1 issues" in unsure.err
    assert "--yes" in unsure.err
    assert named("show", "7", "--tracker", "old", "--json").status == 0
    done = named("trackers", "remove", "old", "--with-data", "--yes", "--json").document
    assert (done["removed"], done["issues"]) == (True, 1)
    assert {row["name"] for row in named("trackers", "list", "--json").document} == {"other"}
    assert named("show", "7", "--json").document["title"] == "of other"
    bobs = named("show", "7", "--tracker", "old", "--json", user="bob").document
    assert bobs["title"] == "of old"


def test_everything_of_a_tracker_goes_with_it(named: Shell) -> None:
    with named.database.session(ALICE) as session:
        tracker = session.scalars(select(Tracker).where(Tracker.name == "old")).one()
        crawl = CrawlSession(tracker_id=tracker.tracker_id, status="completed")
        session.add(crawl)
        session.flush()
        session.add(SavedSearch(name="mine", query="*", tracker_id=tracker.tracker_id))
        session.add(SessionFrontier(session_id=crawl.session_id, issue_id="7", reason="search", position=0))
    assert named("trackers", "remove", "old", "--with-data", "--yes").status == 0
    with named.database.superuser() as connection:
        for table in ("crawl_sessions", "session_frontier", "saved_searches"):
            (number,) = connection.execute(f"SELECT count(*) FROM ims.{table}").fetchone() or ()  # noqa: S608
            assert number == 0, table


def test_a_session_that_runs_keeps_its_tracker(named: Shell) -> None:
    with named.database.session(ALICE) as session:
        tracker = session.scalars(select(Tracker).where(Tracker.name == "old")).one()
        session.add(CrawlSession(tracker_id=tracker.tracker_id, heartbeat_at=func.clock_timestamp()))
    refused = named("trackers", "remove", "old", "--with-data", "--yes")
    assert refused.status == 2
    assert "is running" in refused.err


def test_an_address_that_gives_nothing_does_not_stay(shell: Shell) -> None:
    done = shell("crawl", "x", "--kind", "trac", "--url", "http://127.0.0.1:9/")
    assert done.status == 5, done.err
    assert shell("trackers", "list", "--json").document == []
    (session,) = shell("sessions", "--json").document
    assert (session["status"], session["tracker"]) == ("failed", None)
    assert "no tracker any more" in shell("resume", session["session_uuid"]).err


def test_a_stored_tracker_that_gives_nothing_stays(shell: Shell) -> None:
    assert shell("trackers", "add", "t", "--kind", "trac", "--url", "http://127.0.0.1:9/").status == 0
    assert shell("crawl", "x", "--kind", "trac", "--url", "http://127.0.0.1:9/").status == 5
    assert [row["name"] for row in shell("trackers", "list", "--json").document] == ["t"]
    assert len(shell("sessions", "--json").document) == 1
    assert shell("trackers", "remove", "t").status == 0
    assert [row["tracker"] for row in shell("sessions", "--json").document] == [None]
