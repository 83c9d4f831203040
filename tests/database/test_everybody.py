"""Whose rows a command shows: one's own, admins' and analysts' too, unless everybody's are asked for."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from db import (
    CrawlSession,
    Issue,
    IssueComment,
    IssueHistory,
    RawPage,
    SavedSearch,
    SearchQuery,
    Tracker,
    get_session,
)
from db.errors import DatabaseRefused
from db.models import Run, SessionFrontier
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")

OWNERS = {ROOT: "root", ALICE: "alice", BOB: "bob"}
LISTS = (
    ("search", "zebra"),
    ("similar", "7"),
    ("sessions",),
    ("history",),
    ("runs",),
    ("runs", "--statistics"),
    ("runs", "nightly"),
    ("news",),
    ("news", "nightly"),
    ("quarantine", "list"),
)


@pytest.fixture
def shared(shell: Shell) -> Shell:
    """Three users who have the same tracker's issues, each their own copy, told apart by the product."""
    for user_id, name in OWNERS.items():
        with shell.database.session(user_id) as session:
            tracker = Tracker(name="shared", kind="ims", base_url="http://localhost/")
            session.add(tracker)
            session.flush()
            crawled = CrawlSession(
                original_query=f"of {name}", tracker_id=tracker.tracker_id, status="completed"
            )
            nightly = SavedSearch(name="nightly", query=f"of {name}", cron="0 2 * * *", timezone="UTC")
            session.add_all((crawled, nightly))
            session.flush()
            now = datetime.now(UTC)
            session.add(
                Run(
                    saved_search_id=nightly.saved_search_id,
                    session_id=crawled.session_id,
                    status="completed",
                    due_at=now,
                    started_at=now,
                    ended_at=now,
                    duration_seconds=1,
                )
            )
            session.add(SessionFrontier(session_id=crawled.session_id, position=1, issue_id="7", state="new"))
            session.add(
                RawPage(
                    tracker_id=tracker.tracker_id,
                    session_id=crawled.session_id,
                    issue_id="9",
                    part="issue",
                    url="http://localhost/9",
                    status=200,
                    sha256=bytes(32),
                    size=0,
                    body=b"",
                    quarantined=True,
                    quarantine_reason=f"of {name}",
                )
            )
            session.add(SearchQuery(original_query=f"of {name}"))
            for number in ("7", "8"):
                session.add(
                    Issue(
                        issue_id=number,
                        tracker_id=tracker.tracker_id,
                        title="Zebra quagga crossing",
                        product=name,
                        registered_date=datetime(2026, 1, 1, tzinfo=UTC),
                        comments=[IssueComment(author=name, content="seen")],
                        history=[IssueHistory(changed_by=name, field_name="status", new_value="Open")],
                    )
                )
    return shell


def owners_told(shell: Shell, *command: str, user: str) -> list[str]:
    """The owner of each row of a list, of those that it has a column for."""
    done = shell(*command, "--everybody", "--json", user=user)
    assert done.status == 0, done.err
    return sorted({row["owner_user"] for row in done.document})


@pytest.mark.parametrize("user", ["root", "alice"])
def test_every_list_shows_ones_own_rows_only(shared: Shell, user: str) -> None:
    for command, most in (("search", 2), ("similar", 1)):
        rows = shared(command, "zebra" if command == "search" else "7", "--json", user=user).document
        assert [row["product"] for row in rows] == [user] * most, command
    assert [row["original_query"] for row in shared("sessions", "--json", user=user).document] == [
        f"of {user}"
    ]
    for command, field, most in (
        (("history",), "original_query", [f"of {user}"]),
        (("runs",), "name", ["nightly"]),
        (("runs", "--statistics"), "total", [1]),
        (("news",), "product", [user]),
        (("quarantine", "list"), "reason", [f"of {user}"]),
    ):
        rows = shared(*command, "--json", user=user).document
        # The searches above were remembered too.
        assert [row[field] for row in rows if row[field] != "zebra"] == most, command
        assert "owner_user" not in rows[0], command
    assert shared("show", "7", "--json", user=user).document["product"] == user
    figures = shared("stats", "--json", user=user).document
    assert figures["issues"]["total"] == 2
    assert figures["sessions"]["total"] == 1
    assert [row["product"] for row in figures["products"]] == [user]
    # The searches above were remembered, each for whoever made it.
    assert {row["query"] for row in figures["top_queries"]} == {f"of {user}", "zebra"}
    assert figures["flow"][-1]["open_at_end"] == 2
    for subject in ("issues", "comments", "history"):
        rows = list(csv.DictReader(io.StringIO(shared("export", subject, user=user).out)))
        assert len(rows) == 2, subject
        assert "owner_user" not in rows[0]
    page = shared("report", "-o", "-", "--since", "2025-12-01", user=user).out
    assert user in page
    assert not any(name in page for name in OWNERS.values() if name != user)


def test_an_analyst_who_has_nothing_sees_nothing_until_everybody_is_asked_for(shared: Shell) -> None:
    assert shared("search", "zebra", "--json", user="ana").document == []
    assert shared("stats", "--json", user="ana").document["issues"]["total"] == 0
    assert len(shared("search", "zebra", "--everybody", "--json", user="ana").document) == 6


@pytest.mark.parametrize("user", ["root", "ana"])
def test_everybodys_rows_tell_whose_each_is(shared: Shell, user: str) -> None:
    everybody = sorted(OWNERS.values())
    assert owners_told(shared, "search", "zebra", user=user) == everybody
    for command in LISTS[2:]:
        assert owners_told(shared, *command, user=user) == everybody, command
    unknown = shared("news", "weekly", "--everybody", user=user)
    assert (unknown.status, "Nobody has a schedule" in unknown.sentence()) == (2, True)
    assert shared("stats", "--everybody", "--json", user=user).document["issues"]["total"] == 6
    assert "owner_user" in shared("show", "7", "--everybody", "--json", user=user).document
    for subject in ("issues", "comments", "history"):
        rows = shared("export", subject, "--format", "jsonl", "--everybody", user=user).out.splitlines()
        assert sorted(json.loads(row)["owner_user"] for row in rows) == sorted(everybody * 2), subject
    done = shared("report", "-o", "-", "--since", "2025-12-01", "--everybody", user=user)
    assert done.status == 0, done.err
    page = done.out
    assert [name for name in everybody if name not in page] == [], page
    for command in LISTS:
        printed = shared(*command, "--everybody", user=user).out
        assert any(name in printed for name in everybody), command


@pytest.mark.parametrize(
    "command",
    [*LISTS, ("show", "7"), ("stats",), ("report", "-o", "-"), ("export", "issues")],
    ids=" ".join,
)
def test_a_user_is_refused_in_a_sentence(shared: Shell, command: tuple[str, ...]) -> None:
    done = shared(*command, "--everybody", user="alice")
    assert done.status != 0
    assert "Only admins and analysts see everybody's rows" in done.sentence()
    assert done.out == ""


def test_asking_for_ones_own_rows_holds_through_commits_and_for_writes(
    shared: Shell, database: Database
) -> None:
    with get_session(ROOT, everybody=False) as session:
        for _ in range(2):
            assert {row.user_id for row in session.query(Issue)} == {ROOT}
            assert session.query(Issue).update({"module": "mine"}) == 2
            session.commit()
    with get_session(ROOT, everybody=True) as session:
        assert {row.user_id for row in session.query(Issue)} == set(OWNERS)
    with pytest.raises(DatabaseRefused), get_session(ALICE, everybody=True) as session:
        session.query(Issue).count()
    with get_session(ANA, everybody=False) as session:
        assert session.query(Issue).count() == 0


def test_the_setting_gives_a_user_nothing(shared: Shell, database: Database) -> None:
    for value in ("off", "", "no"):
        with database.app() as connection:
            connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
            connection.execute("SELECT set_config('ims.own_rows', %s, true)", (value,))
            seen = connection.execute("SELECT DISTINCT user_id FROM ims.issues").fetchall()
            found = connection.execute("SELECT count(*) FROM ims.search_issues('zebra')").fetchone()
        assert seen == [(ALICE,)]
        assert found == (2,)
