"""A session over several workers, some of which are killed, sleep or are stopped on the way."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time

import pytest

from crawler.sources.ims.standin import StandIn
from db import job_queue
from pipeline.jobs.shared_session import CHUNK_SIZE as CHUNK
from tests.fixtures.database import wait_until
from tests.fixtures.program import run_standin
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.standin import ISSUE, in_a_thread
from tests.fixtures.workers import Yard

pytestmark = pytest.mark.xdist_group("workers")

ENDED = "SELECT status NOT IN ('waiting', 'running') FROM ims.runs"
WORKED_ON = "SELECT count(*) >= {} FROM ims.session_chunks WHERE state = 'working'"
ONCE = ("worker", "--lease-timeout", "2", "--once")

FOUR_CHUNKS = 3 * CHUNK + 10
TWO_CHUNKS = CHUNK + 30
SLOW = (
    0.25  # seconds for each answer: a chunk lasts until the others have one, or something is done to a worker
)


def assert_complete(yard: Yard, issues: int) -> None:
    """Every issue is there, once, and the session's own account agrees."""
    assert yard.rows("SELECT status, error FROM ims.runs") == [("completed", None)]
    assert yard.value("SELECT count(*) FROM ims.issues") == issues
    assert yard.rows("SELECT DISTINCT crawl_count FROM ims.issues") == [(1,)]
    assert yard.value("SELECT count(*) FROM ims.session_issues") == issues
    assert yard.rows("SELECT state, count(*) FROM ims.session_frontier GROUP BY 1") == [("new", issues)]
    assert yard.rows("SELECT DISTINCT state FROM ims.session_chunks") == [("done",)]
    session = "SELECT session_uuid FROM ims.crawl_sessions"
    assert yard.rows(
        f"SELECT complete, found, stored_new FROM ims.session_receipt(({session}))"  # noqa: S608
    ) == [(True, issues, issues)]
    assert yard.value("SELECT issues_new FROM ims.crawl_sessions") == issues


def slow_down(tracker: StandIn) -> None:
    """Let a tracker be slow once the workers fetch issues."""
    wait_until(lambda: tracker.requests[ISSUE] > 0, "an issue is asked for")
    tracker.latency = SLOW


def kill_holders(yard: Yard, workers: list[subprocess.Popen[str]], number: int) -> None:
    """Kill workers while every one of them holds a chunk."""
    yard.wait(WORKED_ON.format(len(workers)), "each worker has a chunk")
    for process in workers[:number]:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_with_two_of_four_workers_killed_nothing_is_lost_and_nothing_twice(yard: Yard) -> None:
    with in_a_thread(StandIn(synthetic=FOUR_CHUNKS)) as tracker:
        yard.schedule(tracker.url)
        workers = [yard.worker("--concurrency", "1") for _ in range(4)]
        yard.make_due()
        slow_down(tracker)
        kill_holders(yard, workers, 2)
        assert yard.value("SELECT count(*) FROM ims.issues") < FOUR_CHUNKS
        tracker.latency = 0.0
        yard.wait(ENDED, "the run ends")
    assert_complete(yard, FOUR_CHUNKS)
    assert yard.value("SELECT count(*) FROM ims.session_chunks WHERE attempts > 1") >= 2


def test_a_worker_that_wakes_up_late_writes_nothing(yard: Yard) -> None:
    with in_a_thread(StandIn(synthetic=TWO_CHUNKS)) as tracker:
        yard.schedule(tracker.url)
        sleeper, other = yard.worker("--concurrency", "1"), yard.worker("--concurrency", "1")
        yard.make_due()
        slow_down(tracker)
        yard.wait(WORKED_ON.format(2), "both have a chunk")
        sleeper.send_signal(signal.SIGSTOP)
        tracker.latency = 0.0
        yard.wait(ENDED, "the other one ends the run")
        before = yard.rows("SELECT issue_id, last_crawled_at FROM ims.issues ORDER BY 1")
        sleeper.send_signal(signal.SIGCONT)
        yard.wait(
            "SELECT bool_and(last_seen_at > now() - interval '1 second') FROM ims_jobs.workers", "it is awake"
        )
        sleeper.send_signal(signal.SIGTERM)
        assert sleeper.wait(20) == 0
    assert_complete(yard, TWO_CHUNKS)
    assert yard.rows("SELECT issue_id, last_crawled_at FROM ims.issues ORDER BY 1") == before
    assert yard.rows("SELECT status, count(*) FROM ims_jobs.procrastinate_jobs GROUP BY 1") == []
    assert other.poll() is None


@pytest.mark.long
def test_a_stopped_worker_leaves_the_rest_to_the_next_one(yard: Yard) -> None:
    with in_a_thread(StandIn(synthetic=TWO_CHUNKS)) as tracker:
        yard.schedule(tracker.url)
        first = yard.worker("--concurrency", "1")
        yard.make_due()
        slow_down(tracker)
        yard.wait("SELECT count(*) > 0 FROM ims.issues", "something is stored")
        first.send_signal(signal.SIGTERM)
        tracker.latency = 0.0
        assert first.wait(20) == 0
        assert yard.value("SELECT status FROM ims.runs") == "running"
        assert yard.value("SELECT count(*) FROM ims_jobs.workers") == 0
        assert yard.value("SELECT count(*) FROM ims.session_chunks WHERE state = 'working'") == 0
        second = yard.worker("--once")
        assert second.wait(40) == 0
    assert_complete(yard, TWO_CHUNKS)
    assert yard.rows("SELECT DISTINCT attempts FROM ims.session_chunks") == [(1,)]


@pytest.mark.long
def test_a_cancelled_job_goes_back_into_the_queue_and_words_on_its_channels_end_none(yard: Yard) -> None:
    with in_a_thread(StandIn(synthetic=CHUNK)) as tracker:
        yard.schedule(tracker.url, workers=1)
        yard.worker("--concurrency", "1")
        yard.make_due()
        slow_down(tracker)
        yard.wait(WORKED_ON.format(1), "a chunk is worked on")
        said = yard.rows(
            "SELECT pg_notify(channel, payload) FROM ims_jobs.procrastinate_jobs job,"
            " unnest(ARRAY['procrastinate_any_queue_v1', 'procrastinate_queue_v1#' || job.queue_name])"
            " AS channel,"
            " unnest(ARRAY[json_build_object('type', 'abort_job_requested', 'job_id', job.id)::text, 'x'])"
            " AS payload"
            " WHERE job.status = 'doing'"
        )
        assert said
        time.sleep(1.0)  # a worker that listened would have heard it
        assert yard.rows("SELECT state FROM ims.session_chunks WHERE attempts > 0") == [("working",)]
        with job_queue.application() as connection:
            connection.execute("UPDATE procrastinate_jobs SET abort_requested = true WHERE status = 'doing'")
        yard.wait("SELECT max(attempts) > 1 FROM ims.session_chunks", "it was cancelled, and is done again")
        tracker.latency = 0.0
        while not yard.value(ENDED):
            other = "SELECT status FROM ims_jobs.procrastinate_jobs WHERE status NOT IN ('todo', 'doing')"
            assert yard.rows(other) == []
            time.sleep(0.1)
    assert_complete(yard, CHUNK)


def crawl_with_a_rate(yard: Yard, number: int, *, issues: int, seconds: float) -> None:
    """Crawl with so many workers at a rate; one is killed and one stopped for good, where that leaves one."""
    with in_a_thread(StandIn(synthetic=issues)) as tracker:
        yard.schedule(tracker.url, rate=100.0, concurrency=6, workers=number)
        workers = [yard.worker() for _ in range(number)]
        yard.make_due()
        slow_down(tracker)
        yard.wait(WORKED_ON.format(min(number, issues // CHUNK)), "the workers have chunks")
        tracker.latency = 0.03
        yard.wait("SELECT count(*) > 30 FROM ims.issues", "something is stored")
        if number > 1:
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait()
        if number > 2:
            workers[1].send_signal(signal.SIGSTOP)
        yard.wait(ENDED, "the run ends", seconds)
    assert_complete(yard, issues)


def test_three_workers_with_a_rate_end_though_one_is_killed_and_one_stopped(yard: Yard) -> None:
    crawl_with_a_rate(yard, 3, issues=FOUR_CHUNKS, seconds=40)


@pytest.mark.long
@pytest.mark.parametrize("number", [2, 3, 5, 8])
def test_workers_with_a_rate_end_though_one_is_killed_and_one_stopped(yard: Yard, number: int) -> None:
    crawl_with_a_rate(yard, number, issues=1000, seconds=120)


def test_a_worker_that_does_not_stay_fails_the_run_of_a_tracker_that_is_away(yard: Yard) -> None:
    with in_a_thread(StandIn(synthetic=10)) as tracker:
        port = int(tracker.url.rpartition(":")[2])
    yard.schedule(tracker.url)
    yard.make_due()
    done = yard.run(*ONCE)
    assert done.status == 5
    ((status, error),) = yard.rows("SELECT status, error FROM ims.runs")
    assert status == "failed"
    assert error in done.err
    assert yard.value("SELECT status FROM ims.crawl_sessions") == "failed"
    with in_a_thread(StandIn(synthetic=10, port=port)):  # it is back, and nothing blocks the next run
        yard.make_due()
        assert yard.run(*ONCE).status == 0
    assert yard.rows("SELECT status FROM ims.runs ORDER BY run_id") == [("failed",), ("completed",)]


def test_a_worker_that_does_not_stay_says_that_issues_failed(yard: Yard) -> None:
    with in_a_thread(StandIn(synthetic=10)) as tracker:
        tracker.fail_next(404, times=2, path=ISSUE)
        yard.schedule(tracker.url)
        yard.make_due()
        done = yard.run(*ONCE)
    assert done.status == 4
    assert "2 issues failed" in done.err


async def test_a_worker_and_a_shell_together_never_ask_more_than_the_rate(yard: Yard) -> None:
    rate, issues = 25.0, 40
    async with StandIn(synthetic=issues) as tracker:
        yard.schedule(tracker.url, rate=rate)
        yard.schedule(tracker.url, user_id=BOB, name="mine", rate=rate)
        yard.rows("UPDATE ims.saved_searches SET is_active = false WHERE name = 'mine' RETURNING 1")
        yard.make_due()
        both = [
            yard.worker("--once"),
            yard.start("crawl", "*", "--tracker", "mine", IMS_USER="bob"),
        ]
        seen: list[tuple[float, int]] = []
        while any(process.poll() is None for process in both):
            seen.append((time.monotonic(), tracker.requests.total()))
            await asyncio.sleep(0.01)
    assert [process.returncode for process in both] == [0, 0]
    assert yard.rows("SELECT user_id, count(*) FROM ims.issues GROUP BY 1 ORDER BY 1") == [
        (ALICE, issues),
        (BOB, issues),
    ]
    for began, before in seen:
        for moment, count in seen:
            if began <= moment <= began + 1.0:
                assert count - before <= rate + 2
    busy = [moment for moment, count in seen if 10 < count < 2 * issues - 20]
    assert (2 * issues - 30) / (busy[-1] - busy[0]) > 0.6 * rate


@pytest.mark.long
def test_ten_thousand_issues_with_two_of_four_workers_killed(yard: Yard) -> None:
    with run_standin("--issues", "10000", "--latency-ms", "5") as process:
        assert process.stdout is not None
        yard.schedule(process.stdout.readline().strip(), workers=4)
        workers = [yard.worker("--concurrency", "1") for _ in range(4)]
        yard.make_due()
        kill_holders(yard, workers, 1)
        wait_until(lambda: yard.value("SELECT count(*) FROM ims.issues") > 5000, "half of it", 200)
        kill_holders(yard, workers[1:], 1)
        yard.wait(ENDED, "the run ends", 300)
        process.terminate()
    assert_complete(yard, 10000)
