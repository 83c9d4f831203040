"""Killed at a commit and resumed, a session leaves the same rows as one that nobody disturbed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.fixtures.database import Server
from tests.fixtures.failpoints import FailingProgram
from tests.fixtures.schema import Database, fresh_database
from tests.fixtures.stored_rows import Rows, count, difference, stored_rows

pytestmark = pytest.mark.xdist_group("killed")

MOST_BOUNDARIES = 120  # a session of sixty issues with thirty files has about a hundred
IN_THE_SEARCH = 7  # the first page of hits is committed, the second is not
SLICE = (2, 5, 12, 31)  # begun, in the search, in the batches, in the files


@dataclass(frozen=True)
class Golden:
    """What an undisturbed session leaves."""

    rows: Rows
    boundaries: int


@pytest.fixture(scope="module")
def golden(failing: FailingProgram, sixty_issues: str, server: Server, template: str) -> Iterator[Golden]:
    """The session, undisturbed."""
    with fresh_database(server, template) as database:
        done = failing.run(database, "crawl", *options(sixty_issues))
        assert done.status == 0, done.err
        with database.superuser() as connection:
            yield Golden(stored_rows(connection), done.boundaries)


def options(url: str) -> tuple[str, ...]:
    return ("*", "--kind", "ims", "--url", url, "--attachments", "--json")


def killed_and_resumed(failing: FailingProgram, database: Database, url: str, boundary: int) -> Rows:
    """Kill the session at a boundary, resume it as a user would, and read what is stored."""
    killed = failing.run(database, "crawl", *options(url), kill_at=boundary)
    assert killed.status == -signal.SIGKILL
    assert killed.boundaries == boundary
    sessions = failing.run(database, "sessions", "--json").document
    if not sessions:
        again = failing.run(database, "crawl", *options(url))
    elif sessions[0]["status"] == "completed":
        again = failing.run(database, "receipt", sessions[0]["session_uuid"], "--json")
        assert again.document["complete"]
    else:
        again = failing.run(database, "resume", sessions[0]["session_uuid"], "--json")
    assert again.status == 0, again.err
    with database.superuser() as connection:
        return stored_rows(connection)


def test_the_session_has_searches_batches_and_files_to_die_in(golden: Golden) -> None:
    assert max(SLICE) < golden.boundaries < MOST_BOUNDARIES
    assert count(golden.rows) > 600
    assert {table for table, rows in golden.rows.items() if rows} >= {
        "issues",
        "issue_comments",
        "issue_history",
        "attachments",
        "raw_pages",
        "session_frontier",
        "session_issues",
        "crawl_sessions",
    }


@pytest.mark.parametrize("boundary", SLICE)
def test_killed_at_a_commit_and_resumed_nothing_is_lost_and_nothing_twice(
    failing: FailingProgram, golden: Golden, sixty_issues: str, database: Database, boundary: int
) -> None:
    rows = killed_and_resumed(failing, database, sixty_issues, boundary)
    assert difference(rows, golden.rows) == ([], [])


@pytest.mark.parametrize(
    "boundary", [3, 12, -2, *(pytest.param(each, marks=pytest.mark.long) for each in (4, 5, 31, -4))]
)
def test_interrupted_at_every_commit_from_one_on_it_says_how_to_go_on_and_nothing_is_lost(
    failing: FailingProgram, golden: Golden, sixty_issues: str, database: Database, boundary: int
) -> None:
    begun = boundary if boundary > 0 else golden.boundaries + boundary
    interrupted = failing.run(database, "crawl", *options(sixty_issues), interrupt_from=begun)
    assert "Traceback" not in interrupted.err
    (session,) = failing.run(database, "sessions", "--json").document
    if session["status"] == "completed":  # it came while the row was being closed
        assert interrupted.status == 0, interrupted.err
    else:
        assert (interrupted.status, session["status"]) == (130, "interrupted"), interrupted.err
        assert f"resume {session['session_uuid']}" in interrupted.err.splitlines()[-1]
        assert failing.run(database, "resume", "--all").status == 0
    with database.superuser() as connection:
        assert difference(stored_rows(connection), golden.rows) == ([], [])


def test_all_that_was_left_over_is_resumed_at_once(
    failing: FailingProgram, golden: Golden, sixty_issues: str, database: Database
) -> None:
    killed = failing.run(database, "crawl", *options(sixty_issues), kill_at=max(SLICE))
    assert killed.status == -signal.SIGKILL
    resumed = failing.run(database, "resume", "--all", "--json")
    assert resumed.status == 0, resumed.err
    assert [one["status"] for one in resumed.document] == ["completed"]
    with database.superuser() as connection:
        assert difference(stored_rows(connection), golden.rows) == ([], [])
    assert "No session is left" in failing.run(database, "resume", "--all").err


def test_a_limit_holds_over_all_runs_of_a_session(
    failing: FailingProgram, sixty_issues: str, database: Database
) -> None:
    limited = ("*", "--kind", "ims", "--url", sixty_issues, "--max", "30", "--json")
    killed = failing.run(database, "crawl", *limited, kill_at=IN_THE_SEARCH)
    assert killed.status == -signal.SIGKILL
    (session,) = failing.run(database, "sessions", "--json").document
    resumed = failing.run(database, "resume", session["session_uuid"], "--json").document
    assert resumed["status"] == "completed"
    assert resumed["total_issues_found"] == resumed["issues_new"] == 30


@pytest.mark.long
def test_killed_at_any_commit_and_resumed_nothing_is_lost_and_nothing_twice(
    failing: FailingProgram, golden: Golden, sixty_issues: str, server: Server, template: str
) -> None:
    for boundary in range(1, golden.boundaries + 1):
        with fresh_database(server, template) as database:
            rows = killed_and_resumed(failing, database, sixty_issues, boundary)
        assert difference(rows, golden.rows) == ([], []), f"killed at boundary {boundary}"
