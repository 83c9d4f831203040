"""Crawls of the stand-in from the command line: again, changed, and a census of what is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.api_server import Reply
from tests.fixtures.program import Completed
from tests.fixtures.shell import Shell
from tests.trackers.gitlab.standin import OTHER, PATH, TOKEN, GitLabStandIn


@pytest.fixture
def gitlab() -> Iterator[GitLabStandIn]:
    """A project of thirty issues with a comment and a label each."""
    server = GitLabStandIn(30)
    server.pass_time(hours=1)
    for issue in server.issues.values():
        server.note(issue, f"note *{issue.number}*")
        server.happen(issue, "label", action="add", label={"name": "bug"})
    with server.serving():
        yield server


class Desk:
    """The tracker as its user asks for it, by the address of a page."""

    def __init__(self, shell: Shell, server: GitLabStandIn) -> None:
        self._shell, self._server = shell, server
        shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", TOKEN)

    def crawl(self, *options: str) -> Completed:
        address = ("--kind", "gitlab", "--url", f"{self._server.page}/-/issues/5")
        return self._shell("crawl", "*", *address, "--json", *options)

    def receipt(self, session: str) -> dict[str, Any]:
        document: dict[str, Any] = self._shell("receipt", session, "--json").document
        return document

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._shell.database.superuser() as connection:
            return connection.execute(query.encode()).fetchall()

    def asked_for_issues(self) -> int:
        """How many requests were no pages of the list and no login since the last time."""
        asked = [
            each
            for each in self._server.asked
            if "/issues/" in each.path or (each.path.endswith("/issues") and "iids[]" in each.query)
        ]
        self._server.asked.clear()
        return len(asked)


@pytest.fixture
def desk(shell: Shell, gitlab: GitLabStandIn) -> Desk:
    """Alice's."""
    return Desk(shell, gitlab)


def test_what_has_not_changed_costs_no_request_and_a_census_finds_what_is_gone(
    desk: Desk, gitlab: GitLabStandIn
) -> None:
    first = desk.crawl()
    assert first.status == 0, first.err
    assert (first.document["issues_new"], first.document["status"]) == (30, "completed")
    assert desk.asked_for_issues() == 30 * 4 + 2
    told = desk.receipt(first.document["session_uuid"])
    assert told["complete"]
    assert (told["tracker_total"], told["comments_announced"], told["comments_stored"]) == (30, 30, 30)
    assert (told["history_announced"], told["history_stored"]) == (30, 30)
    again = desk.crawl().document
    assert (again["issues_unchanged"], again["issues_changed"], again["status"]) == (30, 0, "completed")
    assert desk.asked_for_issues() == 0

    gitlab.pass_time(days=1)
    gitlab.note(gitlab.issues[2], "It is quiet now.")
    gitlab.close(gitlab.issues[3])
    third = desk.crawl().document
    assert (third["issues_changed"], third["issues_unchanged"]) == (2, 28)
    assert desk.rows("SELECT state FROM ims.issues WHERE issue_id = '3'") == [("done",)]

    gitlab.pass_time(days=1)
    gitlab.move(gitlab.issues[4], 12)
    del gitlab.issues[5]
    gitlab.issues[6].hidden = True  # which is said like deleted
    gitlab.issues[7].updated = gitlab.now
    gitlab.note(gitlab.issues[7], "within a minute")
    assert desk.crawl().document["issues_changed"] == 2
    gitlab.note(gitlab.issues[7], "once more")  # leaves the issue's time alone
    assert desk.crawl().document["issues_changed"] == 0
    census = desk.crawl("--census")
    assert census.status == 0, census.err
    assert census.document["removed"] == {"deleted": 2, "moved": 0, "denied": 0}
    assert census.document["issues_changed"] == 1
    gone = "SELECT issue_id, removed_reason FROM ims.issues WHERE removed_at IS NOT NULL ORDER BY 1"
    assert desk.rows(gone) == [("5", "deleted"), ("6", "deleted")]
    assert desk.rows(
        "SELECT related_issue_id, relation_type FROM ims.issue_relations"
        " JOIN ims.issues USING (issue_pk) WHERE issue_id = '4'"
    ) == [(f"{OTHER}#12", "moved to")]


def test_issues_that_are_pointed_to_are_brought_from_other_projects(
    desk: Desk, gitlab: GitLabStandIn
) -> None:
    gitlab.move(gitlab.issues[4], 12)
    done = desk.crawl("--related")
    assert done.status == 0, done.err
    assert done.document["related_issues"] == 1
    assert desk.rows(f"SELECT product FROM ims.issues WHERE issue_id = '{OTHER}#12'") == [(OTHER,)]  # noqa: S608 - our own


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
        (Reply({"message": "404 Project Not Found"}, 404), 2, f"no project {PATH}"),
        (Reply(b"<html>log in</html>", headers={"content-type": "text/html"}), 5, "like a GitLab"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_status(
    desk: Desk, gitlab: GitLabStandIn, reply: Reply, status: int, sentence: str
) -> None:
    is_account = reply.status == 401
    gitlab.before.append(lambda asked: reply if asked.path.endswith("/user") is is_account else None)
    done = desk.crawl()
    assert done.status == status
    assert sentence in done.err.strip().splitlines()[-1]


def test_a_page_that_is_no_list_leaves_what_is_stored_alone(desk: Desk, gitlab: GitLabStandIn) -> None:
    desk.crawl()
    gitlab.pass_time(days=1)
    gitlab.note(gitlab.issues[1], "new")
    page = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})
    gitlab.before.append(lambda asked: page if asked.path.endswith("/issues/1/notes") else None)
    done = desk.crawl()
    assert (done.status, done.document["failed_issues"]) == (4, 1)
    assert desk.rows("SELECT title FROM ims.issues WHERE issue_id = '1'") == [("Timeout 1",)]
    assert desk.rows("SELECT count(*) FROM ims.raw_pages WHERE quarantined")[0][0] >= 1
