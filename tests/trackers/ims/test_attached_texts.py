"""What attached files say, from the crawl to the hit, as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tests.fixtures.program import Completed, Tracker
from tests.fixtures.shell import Shell

STEAL = "undo_stat.log"  # of the written issues; only its second line has "131070"

Crawl: TypeAlias = Callable[[], Completed]


@pytest.fixture
def crawl(shell: Shell, ims_process: Tracker, monkeypatch: pytest.MonkeyPatch) -> Crawl:
    """Crawls the written issues with their files."""
    for name, value in ims_process.ACCOUNT.items():
        monkeypatch.setenv(name, value)

    def run() -> Completed:
        done = shell("crawl", "*", *ims_process.options, "--attachments", "--json")
        assert done.status == 0, done.err
        return done

    return run


def rows(shell: Shell, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What is in the database, past row security."""
    with shell.database.superuser() as connection:
        cursor = connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def places(shell: Shell, *options: str) -> list[str]:
    """Where the number in the log is found."""
    return [hit["found_in"] for hit in shell("search", "131070", "--exact", "--json", *options).document]


def test_a_line_of_a_log_is_found_with_its_place(shell: Shell, crawl: Crawl) -> None:
    assert crawl().document["attachments_downloaded"] > 5
    (hit,) = shell("search", "131070", "--exact", "--json").document
    assert hit["found_in"] == f"attachment {STEAL}:2"
    assert hit["snippet"].split("\n") == [
        "2021-01-31 23:10 undo blocks used 118204, steals 37, expired 0",
        "2021-01-31 23:20 undo blocks used <mark>131070</mark>, steals 912, expired 0",
    ]
    assert places(shell, "--in", "title,comment") == []
    assert places(shell, "--in", "attachments") == [f"attachment {STEAL}:2"]
    refused = shell("search", "131070", "--in", "mail")
    assert (refused.status, refused.out) == (2, "")
    assert "--in takes title, description, comments or attachments" in refused.err
    assert shell("search", "131070", "--exact", "--json", user="bob").document == []


def test_each_content_is_read_once_by_each_reader(shell: Shell, crawl: Crawl) -> None:
    crawl()
    stored = "SELECT user_id, sha256, read_at FROM ims.file_texts ORDER BY 1, 2"
    before = rows(shell, stored)
    assert before
    crawl()
    assert rows(shell, stored) == before
    files = rows(
        shell,
        "SELECT filename, text_extracted, left(extracted_text, 16), text_error FROM ims.attachments "
        "WHERE filename = %s",
        STEAL,
    )
    assert files == [(STEAL, True, "2021-01-31 23:10", None)]
    rows(shell, "UPDATE ims.file_texts SET reader = 0")
    rows(shell, "DELETE FROM ims.file_text_parts")
    assert places(shell) == []
    crawl()
    assert places(shell) == [f"attachment {STEAL}:2"]


def test_files_are_read_again_without_the_network(shell: Shell, crawl: Crawl) -> None:
    crawl()
    ((contents,),) = rows(shell, "SELECT count(*) FROM ims.file_texts")
    rows(shell, "DELETE FROM ims.file_text_parts")
    done = shell("reparse", "--attachments", "--json")
    assert done.document["files"] == contents
    assert places(shell) == [f"attachment {STEAL}:2"]
    ((path,),) = rows(shell, "SELECT file_path FROM ims.attachments WHERE filename = %s", STEAL)
    (shell.home / path).unlink()
    done = shell("reparse", "--attachments", "--json")
    assert done.status == 4
    assert f"{STEAL}: The file is not there any more" in done.err
    assert places(shell) == [f"attachment {STEAL}:2"]  # what was read stays


def test_a_file_that_was_replaced_is_read_anew(shell: Shell, crawl: Crawl) -> None:
    crawl()
    rows(shell, "INSERT INTO ims.file_texts (user_id, sha256, characters) VALUES (2, 'old', 5)")
    rows(
        shell,
        "UPDATE ims.attachments SET downloaded = false, sha256 = 'old', text_extracted = true, "
        "extracted_text = 'stale' WHERE filename = %s",
        STEAL,
    )
    assert places(shell) == []
    crawl()
    assert places(shell) == [f"attachment {STEAL}:2"]
    asked = "SELECT left(extracted_text, 10) FROM ims.attachments WHERE filename = %s"
    assert rows(shell, asked, STEAL) == [("2021-01-31",)]
    assert rows(shell, "SELECT count(*) FROM ims.file_texts WHERE sha256 = 'old'") == [(0,)]


def test_where_no_process_starts_files_are_read_the_next_time(
    shell: Shell, crawl: Crawl, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("pipeline.attachments.reader._START", "raise SystemExit(1)")
        assert crawl().document["status"] == "completed"
        assert rows(shell, "SELECT count(*) FROM ims.file_texts") == [(0,)]
    crawl()
    assert places(shell) == [f"attachment {STEAL}:2"]
