"""Progress of a crawl: bars of issues and of bytes on a terminal, and none elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from cli import progress
from pipeline.stages.counts import FileCounts, RunCounts


class Terminal(io.StringIO):
    """What stands in for one."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let standard error be one; within the test, since pytest sets it anew before."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return screen


FILES = FileCounts(files=3, bytes=3 << 20, done=1, skipped=2, failed=1, bytes_done=3 << 19)


def test_a_terminal_shows_the_bytes_of_files_beside_the_issues(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch)
    with progress.shown("desk") as observe:
        observe(RunCounts(found=4, new=2, tracker_total=4))
        assert "attached files" not in terminal.getvalue()
        observe(RunCounts(found=4, new=4, tracker_total=4, files=FILES))
    shown = terminal.getvalue()
    assert "desk" in shown
    assert "4/4" in shown
    assert "1.5/3.0 MiB" in shown
    assert "2 of 3 files, 2 left out, 1 failed" in shown


def test_where_no_terminal_is_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):
        with progress.shown("desk", quiet=quiet) as observe:
            observe(RunCounts(found=4, files=FILES))
    assert "\x1b" not in capsys.readouterr().err
