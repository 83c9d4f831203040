"""The supervisor bounds the server's log, remembers why the server ended, and tells how its start goes."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from db.embedded.supervisor import Log, report_start
from tests.fixtures.database import wait_until


def follow(log: Log, *chunks: bytes) -> None:
    reading, writing = os.pipe()
    follower = threading.Thread(target=log.follow, args=(reading,))
    follower.start()
    for chunk in chunks:
        os.write(writing, chunk)
    os.close(writing)
    follower.join()
    os.close(reading)


def test_two_files_together_never_grow_past_twice_the_limit(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"), 10_000)
    follow(log, *(b"%04d %s\n" % (number, b"x" * 94) for number in range(1000)))
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert files.keys() == {"log", "log.1"}
    assert all(0 < len(content) <= 10_000 for content in files.values())
    assert files["log"].splitlines()[-1].startswith(b"0999 ")


def test_a_log_that_is_there_is_continued(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("old\n")
    follow(Log(str(tmp_path / "log"), 100), b"new\n")
    assert (tmp_path / "log").read_text() == "old\nnew\n"


def test_the_reason_is_the_last_fatal_line_else_the_last_line(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "log"), 1000)
    assert log.reason() == "it said nothing"
    follow(log, b"2026-01-01 [1] LOG:  starting\n")
    assert log.reason() == "2026-01-01 [1] LOG:  starting"
    follow(log, b"2026-01-01 [1] FATAL:  no such thing\n2026-01-01 [1] LOG:  shut down\n")
    assert log.reason() == "no such thing"


def test_a_long_start_is_reported_until_the_server_is_ready(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text("99\n/data\n0\n5432\n/socket\n\n0 0\nready   \n")  # an earlier server's
    reporter = threading.Thread(target=report_start, args=(str(tmp_path), 42, 0.01))
    reporter.start()
    told: list[str] = []

    def says_enough() -> bool:
        told.extend(capfd.readouterr().out.splitlines())
        return len(told) >= 3

    wait_until(says_enough, "it says something")
    pid_file.write_text("42\n/data\n0\n5432\n/socket\n\n0 0\nready   \n")
    reporter.join(timeout=10)
    states = [json.loads(line)["state"] for line in (*told, *capfd.readouterr().out.splitlines())]
    assert states[-1] == "ready"
    assert set(states[:-1]) == {"starting"}
