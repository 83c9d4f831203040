"""What a crawl holds in memory does not depend on how much there is to crawl."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.memory import crawl, served

MOST = 150  # MB of each process of an ordinary crawl
MOST_OF_A_GIANT = 200  # with an issue of eight megabytes, about the largest page that is read
PROCESSES = ("coordinator", "tracker process")

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("memory")]


def test_a_thousand_issues_take_little_memory_in_each_process(tmp_path: Path) -> None:
    with served(1000, 0) as url:
        peaks = crawl(url, tmp_path)
    assert peaks["issues"] == 1000
    assert all(20 < peaks[process] < MOST for process in PROCESSES), peaks


def test_a_giant_issue_does_not_either(tmp_path: Path) -> None:
    with served(10, 1250) as url:
        peaks = crawl(url, tmp_path)
    assert peaks["issues"] == 10
    assert all(20 < peaks[process] < MOST_OF_A_GIANT for process in PROCESSES), peaks


def test_a_page_that_is_too_large_to_be_read_is_not_copied_again_and_again(tmp_path: Path) -> None:
    with served(10, 5000) as url:  # 32 MB
        peaks = crawl(url, tmp_path)
    assert peaks["issues"] == 9
    assert all(20 < peaks[process] < MOST for process in PROCESSES), peaks
