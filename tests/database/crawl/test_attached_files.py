"""Attached files as a crawl brings them: whole, of the size that the tracker tells, and only those wanted."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.program import Completed
from tests.fixtures.shell import Shell
from tests.trackers.redmine.standin import KEY, RedmineStandIn

LOG = b"ORA-00600: internal error code\n" * 50
PACKED = gzip.compress(LOG, mtime=0)


class Desk:
    """A Redmine with one issue, and its user."""

    def __init__(self, shell: Shell, server: RedmineStandIn) -> None:
        self.shell, self.server = shell, server
        self.changes = 0
        shell.monkeypatch.setenv("IMS_TRACKER_PASSWORD", KEY)

    def attach(self, number: int, name: str, body: bytes, **other: Any) -> None:
        """Attach a file, or replace it; the issue is changed by it."""
        files = self.server.issues[1]["attachments"]
        files[:] = [each for each in files if each["id"] != number]
        told = {"id": number, "filename": name, "filesize": len(body), "created_on": "2026-01-01T10:00:00Z"}
        files.append({**told, "author": {"id": 5, "name": "Lee"}, **other})
        self.server.files[number] = body
        self.changes += 1
        self.server.issues[1]["updated_on"] = f"2026-03-01T10:{self.changes:02}:00Z"

    def answer(self, number: int, answer: Callable[[Asked], Reply | None]) -> None:
        """Answer in a way of the test's own when this file is asked for."""
        place = f"/attachments/download/{number}/"
        self.server.before.append(lambda asked: answer(asked) if asked.path.startswith(place) else None)

    def crawl(self, *options: str) -> Completed:
        address = ("--kind", "redmine", "--url", self.server.url)
        return self.shell("crawl", "*", *address, "--attachments", "--json", *options)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        with self.shell.database.superuser() as connection:
            query = f"SELECT {columns} FROM ims.attachments ORDER BY source_key"  # noqa: S608 - our own words
            return connection.execute(query.encode()).fetchall()

    def stored(self) -> set[bytes]:
        """Everything that is in the store."""
        files = (self.shell.home / "attachments").rglob("*")
        return {path.read_bytes() for path in files if path.is_file()}

    @property
    def asked(self) -> list[str]:
        """Which files were asked for, since the last look."""
        paths = [each.path for each in self.server.asked if each.path.startswith("/attachments/")]
        self.server.asked.clear()
        return [path.split("/")[3] for path in paths]


@pytest.fixture
def desk(shell: Shell) -> Iterator[Desk]:
    server = RedmineStandIn(1)
    with server.serving():
        yield Desk(shell, server)


def test_the_type_that_nobody_told_is_that_of_the_answer(desk: Desk) -> None:
    for number, told, answered in (
        (1, None, "text/X-Diff; charset=KOI8-R"),
        (2, "image/png", "text/html"),
        (3, None, "application/x-zip-compressed"),
        (4, None, "no type"),
        (5, None, "x-unknown/" + "y" * 500),
    ):
        desk.attach(number, f"file {number}", b"bytes", **({"content_type": told} if told else {}))
        desk.answer(number, lambda _, kind=answered: Reply(b"bytes", headers={"content-type": kind}))
    assert desk.crawl().status == 0
    kinds = ["text/x-patch", "image/png", "application/zip", None, None]
    assert [kind for (kind,) in desk.rows("file_type")] == kinds
    desk.attach(6, "another", b"more")
    assert desk.crawl().status == 0
    assert [kind for (kind,) in desk.rows("file_type")][:5] == kinds  # what was found out stays
    assert desk.asked[-1:] == ["6"]


def test_a_packed_file_is_kept_as_the_tracker_tells_of_it(desk: Desk) -> None:
    desk.attach(1, "doc.tar.gz", PACKED)
    desk.answer(1, lambda _: Reply(PACKED, headers={"content-encoding": "gzip"}))
    assert desk.crawl().status == 0
    assert desk.rows("sha256, file_size") == [(hashlib.sha256(PACKED).hexdigest(), len(PACKED))]
    assert desk.stored() == {PACKED}
    (file,) = (each for each in desk.server.asked if each.path.startswith("/attachments/"))
    assert file.headers["accept-encoding"] == "identity"


def test_a_file_of_another_size_is_asked_for_once_more_and_then_not_believed(desk: Desk) -> None:
    desk.attach(1, "short.log", LOG)
    desk.attach(2, "mended.log", LOG)
    desk.answer(1, lambda _: Reply(LOG[:-1]))
    answers = [Reply(b"busy"), Reply(LOG)]
    desk.answer(2, lambda _: answers.pop(0))
    done = desk.crawl()
    assert (done.status, done.document["attachments_downloaded"]) == (4, 1)
    (warning,) = done.document["errors"]
    told = f"It has {len(LOG) - 1:,} bytes, and the tracker tells of {len(LOG):,}."
    assert (warning["severity"], warning["message"]) == (
        "warning",
        f"The attachment 'short.log' was not fetched: {told}",
    )
    assert desk.rows("downloaded, download_error, file_size, announced_size") == [
        (False, told, len(LOG), len(LOG)),
        (True, None, len(LOG), len(LOG)),
    ]
    assert sorted(desk.asked) == ["1", "1", "2", "2"]
    assert desk.stored() == {LOG}


def test_a_replaced_file_is_fetched_again_and_others_are_not(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.attach(number, f"{number}.log", LOG)
    assert desk.crawl().status == 0
    assert sorted(desk.asked) == ["1", "2", "3"]
    desk.attach(1, "1.log", LOG + b"more")
    desk.attach(2, "2.log", LOG[::-1], created_on="2026-02-01T10:00:00Z")
    desk.attach(3, "3.log", LOG, description="another word")
    assert desk.crawl().status == 0
    assert sorted(desk.asked) == ["1", "2"]
    hashes = [hashlib.sha256(body).hexdigest() for body in (LOG + b"more", LOG[::-1], LOG)]
    assert desk.rows("sha256") == [(each,) for each in hashes]


def test_a_login_page_in_place_of_a_file_is_not_kept(desk: Desk) -> None:
    desk.attach(1, "a.log", LOG)
    desk.answer(1, lambda _: Reply(b"", 302, {"location": "/login"}))
    done = desk.crawl()
    assert done.status == 4
    assert "only to those who log in" in desk.rows("download_error")[0][0]
    assert desk.stored() == set()
