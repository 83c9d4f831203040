"""Attached files as a crawl brings them: whole, of the size that the tracker tells, and only those wanted."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crawler.http.transfer import OVERLAP
from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.program import ROOT, Completed
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
    desk.attach(1, "file 1", b"bytes", description="now with a word")
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


def test_what_is_too_large_is_left_out_until_the_limit_is_raised(desk: Desk) -> None:
    desk.attach(1, "small.log", LOG)
    desk.attach(2, "large.log", LOG * 2)
    desk.attach(3, "untold.log", LOG * 2, filesize=None)
    done = desk.crawl("--attachments-max", "2KB")
    assert (done.status, done.document["attachments_downloaded"]) == (0, 1)
    reason = "It is larger than 2 KB."
    assert desk.rows("downloaded, download_skipped, download_error") == [
        (True, None, None),
        (False, reason, None),
        (False, reason, None),
    ]
    assert sorted(desk.asked) == ["1", "3"]  # of one it is known without asking
    receipt = desk.shell("receipt", done.document["session_uuid"], "--json").document
    assert receipt["complete"]
    assert (receipt["attachments_skipped"], receipt["attachments_missing"]) == (2, 0)
    assert receipt["attachment_reasons"] == {reason: 2}
    page = desk.shell("receipt", done.document["session_uuid"]).out
    assert "attachments  1 downloaded, 2 left out, 0 not to be had\n" in page
    assert f"             2 × {reason}\n" in page
    assert desk.crawl("--attachments-max", "1 MB").document["attachments_downloaded"] == 2
    assert [here for (here,) in desk.rows("downloaded")] == [True] * 3
    assert [why for (why,) in desk.rows("download_skipped")] == [None] * 3


def test_files_are_wanted_by_their_names(desk: Desk) -> None:
    for number, name in enumerate(("a.LOG", "b.tar.gz", "c.png", "trace.1", "no_ending"), 1):
        desk.attach(number, name, name.encode())
    done = desk.crawl("--attachments-kind", "log, .gz", "--attachments-kind", "trace*")
    assert (done.status, done.document["attachments_downloaded"]) == (0, 3)
    assert desk.rows("download_skipped")[2] == ("Its name is none of *.log, *.gz, trace*.",)
    done = desk.crawl("--attachments-not", "PNG")
    assert (done.status, done.document["attachments_downloaded"]) == (0, 1)
    assert desk.rows("download_skipped")[2] == ("Its name is one of *.png.",)


def test_a_limit_of_its_own_goes_beyond_that_of_an_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMS_MAX_FILE", "100000")
    desk.attach(1, "large.log", LOG * 100)
    assert desk.crawl().document["attachments_downloaded"] == 0
    assert desk.rows("download_skipped") == [("It is larger than 97.7 KB.",)]
    assert desk.crawl("--attachments-max", "1MB").document["attachments_downloaded"] == 1
    assert desk.stored() == {LOG * 100}


@pytest.mark.parametrize("size", ["large", "-1", "0", "20 apples", "9999999 TB", "1,2,3MB", ""])
def test_what_is_no_size_is_said(desk: Desk, size: str) -> None:
    done = desk.crawl("--attachments-max", size)
    assert (done.status, done.out) == (2, "")
    assert f"{size!r} is no size of a file" in done.err


def test_a_scheduled_run_fetches_files_within_its_limits(desk: Desk) -> None:
    desk.attach(1, "small.log", LOG)
    desk.attach(2, "large.log", LOG * 2)
    desk.attach(3, "a.png", b"png")
    shell = desk.shell
    add = ("trackers", "add", "red", "--kind", "redmine", "--url", desk.server.url, "--password-stdin")
    shell.monkeypatch.setattr("sys.stdin", io.StringIO(KEY))
    assert shell(*add).status == 0
    wanted = ("--attachments", "--attachments-max", "2KB", "--attachments-not", "png")
    assert shell("schedule", "add", "night", "*", "--cron", "0 2 * * *", *wanted).status == 0
    assert "up to 2 KB; without *.png" in shell("schedule", "show", "night").out
    done = shell("schedule", "run", "night", "--json")
    assert (done.status, done.document["attachments_downloaded"]) == (0, 1), done.err
    assert desk.rows("downloaded, download_skipped") == [
        (True, None),
        (False, "It is larger than 2 KB."),
        (False, "Its name is one of *.png."),
    ]
    assert shell("schedule", "add", "night", "*", "--cron", "0 2 * * *", "--attachments").status == 0
    done = shell("schedule", "run", "night", "--json")  # all that was left out, though nothing changed
    assert done.document["attachments_downloaded"] == 2, done.err


def test_a_killed_crawl_leaves_a_part_that_the_next_one_goes_on_with(desk: Desk) -> None:
    body = hashlib.shake_256(b"log").digest(24 << 20)
    desk.attach(1, "server.log", body)
    asked: list[str | None] = []

    def file(request: Asked) -> Reply:
        place = request.headers.get("range")
        asked.append(place)
        start = int(place.removeprefix("bytes=").removesuffix("-")) if place else 0
        told = {"etag": '"1"', "content-range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        return Reply(body[start:], 206 if start else 200, told, pause=0.0 if start else 0.1)

    desk.answer(1, file)
    command = ("crawl", "*", "--kind", "redmine", "--url", desk.server.url, "--attachments")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run_crawl.py"), *command],
        env={**os.environ, "IMS_USER": "alice"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    store = desk.shell.home / "attachments"
    until = time.monotonic() + 60
    while not list(store.glob("part.*.json")) and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert asked == [None]
    done = desk.crawl()
    assert (done.status, done.document["attachments_downloaded"]) == (0, 1), done.err
    assert int(str(asked[1]).removeprefix("bytes=").removesuffix("-")) >= (8 << 20) - OVERLAP
    assert desk.stored() == {body}


def test_a_store_that_cannot_be_written_ends_the_session_with_a_sentence(desk: Desk) -> None:
    desk.attach(1, "large.log", LOG * 10_000)
    command = ("crawl", "*", "--kind", "redmine", "--url", desk.server.url, "--attachments")
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_crawl.py"), *command],
        env={**os.environ, "IMS_USER": "alice"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert f"An attached file cannot be written to {desk.shell.home}" in done.stderr
    assert "Traceback" not in done.stderr
    assert desk.rows("downloaded") == [(False,)]
    assert desk.crawl().document["attachments_downloaded"] == 1
    assert desk.stored() == {LOG * 10_000}


def test_each_file_of_a_shared_session_is_asked_for_once(shell: Shell) -> None:
    server = RedmineStandIn(230)  # three chunks
    with server.serving():
        desk = Desk(shell, server)
        for number in (1, 115, 230):
            name, body = f"{number}.log", f"log of {number}".encode()
            server.issues[number]["attachments"] = [
                {
                    **{"id": number, "filename": name, "filesize": len(body)},
                    **{"created_on": "2026-01-01T10:00:00Z", "author": {"id": 5, "name": "Lee"}},
                }
            ]
            server.files[number] = body
        shell.monkeypatch.setattr("sys.stdin", io.StringIO(KEY))
        add = ("trackers", "add", "red", "--kind", "redmine", "--url", server.url, "--password-stdin")
        assert shell(*add).status == 0
        assert shell("schedule", "add", "night", "*", "--cron", "0 2 * * *", "--attachments").status == 0
        done = shell("schedule", "run", "night", "--json")
        assert (done.status, done.document["attachments_downloaded"]) == (0, 3), done.err
        assert sorted(desk.asked) == ["1", "115", "230"]
