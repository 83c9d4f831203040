"""Crawls of the stand-in from the command line: again, changed, and a census of what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.api_server import Reply
from tests.fixtures.program import Completed
from tests.fixtures.shell import Shell
from tests.trackers.gitlab.standin import PATH, TOKEN, GitLabStandIn


@pytest.fixture
def gitlab_api() -> Iterator[GitLabStandIn]:
    """A project of thirty issues with a label and a comment each."""
    server = GitLabStandIn(30)
    at = "2026-02-20T10:00:00.000Z"
    for number in range(1, 31):
        server.happen(number, "resource_label_events", at, action="add", label={"name": "bug"})
        server.note(number, f"note *{number}*", at)
    with server.serving():
        yield server


class Desk:
    """The tracker as its user has stored it."""

    def __init__(self, shell: Shell, server: GitLabStandIn) -> None:
        self._shell, self._server = shell, server
        shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", TOKEN)

    def crawl(self, *options: str) -> Completed:
        address = ("--kind", "gitlab", "--url", self._server.base)
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
def desk(shell: Shell, gitlab_api: GitLabStandIn) -> Desk:
    """Alice's."""
    return Desk(shell, gitlab_api)


def test_what_has_not_changed_costs_no_request_and_a_census_finds_what_is_gone(
    desk: Desk, gitlab_api: GitLabStandIn
) -> None:
    first = desk.crawl()
    assert first.status == 0, first.err
    assert (first.document["issues_new"], first.document["status"]) == (30, "completed")
    assert desk.asked_for_issues() <= 30 * 8
    again = desk.crawl().document
    assert (again["issues_unchanged"], again["issues_changed"], again["status"]) == (30, 0, "completed")
    assert desk.asked_for_issues() == 0

    gitlab_api.note(2, "changed title from **a** to **b**", system=True)
    gitlab_api.issues[2]["title"] = "b"
    third = desk.crawl().document
    assert (third["issues_changed"], third["issues_unchanged"]) == (1, 29)
    assert desk.asked_for_issues() <= 8

    gitlab_api.parts[3, "notes"][0]["body"] = "edited"  # the list does not tell
    del gitlab_api.issues[5]
    gitlab_api.hidden.add(6)  # nobody tells it from a deleted one
    census = desk.crawl("--census")
    assert census.status == 0, census.err
    assert census.document["removed"] == {"deleted": 2, "moved": 0, "denied": 0}
    gone = desk.rows(
        "SELECT issue_id, removed_reason FROM ims.issues WHERE removed_at IS NOT NULL ORDER BY 1"
    )
    assert gone == [("5", "deleted"), ("6", "deleted")]
    comments = desk.rows(
        "SELECT issue_id, content FROM ims.issue_comments JOIN ims.issues USING (issue_pk)"
        " WHERE issue_id IN ('2', '3') ORDER BY issue_id"
    )
    assert comments == [("2", "note 2"), ("3", "edited")]


def test_a_part_that_is_refused_is_a_warning_of_the_session(desk: Desk, gitlab_api: GitLabStandIn) -> None:
    gitlab_api.refused["resource_label_events"] = 403
    done = desk.crawl("--max", "3")
    assert (done.status, done.document["issues_new"]) == (0, 3)
    warned = desk.rows("SELECT error_message FROM ims.session_errors WHERE severity = 'warning'")
    assert [message for (message,) in warned if "resource_label_events" in message]


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
        (Reply({"message": "401 Unauthorized"}, 401), 3, "refused the token"),
        (Reply({"message": "Not Found"}, 404), 2, f"no project {PATH}"),
        (Reply(b"<html>log in</html>", headers={"content-type": "text/html"}), 5, "like a GitLab"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_status(
    desk: Desk, gitlab_api: GitLabStandIn, reply: Reply, status: int, sentence: str
) -> None:
    gitlab_api.before.append(lambda asked: reply)
    done = desk.crawl()
    assert done.status == status
    assert sentence in done.err.strip().splitlines()[-1]


def test_a_page_that_is_no_issue_leaves_what_is_stored_alone(desk: Desk, gitlab_api: GitLabStandIn) -> None:
    desk.crawl()
    gitlab_api.issues[1]["updated_at"] = "2026-03-05T10:00:00.000Z"
    page = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})
    gitlab_api.before.append(lambda asked: page if asked.path.endswith("/issues/1") else None)
    done = desk.crawl()
    assert (done.status, done.document["failed_issues"]) == (4, 1)
    assert desk.rows("SELECT title FROM ims.issues WHERE issue_id = '1'") == [("Timeout 1",)]
    assert desk.rows("SELECT count(*) FROM ims.raw_pages WHERE quarantined")[0][0] >= 1
