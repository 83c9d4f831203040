"""Crawls of the stand-in from the command line: again, changed, and a census of what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.api_server import Reply
from tests.fixtures.program import Completed
from tests.fixtures.shell import Shell
from tests.trackers.github.standin import NAME, OTHER, TOKEN, GitHubStandIn


@pytest.fixture
def github_api() -> Iterator[GitHubStandIn]:
    """A repository of thirty issues with a label and a comment each."""
    server = GitHubStandIn(30)
    for number in range(1, 31):
        server.happen(number, "labeled", "2026-02-20T10:00:00Z", label={"name": "bug"})
        server.comment(number, f"note *{number}*", "2026-02-20T10:00:00Z")
    with server.serving():
        yield server


class Desk:
    """The tracker as its user has stored it."""

    def __init__(self, shell: Shell, server: GitHubStandIn) -> None:
        self._shell, self._server = shell, server
        shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", TOKEN)

    def crawl(self, *options: str) -> Completed:
        address = ("--kind", "github", "--url", f"{self._server.base}/issues")
        return self._shell("crawl", "*", *address, "--json", *options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._shell.database.superuser() as connection:
            return connection.execute(query.encode()).fetchall()

    def asked_for_issues(self) -> int:
        """How many requests went to single issues since the last time."""
        asked = [path for path in self._server.asked_paths() if "/issues/" in path]
        self._server.asked.clear()
        return len(asked)


@pytest.fixture
def desk(shell: Shell, github_api: GitHubStandIn) -> Desk:
    """Alice's."""
    return Desk(shell, github_api)


def test_what_has_not_changed_costs_no_request_and_a_census_finds_what_is_gone(
    desk: Desk, github_api: GitHubStandIn
) -> None:
    first = desk.crawl()
    assert first.status == 0, first.err
    assert (first.document["issues_new"], first.document["status"]) == (30, "completed")
    assert desk.asked_for_issues() == 30  # their timelines; the list has the rest
    again = desk.crawl().document
    assert (again["issues_unchanged"], again["issues_changed"], again["status"]) == (30, 0, "completed")
    assert desk.asked_for_issues() == 0

    github_api.happen(2, "renamed", rename={"from": "a", "to": "b"})
    github_api.issues[2]["title"] = "b"
    github_api.timelines[3] = [each for each in github_api.timelines[3] if each["event"] != "commented"]
    github_api.issues[3]["updated_at"] = "2026-03-01T10:00:00Z"
    third = desk.crawl().document
    assert (third["issues_changed"], third["issues_unchanged"]) == (2, 28)
    assert desk.asked_for_issues() == 2

    github_api.transfer(4, 12)
    del github_api.issues[5]
    github_api.deleted.add(5)
    del github_api.issues[6]  # without a right it is not there either
    census = desk.crawl("--census")
    assert census.status == 0, census.err
    assert census.document["removed"] == {"deleted": 2, "moved": 1, "denied": 0}
    gone = desk.rows(
        "SELECT issue_id, removed_reason FROM ims.issues WHERE removed_at IS NOT NULL ORDER BY 1"
    )
    assert gone == [("4", "moved"), ("5", "deleted"), ("6", "deleted")]
    assert desk.rows("SELECT product FROM ims.issues WHERE issue_id = 'octo/attic#12'") == [(OTHER,)]
    comments = desk.rows(
        "SELECT issue_id, content, c.removed_at IS NULL FROM ims.issue_comments c"
        " JOIN ims.issues USING (issue_pk) WHERE issue_id IN ('2', '3') ORDER BY issue_id"
    )
    assert comments == [("2", "note 2", True), ("3", "note 3", False)]


def test_no_token_is_stored_with_the_pages_or_shown(desk: Desk) -> None:
    done = desk.crawl()
    assert TOKEN not in done.out + done.err
    tables = [row[0] for row in desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'ims'")]
    for table in tables:
        assert desk.rows(f"SELECT 1 FROM ims.{table} t WHERE t::text LIKE '%{TOKEN}%'") == []  # noqa: S608 - our own names
    urls = {row[0] for row in desk.rows("SELECT DISTINCT url FROM ims.raw_pages")}
    assert [url for url in urls if url.endswith("/user")] == []


@pytest.mark.parametrize(
    ("reply", "status", "sentence"),
    [
        (Reply({"message": "Bad credentials"}, 401), 3, "refused the token"),
        (Reply({"message": "Not Found"}, 404), 2, f"no repository {NAME}"),
        (Reply(b"<html>log in</html>", headers={"content-type": "text/html"}), 5, "like a GitHub"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_status(
    desk: Desk, github_api: GitHubStandIn, reply: Reply, status: int, sentence: str
) -> None:
    github_api.before.append(lambda asked: reply)
    done = desk.crawl()
    assert done.status == status
    assert sentence in done.err.strip().splitlines()[-1]


def test_a_page_that_is_no_issue_leaves_what_is_stored_alone(desk: Desk, github_api: GitHubStandIn) -> None:
    desk.crawl()
    github_api.issues[1]["updated_at"] = "2026-03-05T10:00:00Z"
    page = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})
    github_api.before.append(lambda asked: page if asked.path.endswith("/issues/1/timeline") else None)
    done = desk.crawl()
    assert (done.status, done.document["failed_issues"]) == (4, 1)
    assert desk.rows("SELECT title FROM ims.issues WHERE issue_id = '1'") == [("Timeout 1",)]
    assert desk.rows("SELECT count(*) FROM ims.raw_pages WHERE quarantined")[0][0] >= 1
