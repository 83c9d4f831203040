"""Crawls of a real Roundup from the command line: again, changed, and what a census finds."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from tests.fixtures.shell import Shell
from tests.trackers.roundup.fix_server import PASSWORD, RoundupServer

pytestmark = pytest.mark.xdist_group("roundup")

Rows = psycopg.Connection[tuple[Any, ...]]


def stored(database: Rows, columns: str, number: int) -> tuple[Any, ...]:
    query = f"SELECT {columns} FROM ims.issues issue WHERE issue_id = %s"  # noqa: S608 - our own names
    row = database.execute(query.encode(), (str(number),)).fetchone()
    assert row is not None
    return row


_COUNT = "(SELECT count(*) FROM ims.{} child WHERE child.issue_pk = issue.issue_pk{})"
COUNTS = ", ".join(
    (
        "title, status, priority, description",
        _COUNT.format("issue_comments", ""),
        _COUNT.format("issue_history", " AND change_type <> 'observed'"),
        _COUNT.format("attachments", ""),
        _COUNT.format("issue_relations", ""),
    )
)


def compare(database: Rows, roundup: RoundupServer) -> None:
    """Hold every stored issue against Roundup's own answers."""
    for number in range(1, 9):
        one = roundup.get(f"rest/data/issue/{number}?@verbose=2")["data"]["attributes"]
        entries = re.search(r'<table class="history.*?</table>', roundup.get(f"issue{number}"), re.DOTALL)
        assert entries is not None
        cells = re.findall(r"<td>(.*?)</td>\s*</tr>", entries[0], re.DOTALL)
        first = roundup.get(f"rest/data/msg/{one['messages'][0]['id']}/content")["data"]["data"]
        assert stored(database, COUNTS, number) == (
            one["title"],
            one["status"] and one["status"]["name"],
            one["priority"]["name"],
            first.replace("\r\n", "\n"),
            len(one["messages"]) - 1,
            sum(1 + cell.count("<br />") for cell in cells),
            len(one["files"]),
            len(one["superseder"]),
        )


def test_what_roundup_tells_is_stored_and_what_happens_there_is_found(
    shell: Shell, roundup: RoundupServer
) -> None:
    shell.monkeypatch.setenv("IMS_TRACKER_USERNAME", "kim")
    shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", PASSWORD)

    def crawl(*options: str) -> dict[str, Any]:
        done = shell("crawl", "*", "--kind", "roundup", "--url", roundup.url, "--json", *options)
        assert done.status == 0, done.err
        document: dict[str, Any] = done.document
        assert document["status"] == "completed"
        return document

    assert crawl()["issues_new"] == 8
    with shell.database.superuser() as database:
        compare(database, roundup)
        pages = roundup.pages_asked()
        again = crawl()
        assert (again["issues_unchanged"], again["issues_changed"]) == (8, 0)
        assert roundup.pages_asked() == pages
        roundup.change(5, "title=Renamed too", "comment=One more.")
        roundup.change(6, "retire")
        roundup.change(1, "edit=Edited.")  # the time of change stays
        assert crawl()["issues_changed"] == 1
        assert roundup.pages_asked() == pages + 1
        content = "(SELECT max(content) FROM ims.issue_comments c WHERE c.issue_pk = issue.issue_pk)"
        assert stored(database, "title", 5) == ("Renamed too",)
        assert stored(database, content, 1) == ("A comment",)
        census = crawl("--census")
        assert census["removed"] == {"deleted": 1, "moved": 0, "denied": 0}
        assert stored(database, "removed_reason", 6) == ("deleted",)
        assert stored(database, content, 1) == ("Edited.",)
        assert stored(database, content, 5) == ("One more.",)
