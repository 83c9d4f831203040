"""What a crawl holds in memory does not depend on how much there is to crawl."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.memory import SCRIPTS, crawl, peaks_of, served

MOST = 150  # MB of each process
PROCESSES = ("coordinator", "tracker process")

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("memory")]


def test_a_thousand_issues_take_little_memory_in_each_process(tmp_path: Path) -> None:
    with served(1000, 0) as url:
        peaks = crawl(url, tmp_path)
    assert peaks["issues"] == 1000
    assert all(20 < peaks[process] < MOST for process in PROCESSES), peaks


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_giant_issue_does_not_either(tmp_path: Path, script: str) -> None:
    with served(10, 5000, script) as url:  # 32 MB
        peaks = crawl(url, tmp_path)
    assert peaks["issues"] == 10
    assert all(20 < peaks[process] < MOST for process in PROCESSES), peaks
    again = peaks_of("reparse", "--json", home=tmp_path)
    assert again["issues"] == 10
    assert all(20 < again[process] < MOST for process in PROCESSES), again
