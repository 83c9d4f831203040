"""Crawls of the stand-in from the command line: again, changed, a census, and answers that are none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.api_server import Reply
from tests.fixtures.program import Completed
from tests.fixtures.shell import Shell
from tests.trackers.rt.standin import FIRST, TOKEN, RtStandIn


@pytest.fixture
def rt_api() -> Iterator[RtStandIn]:
    """An RT of twenty tickets."""
    server = RtStandIn(20)
    with server.serving():
        yield server


class Desk:
    """The tracker as its user has it."""

    def __init__(self, shell: Shell, server: RtStandIn) -> None:
        self._shell, self._server = shell, server
        shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", TOKEN)

    def crawl(self, *options: str) -> Completed:
        return self._shell("crawl", "*", "--kind", "rt", "--url", self._server.url, "--json", *options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._shell.database.superuser() as connection:
            return connection.execute(query.encode()).fetchall()

    def fetched(self) -> int:
        """How often a ticket was asked for since the last time."""
        asked = [path for path in self._server.asked_paths() if path.startswith("ticket/")]
        self._server.asked.clear()
        return len(asked)


@pytest.fixture
def desk(shell: Shell, rt_api: RtStandIn) -> Desk:
    """Alice's."""
    return Desk(shell, rt_api)


def test_four_requests_a_new_ticket_none_an_unchanged_one_and_a_census_finds_what_is_gone(
    desk: Desk, rt_api: RtStandIn
) -> None:
    first = desk.crawl()
    assert (first.status, first.document["issues_new"]) == (0, 20), first.err
    assert desk.fetched() == 4 * 20
    again = desk.crawl().document
    assert (again["issues_unchanged"], again["issues_changed"]) == (20, 0)
    assert desk.fetched() == 0
    rt_api.write(2, "Comment", "one more", FIRST + timedelta(days=40))
    rt_api.tickets[3]["Status"] = "deleted"
    rt_api.merged[4] = 5
    rt_api.hidden.add(6)
    third = desk.crawl()
    assert third.document["issues_changed"] == 1
    assert desk.fetched() == 4
    census = desk.crawl("--census")
    assert census.status == 0, census.err
    assert census.document["removed"] == {"deleted": 1, "moved": 1, "denied": 1}
    assert desk.rows("SELECT is_private FROM ims.issue_comments WHERE content = 'one more'") == [(True,)]
    tables = [row[0] for row in desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'ims'")]
    for table in tables:
        assert desk.rows(f"SELECT 1 FROM ims.{table} t WHERE t::text LIKE '%{TOKEN}%'") == []  # noqa: S608 - our own names
    assert TOKEN not in first.out + first.err


@pytest.mark.parametrize(
    ("reply", "status", "sentence"),
    [
        (Reply({"message": "Unauthorized"}, 401), 3, "Auth Tokens"),
        (Reply(b"<html>log in</html>", headers={"content-type": "text/html"}), 5, "like a Request Tracker"),
        (Reply(b"", 404), 5, "RT::Extension::REST2"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_status(
    desk: Desk, rt_api: RtStandIn, reply: Reply, status: int, sentence: str
) -> None:
    rt_api.before.append(lambda asked: reply)
    done = desk.crawl()
    assert done.status == status
    assert sentence in done.err.strip().splitlines()[-1]


def test_a_login_page_in_place_of_a_history_leaves_what_is_stored_alone(
    desk: Desk, rt_api: RtStandIn
) -> None:
    desk.crawl()
    rt_api.write(1, "Correspond", "more", FIRST + timedelta(days=40))
    page = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})
    rt_api.before.append(lambda asked: page if asked.path.endswith("/1/history") else None)
    done = desk.crawl()
    assert (done.status, done.document["failed_issues"]) == (4, 1)
    assert desk.rows("SELECT title FROM ims.issues WHERE issue_id = '1'") == [("Timeout 1",)]
    assert desk.rows("SELECT count(*) FROM ims.issue_comments WHERE content = 'more'") == [(0,)]
