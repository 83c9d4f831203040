"""Where the output goes is no fault of the program: closed pipes, full disks, old terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.program import ROOT, Program

COMMANDS = (("--help",), ("search", "--help"), ("query", "error and crash"), ("query", "에러", "--json"))


def run(
    tmp_path: Path, arguments: tuple[str, ...], redirected: str, **variables: str
) -> tuple[int, str, str]:
    """A command with its streams redirected by a shell; the exit status is the command's own."""
    script = f'"$0" "$@" {redirected}'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, str(ROOT / "run_crawl.py"), *arguments],
        env=Program(tmp_path / "home").environment(**variables),
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_closed_pipe_ends_a_command_without_a_word(
    tmp_path: Path, arguments: tuple[str, ...], unbuffered: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_crawl.py"), *arguments],
        env=Program(tmp_path / "home").environment(PYTHONUNBUFFERED=unbuffered),
        cwd=tmp_path,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    status, _, told = run(tmp_path, arguments, "> /dev/full")
    assert (status, told.count("\n")) == (5, 1), told
    assert "No space left on device" in told


@pytest.mark.parametrize("redirected", ["2>&-", "2> /dev/full"])
def test_a_message_that_nobody_can_read_changes_nothing(tmp_path: Path, redirected: str) -> None:
    status, out, _ = run(tmp_path, ("nonesuch",), redirected)
    assert (status, out) == (2, "")


def test_without_standard_output_a_command_still_works(tmp_path: Path) -> None:
    assert run(tmp_path, ("query", "에러"), ">&-") == (0, "", "")


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "latin-1"])
def test_what_a_terminal_cannot_show_is_replaced(tmp_path: Path, encoding: str) -> None:
    status, out, told = run(tmp_path, ("query", "エラー 에러 ☃"), "", PYTHONIOENCODING=encoding)
    assert status == 0, told
    assert "?" in out


@pytest.mark.parametrize("encoding", ["ascii", "cp949"])
def test_json_loses_nothing_on_such_a_terminal(tmp_path: Path, encoding: str) -> None:
    status, out, told = run(tmp_path, ("query", "에러 ☃", "--json"), "", PYTHONIOENCODING=encoding)
    assert status == 0, told
    assert "에러 ☃" in json.loads(out)["text"]
