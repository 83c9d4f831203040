"""Old sessions and replaced pages go, what is current stays; an admin does it for all."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from db import Attachment, CrawlSession, Issue, RawPage, Tracker
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")

_COUNT = "SELECT count(*) FROM ims.{} WHERE user_id = %s"
NOW = datetime.now(UTC)
OLD, YOUNG = NOW - timedelta(days=400), NOW - timedelta(days=5)


@pytest.fixture
def kept(shell: Shell) -> Shell:
    """Alice and Bob, each with old and young things."""
    for user_id in (ALICE, BOB):
        with shell.database.session(user_id) as session:
            tracker = Tracker(name="t", kind="ims", base_url="http://localhost/")
            session.add(tracker)
            session.flush()
            for started, status in ((OLD, "completed"), (YOUNG, "completed"), (OLD, "running")):
                session.add(
                    CrawlSession(
                        tracker_id=tracker.tracker_id,
                        status=status,
                        started_at=started,
                        completed_at=started if status == "completed" else None,
                    )
                )
            pages = (
                ("1", OLD - timedelta(days=1)),
                ("1", OLD),
                ("2", OLD),
                ("3", OLD),
                ("3", YOUNG),
                ("4", OLD),
            )
            for number, fetched in pages:
                body = f"{number} {fetched}".encode()
                session.add(
                    RawPage(
                        tracker_id=tracker.tracker_id,
                        issue_id=number,
                        body=body,
                        size=9,
                        sha256=sha256(body).digest(),
                        fetched_at=fetched,
                    )
                )
            for number in "1234":
                issue = Issue(issue_id=number, tracker_id=tracker.tracker_id, title="x")
                issue.removed_at = OLD if number == "4" else None
                session.add(issue)
                if number == "1":
                    session.flush()
                    session.add(
                        Attachment(issue_pk=issue.issue_pk, source_key="a", filename="a", sha256="a" * 64)
                    )
    for name in ("a" * 64, "b" * 64, "c" * 64):
        path = shell.home / "attachments" / name[:2] / name
        path.parent.mkdir(parents=True, mode=0o700)
        path.write_bytes(b"12345")
        if name[0] != "c":
            os.utime(path, (OLD.timestamp(), OLD.timestamp()))
    return shell


def left(shell: Shell, user_id: int) -> dict[str, Any]:
    with shell.database.superuser() as connection:
        return {
            table: connection.execute(_COUNT.format(table).encode(), [user_id]).fetchall()[0][0]
            for table in BEFORE
        }


BEFORE = {"crawl_sessions": 3, "raw_pages": 6, "issues": 4}


def test_only_ones_own_old_things_go_and_only_when_one_is_sure(kept: Shell) -> None:
    told = kept("db", "prune", "--dry-run", "--json").document
    assert (told["sessions"], told["pages"], told["removed_issues"], told["files"]) == (1, 2, 0, 0)
    assert told["page_bytes"] > 0
    unsure = kept("db", "prune")
    assert (unsure.status, "--yes" in unsure.sentence()) == (2, True)
    assert left(kept, ALICE) == BEFORE
    done = kept("db", "prune", "--yes", "--json").document
    assert (done["sessions"], done["pages"]) == (1, 2)
    assert left(kept, ALICE) == {"crawl_sessions": 2, "raw_pages": 4, "issues": 4}
    assert left(kept, BOB) == BEFORE
    assert "nothing to remove" in kept("db", "prune", "--yes").out + kept("db", "prune", "--yes").err


def test_vanished_issues_go_with_their_pages_where_that_is_asked_for(kept: Shell) -> None:
    kept("db", "prune", "--removed", "--yes")
    assert left(kept, ALICE) == {"crawl_sessions": 2, "raw_pages": 3, "issues": 3}


def test_an_admin_prunes_for_everybody_and_files_that_nobody_has(kept: Shell) -> None:
    for name, age in (("part.1", 8), ("part.2", 6), ("draft.3", 8)):
        path = kept.home / "attachments" / name
        path.write_bytes(b"half")
        os.utime(path, (0, (NOW - timedelta(days=age)).timestamp()))
    refused = kept("db", "prune", "--everybody", "--yes")
    assert refused.status == 3
    assert left(kept, BOB) == BEFORE
    all_of_it = kept("db", "prune", "--everybody", "--yes", "--json", user="root")
    assert all_of_it.status == 0, all_of_it.err
    done = all_of_it.document
    assert (done["sessions"], done["pages"], done["files"], done["file_bytes"]) == (2, 4, 3, 13)
    assert (kept.home / "attachments" / "part.2").exists()
    assert len([path for path in (kept.home / "attachments").iterdir() if path.is_file()]) == 1
    assert left(kept, BOB) == {"crawl_sessions": 2, "raw_pages": 4, "issues": 4}
    assert sorted(path.name[0] for path in (kept.home / "attachments").glob("*/*")) == ["a", "c"]


@pytest.mark.parametrize("age", ["0", "yesterdayish", "-3d"])
def test_an_age_that_is_none(kept: Shell, age: str) -> None:
    assert kept("db", "prune", "--older-than", age, "--yes").status == 2
    assert left(kept, ALICE) == BEFORE
