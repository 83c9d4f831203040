"""Crawls of the stand-in from the command line: again, changed, and a census of what no list tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.trackers import pool
from pipeline.trackers.process import TrackerProcess
from tests.fixtures.api_server import Reply
from tests.fixtures.program import Completed
from tests.fixtures.shell import Shell
from tests.trackers.redmine.standin import KEY, RedmineStandIn, detail, issue, journal


@pytest.fixture
def redmine_api() -> Iterator[RedmineStandIn]:
    """A Redmine of thirty issues with notes."""
    server = RedmineStandIn(30)
    for number, one in server.issues.items():
        one["journals"] = [journal(number, f"note {number}", detail("status_id", "5", "1"))]
    with server.serving():
        yield server


class Desk:
    """The tracker as its user has stored it."""

    def __init__(self, shell: Shell, server: RedmineStandIn) -> None:
        self._shell, self._server = shell, server
        shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", KEY)

    def crawl(self, *options: str) -> Completed:
        address = ("--kind", "redmine", "--url", self._server.url)
        return self._shell("crawl", "*", *address, "--json", *options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._shell.database.superuser() as connection:
            return connection.execute(query.encode()).fetchall()

    def fetched(self) -> int:
        """How many issues were asked for since the last time."""
        asked = [path for path in self._server.asked_paths() if path.startswith("/issues/")]
        self._server.asked.clear()
        return len(asked)


@pytest.fixture
def desk(shell: Shell, redmine_api: RedmineStandIn) -> Desk:
    """Alice's."""
    return Desk(shell, redmine_api)


def test_a_second_process_asks_neither_who_it_is_nor_for_names(
    desk: Desk, redmine_api: RedmineStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "cores", lambda: 2)
    monkeypatch.setattr(pool, "GROWTH", 10)
    joined: list[dict[str, Any] | None] = []
    login = TrackerProcess.login

    async def watched(self: TrackerProcess, learnt: dict[str, Any] | None = None) -> None:
        joined.append(learnt)
        await login(self, learnt)

    monkeypatch.setattr(TrackerProcess, "login", watched)
    redmine_api.latency = 0.1
    assert desk.crawl().document["issues_new"] == 30
    assert [None if learnt is None else sorted(learnt) for learnt in joined] == [
        None,
        ["issue_statuses.json", "projects.json"],
    ]
    side = [path for path in redmine_api.asked_paths() if not path.startswith("/issues")]
    assert sorted(side) == sorted(["/users/current.json"] * 2 + ["/issue_statuses.json", "/projects.json"])


def test_what_has_not_changed_costs_no_request_and_a_census_finds_the_rest(
    desk: Desk, redmine_api: RedmineStandIn
) -> None:
    first = desk.crawl()
    assert first.status == 0, first.err
    assert (first.document["issues_new"], first.document["status"]) == (30, "completed")
    assert desk.fetched() == 30
    again = desk.crawl().document
    assert (again["issues_unchanged"], again["issues_changed"], again["status"]) == (30, 0, "completed")
    assert desk.fetched() == 0

    redmine_api.issues[2]["subject"], redmine_api.issues[2]["updated_on"] = "renamed", "2026-03-01T10:00:00Z"
    redmine_api.issues[3]["journals"][0]["notes"] = "edited"  # the list does not tell
    redmine_api.issues[4]["journals"].clear()
    moved = issue(5, project=2)
    redmine_api.issues[5].update(project=moved["project"], updated_on="2026-03-01T10:00:00Z")
    del redmine_api.issues[6]
    redmine_api.hidden.add(7)
    third = desk.crawl().document
    assert (third["issues_changed"], third["issues_unchanged"]) == (2, 26)
    assert desk.fetched() == 2
    census = desk.crawl("--census")
    assert census.status == 0, census.err
    assert census.document["removed"] == {"deleted": 1, "moved": 0, "denied": 1}
    assert (census.document["issues_changed"], census.document["issues_unchanged"]) == (2, 26)
    comments = desk.rows(
        "SELECT issue_id, content, c.removed_at IS NULL"
        " FROM ims.issue_comments c JOIN ims.issues USING (issue_pk)"
        " WHERE issue_id IN ('3', '4', '5') ORDER BY issue_id::int"
    )
    assert comments == [("3", "edited", True), ("4", "note 4", False), ("5", "note 5", True)]
    assert desk.rows("SELECT product, removed_at FROM ims.issues WHERE issue_id = '5'") == [("Secret", None)]
    gone = desk.rows(
        "SELECT issue_id, removed_reason FROM ims.issues WHERE removed_at IS NOT NULL ORDER BY 1"
    )
    assert gone == [("6", "deleted"), ("7", "denied")]


def test_no_key_is_stored_with_the_pages_or_shown(desk: Desk, redmine_api: RedmineStandIn) -> None:
    done = desk.crawl()
    assert KEY not in done.out + done.err
    tables = [row[0] for row in desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'ims'")]
    for table in tables:
        assert desk.rows(f"SELECT 1 FROM ims.{table} t WHERE t::text LIKE '%{KEY}%'") == []  # noqa: S608 - our own names
    urls = {row[0] for row in desk.rows("SELECT DISTINCT url FROM ims.raw_pages")}
    assert [url for url in urls if "current" in url or "key=" in url] == []


@pytest.mark.parametrize(
    ("reply", "status", "sentence"),
    [
        (Reply(b"", 401), 3, "API access key"),
        (Reply(b"", 403), 3, "REST web service"),
        (Reply(b"<html>log in</html>", headers={"content-type": "text/html"}), 5, "like a Redmine"),
        (Reply(b"", 404), 5, "like a Redmine"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_status(
    desk: Desk, redmine_api: RedmineStandIn, reply: Reply, status: int, sentence: str
) -> None:
    redmine_api.before.append(lambda asked: reply)
    done = desk.crawl()
    assert done.status == status
    assert sentence in done.err.strip().splitlines()[-1]


def test_an_unknown_project_names_those_that_there_are(desk: Desk) -> None:
    done = desk.crawl("--product", "Nope")
    assert done.status == 2
    assert "Datenbank" in done.err.strip().splitlines()[-1]


def test_a_login_page_in_place_of_an_issue_leaves_what_is_stored_alone(
    desk: Desk, redmine_api: RedmineStandIn
) -> None:
    desk.crawl()
    redmine_api.issues[1]["updated_on"] = "2026-03-01T10:00:00Z"
    page = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})
    redmine_api.before.append(lambda asked: page if asked.path == "/issues/1.json" else None)
    done = desk.crawl()
    assert (done.status, done.document["failed_issues"]) == (4, 1)
    assert desk.rows("SELECT title FROM ims.issues WHERE issue_id = '1'") == [("Timeout 1",)]
    assert desk.rows("SELECT count(*) FROM ims.raw_pages WHERE quarantined")[0][0] >= 1
