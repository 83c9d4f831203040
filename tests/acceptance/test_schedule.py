"""Schedules as a user keeps them, and what is said where one cannot be."""

from __future__ import annotations

import signal

import pytest

from tests.fixtures.program import Program, Tracker

pytestmark = pytest.mark.xdist_group("schedule")

LISTED = {"name", "query", "tracker", "product", "cron", "timezone", "next_run_at", "is_active"}
RAN = {"name", "session_uuid", "status", "started_at", "duration_seconds", "issues_crawled", "error"}
NIGHTLY = ("schedule", "add", "nightly", "timeout", "--tracker", "desk", "--cron", "0 2 * * *")


@pytest.fixture(scope="module")
def scheduled(ims_crawl: Program, ims_process: Tracker) -> Program:
    """The program with a tracker and a schedule."""
    account = ("--kind", "ims", "--url", ims_process.url, "--username", "kim", "--password-stdin")
    assert ims_crawl("trackers", "add", "desk", *account, stdin="kim-secret\n").status == 0
    done = ims_crawl(*NIGHTLY, "--timezone", "Asia/Seoul")
    assert done.status == 0, done.err
    assert "17:00 UTC" in done.err
    return ims_crawl


def test_it_is_listed_shown_paused_resumed_and_removed(scheduled: Program) -> None:
    (listed,) = scheduled("schedule", "list", "--json").document
    assert set(listed) == LISTED
    assert (listed["cron"], listed["timezone"], listed["is_active"]) == ("0 2 * * *", "Asia/Seoul", True)
    assert scheduled("schedule", "add", "other", "x", "--cron", "* * * * *").status == 0
    assert len(scheduled("schedule", "list", "--json", "--limit", "1").document) == 1
    assert scheduled("schedule", "pause", "other").status == 0
    assert not scheduled("schedule", "show", "other", "--json").document["is_active"]
    assert scheduled("schedule", "resume", "other").status == 0
    assert scheduled("schedule", "remove", "other").status == 0
    assert scheduled("schedule", "list", "--json", "--offset", "1").document == []


def test_it_is_run_now_and_accounted_for(scheduled: Program) -> None:
    done = scheduled("schedule", "run", "nightly", "--json")
    assert done.status == 0, done.err
    figures = done.document
    assert figures["issues_new"] == figures["total_issues_found"] > 0
    (ran,) = scheduled("runs", "nightly", "--json").document
    assert set(ran) >= RAN
    assert (ran["session_uuid"], ran["status"]) == (figures["session_uuid"], "completed")
    (statistics,) = scheduled("runs", "--statistics", "--json").document
    assert (statistics["total"], statistics["success"]) == (1, 1)
    news = scheduled("news", "nightly", "--json").document
    assert len(news) == figures["issues_new"]
    assert scheduled("receipt", ran["session_uuid"], "--json").document["complete"]


def test_a_worker_is_seen_and_stops_in_good_order(scheduled: Program) -> None:
    process = scheduled.start("worker")
    assert process.stderr is not None
    assert process.stderr.readline() == "The worker is ready.\n"
    while not (seen := scheduled("workers", "--json").document):
        assert process.poll() is None
    assert seen[0]["name"].endswith(f":{process.pid}")
    assert seen[0]["state"] == "idle"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert scheduled("workers", "--json").document == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("schedule", "add", "x", "crash", "--cron", "61 * * * *"), "no cron expression"),
        ((*NIGHTLY, "--timezone", "Mars/Olympus"), "There is no time zone"),
        (("schedule", "add", "x", "crash", "--tracker", "none", "--cron", "0 2 * * *"), "no tracker called"),
        (("runs", "none"), "no schedule called"),
        (("news", "none"), "no schedule called"),
    ],
)
def test_what_cannot_be_is_one_sentence(scheduled: Program, arguments: tuple[str, ...], words: str) -> None:
    done = scheduled(*arguments)
    assert done.status == 2
    assert words in done.sentence()


@pytest.mark.parametrize("deed", ["show", "run"])
def test_somebody_elses_schedule_does_not_exist(scheduled: Program, deed: str) -> None:
    done = scheduled("schedule", deed, "nightly", IMS_USER="stranger")
    assert done.status == 2
    assert "There is no schedule called 'nightly'" in done.sentence()


def test_without_the_key_of_the_stored_login_a_run_says_so(scheduled: Program) -> None:
    other = "hMUn5iVzU9M1m3QbYz3n0GqJkQwM0v3m3v2y9b0c1dE="
    done = scheduled("schedule", "run", "nightly", IMS_SECRET_KEY=other)
    assert done.status == 2
    assert "another key" in done.err
    assert scheduled("worker", "--once", IMS_SECRET_KEY="nonsense").status == 2
