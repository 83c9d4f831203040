"""Schedules and their runs: once a period whoever looks, their owner's alone, told apart when they fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from procrastinate.jobs import Status

from crawler.errors import UsageError
from crawler.http.stats import ClientStats
from crawler.sources.ims.standin import Issue, StandIn
from db import get_session, job_queue
from db.acting import acting_for
from db.crawl.chunks import hold_chunk
from db.crawl.transaction import UserTransactions
from db.errors import FenceLost
from pipeline.jobs import schedules
from pipeline.jobs.chunks import end_chunk, take_chunk
from pipeline.jobs.context import WorkerContext
from pipeline.jobs.due import take_due
from pipeline.jobs.news import list_news
from pipeline.jobs.queue import open_app
from pipeline.jobs.runs import STILL_WORKING, list_runs, statistics
from pipeline.jobs.searches import restore_lost, take_search
from pipeline.jobs.worker import serve
from pipeline.reports.receipt import receipt
from pipeline.sessions.crawl_session import take_over
from pipeline.sessions.ending import Ending, end
from pipeline.trackers.secrets import add_key, password_of
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT
from tests.fixtures.workers import Yard, hourly

LOOPBACK = "http://127.0.0.1:9"  # nobody listens there


@pytest.fixture
async def tracker() -> AsyncIterator[StandIn]:
    """Some dozens of issues."""
    async with StandIn(synthetic=120) as standin:
        yield standin


async def work(yard: Yard) -> None:
    """Let a worker do what is due, and end."""
    await serve(
        yard.program,
        concurrency=2,
        lease_timeout=2,
        until=lambda: not job_queue.due(1) and job_queue.unfinished(5) == 0,
    )


def runs(yard: Yard) -> list[dict[str, Any]]:
    with get_session(user_id=ALICE) as session:
        return list_runs(session, None, limit=100)


def look(yard: Yard) -> None:
    """What every worker does every few seconds."""
    for user_id, saved_search_id in job_queue.due(100):
        take_due(user_id, saved_search_id)


def lose(statement: str) -> None:
    """Change the queue behind everybody's back."""
    with job_queue.application() as connection:
        connection.execute(statement.encode())


def begun_run(yard: Yard) -> UUID:
    """A run of alice's whose search was begun; its session."""
    yard.schedule(LOOPBACK)
    yard.make_due()
    look(yard)
    claim = take_search(ALICE, 1, WorkerContext(yard.program, 2))
    assert claim is not None
    return claim.lease.session_uuid


def test_many_workers_that_look_at_once_make_one_run(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    yard.make_due()
    ((_, schedule),) = job_queue.due(10)
    with ThreadPoolExecutor(8) as pool:  # all have seen that it is due
        list(pool.map(lambda _: take_due(ALICE, schedule), range(16)))
    assert [run["status"] for run in runs(yard)] == ["waiting"]
    assert yard.rows("SELECT queue_name, task_name, args FROM ims_jobs.procrastinate_jobs") == [
        ("crawl", "search", {"user_id": ALICE, "run_id": 1})
    ]
    assert yard.value("SELECT next_run_at > now() FROM ims.saved_searches")


def test_what_was_missed_is_caught_up_once(yard: Yard) -> None:
    yard.schedule(LOOPBACK, cron=hourly())
    yard.make_due("3 days")
    for _ in range(3):
        look(yard)
    assert len(runs(yard)) == 1
    assert yard.value(
        "SELECT next_run_at BETWEEN now() AND now() + interval '1 hour' FROM ims.saved_searches"
    )


def test_a_run_that_is_due_while_the_last_one_works_is_skipped_and_said_so(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    for _ in range(2):
        yard.make_due()
        look(yard)
    skipped, working = runs(yard)
    assert (skipped["status"], skipped["error"]) == ("skipped", STILL_WORKING)
    assert working["status"] == "waiting"
    assert yard.value("SELECT count(*) FROM ims_jobs.procrastinate_jobs") == 1


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM procrastinate_jobs",
        "UPDATE procrastinate_jobs SET status = 'aborted'",
        "UPDATE procrastinate_jobs SET status = 'failed'",
    ],
)
async def test_a_run_that_lost_its_job_is_done_all_the_same(yard: Yard, tracker: StandIn, loss: str) -> None:
    yard.schedule(tracker.url)
    yard.make_due()
    look(yard)
    assert job_queue.lost(10, silence=60) == []
    lose(loss)
    await serve(
        yard.program,
        concurrency=2,
        lease_timeout=2,
        until=lambda: not job_queue.lost(1, silence=60) and job_queue.unfinished(5) == 0,
    )
    assert [(run["status"], run["issues_crawled"]) for run in runs(yard)] == [("completed", 120)]


def test_the_chunks_of_a_run_are_put_back_and_not_while_somebody_works_on_them(yard: Yard) -> None:
    session_uuid = begun_run(yard)
    lose("DELETE FROM procrastinate_jobs")
    take_over(ALICE, session_uuid)  # in a shell, a moment ago
    assert job_queue.lost(10, silence=60) == []
    yard.rows(
        "UPDATE ims.crawl_sessions SET search_done = true, heartbeat_at = now() - interval '2 minutes'"
        " RETURNING 1"
    )
    yard.rows(
        "INSERT INTO ims.session_chunks (session_id, user_id, chunk_number, first_position, last_position)"
        " SELECT session_id, user_id, n, n, n FROM ims.crawl_sessions, generate_series(1, 2) n RETURNING 1"
    )
    assert job_queue.lost(10, silence=60) == [(ALICE, 1)]
    restore_lost(ALICE, 1)
    assert job_queue.lost(10, silence=60) == []
    jobs = "SELECT task_name, args ->> 'chunk_number' FROM ims_jobs.procrastinate_jobs ORDER BY id"
    assert yard.rows(jobs) == [("chunk", "1"), ("chunk", "2")]


@pytest.mark.parametrize("ended", ["completed", "running"])
def test_a_lost_run_with_nothing_left_to_do_is_over(yard: Yard, ended: str) -> None:
    begun_run(yard)
    lose("DELETE FROM procrastinate_jobs")
    yard.rows(
        "UPDATE ims.crawl_sessions SET search_done = true, status = %s,"
        " started_at = now() - interval '1 hour', heartbeat_at = NULL RETURNING 1",
        ended,
    )
    assert job_queue.lost(10, silence=60) == [(ALICE, 1)]
    restore_lost(ALICE, 1)
    assert job_queue.lost(10, silence=60) == []
    assert [run["status"] for run in runs(yard)] == ["completed" if ended == "completed" else "interrupted"]
    yard.make_due()
    look(yard)
    assert runs(yard)[0]["status"] == "waiting"


def test_a_user_with_many_lost_runs_keeps_nobodys_from_being_seen(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    yard.schedule(LOOPBACK, user_id=BOB, name="mine")
    yard.rows(
        "INSERT INTO ims.runs (user_id, saved_search_id, due_at)"
        " SELECT user_id, saved_search_id, now() - n * interval '1 day'"
        " FROM ims.saved_searches, generate_series(1, CASE name WHEN 'mine' THEN 50 ELSE 1 END) n RETURNING 1"
    )
    assert {user_id for user_id, _ in job_queue.lost(4, silence=60)} == {ALICE, BOB}


def test_a_paused_schedule_is_not_due_and_what_it_missed_is_not_caught_up(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    with get_session(user_id=ALICE) as session:
        schedules.pause(session, "nightly")
    yard.make_due()
    look(yard)
    with get_session(user_id=ALICE) as session:
        schedules.resume(session, "nightly")
    look(yard)
    assert runs(yard) == []


def test_a_cron_that_was_made_unreadable_by_hand_rests_and_says_why(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    yard.rows("UPDATE ims.saved_searches SET cron = 'every night' RETURNING 1")
    yard.make_due()
    look(yard)
    (run,) = runs(yard)
    assert run["status"] == "failed"
    assert "no cron expression" in run["error"]
    assert job_queue.due(100) == []


def test_a_disabled_users_schedules_are_not_due(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    yard.make_due()
    assert len(job_queue.due(100)) == 1
    yard.rows("UPDATE ims.users SET is_active = false WHERE username = 'alice' RETURNING 1")
    assert job_queue.due(100) == []


async def test_only_the_worker_that_has_a_job_can_end_it(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    yard.make_due()
    look(yard)
    async with open_app(yard.program.conninfo).open_async() as app:
        jobs = app.job_manager
        sleeper, other = await jobs.register_worker(), await jobs.register_worker()
        slept_over = await jobs.fetch_job(queues=None, worker_id=sleeper)
        assert slept_over is not None
        assert job_queue.take_stalled_back(30) == 0
        silent = "UPDATE ims_jobs.procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
        yard.rows(f"{silent} RETURNING 1")
        assert job_queue.take_stalled_back(30) == 1
        held = await jobs.fetch_job(queues=None, worker_id=other)
        await jobs.finish_job(slept_over, Status.SUCCEEDED, True)
        await jobs.retry_job(slept_over)
        state = "SELECT status, worker_id FROM ims_jobs.procrastinate_jobs"
        assert yard.rows(state) == [("doing", other)]
        assert held is not None
        await jobs.finish_job(held, Status.SUCCEEDED, True)
        assert yard.rows(state) == []


async def test_a_shell_that_resumes_a_shared_session_has_it_alone(yard: Yard, tracker: StandIn) -> None:
    yard.schedule(tracker.url)
    yard.make_due()
    await work(yard)
    yard.rows("UPDATE ims.runs SET status = 'running', ended_at = NULL RETURNING 1")
    yard.rows("UPDATE ims.session_chunks SET state = 'waiting' WHERE chunk_number = 1 RETURNING 1")
    (uuid,) = yard.rows("UPDATE ims.crawl_sessions SET status = 'running' RETURNING session_uuid")[0]
    program = yard.program
    context = WorkerContext(program, 2)
    claim = take_chunk(ALICE, 1, 1, context)
    assert claim is not None
    hold = partial(hold_chunk, session_id=1, chunk_number=1, fence=claim.fence)
    async with UserTransactions(program.conninfo, ALICE) as transactions:
        await transactions.run(claim.beat)
        await transactions.run(hold)
        lease = take_over(ALICE, uuid)
        for write in (claim.beat, hold):
            with pytest.raises(FenceLost):
                await transactions.run(write)
    with pytest.raises(FenceLost):
        end_chunk(claim, spent=ClientStats())
    assert take_chunk(ALICE, 1, 1, context) is None
    ending = Ending(status="interrupted", seconds=1, search_seconds=0, spent=ClientStats())
    end(lease, ending)
    yard.make_due()
    look(yard)  # settles the run, whose session has ended
    assert [run["status"] for run in runs(yard)] == ["waiting", "interrupted"]


async def test_who_lost_a_chunk_learns_it_while_the_tracker_keeps_silent(
    yard: Yard, tracker: StandIn
) -> None:
    yard.schedule(tracker.url)
    yard.make_due()
    await work(yard)
    yard.rows("UPDATE ims.session_frontier SET state = 'pending' RETURNING 1")
    yard.rows("UPDATE ims.session_chunks SET state = 'waiting' WHERE chunk_number = 1 RETURNING 1")
    yard.rows("UPDATE ims.crawl_sessions SET status = 'running' RETURNING 1")
    context = WorkerContext(yard.program, 0.6)
    claim = take_chunk(ALICE, 1, 1, context)
    assert claim is not None
    heartbeat = "SELECT heartbeat_at FROM ims.session_chunks WHERE chunk_number = 1"
    taken = yard.value(heartbeat)
    tracker.latency = 60
    working = asyncio.create_task(context.conductor.work_on(claim))
    async with asyncio.timeout(20):
        while yard.value(heartbeat) == taken:  # noqa: ASYNC110 - no news come
            await asyncio.sleep(0.05)
        yard.rows("UPDATE ims.session_chunks SET fence = fence + 1 WHERE chunk_number = 1 RETURNING 1")
        with pytest.raises(FenceLost):
            await working


def test_somebody_elses_schedule_does_not_exist(yard: Yard) -> None:
    yard.schedule(LOOPBACK)
    for user_id in (BOB, ROOT, ANA):
        with get_session(user_id=user_id) as session:
            assert schedules.list_schedules(session, limit=10) == []
            for deed in (schedules.pause, schedules.resume, schedules.remove, schedules.find_schedule):
                with pytest.raises(UsageError, match="There is no schedule called 'nightly'"):
                    deed(session, "nightly")
    assert yard.value("SELECT is_active FROM ims.saved_searches")


async def test_two_users_runs_are_each_done_with_their_own_account_and_rows(
    yard: Yard, tracker: StandIn
) -> None:
    yard.schedule(tracker.url)
    yard.schedule(tracker.url, user_id=BOB, name="mine")
    yard.make_due()
    await work(yard)
    owners = "SELECT user_id, count(*) FROM ims.{} GROUP BY 1 ORDER BY 1"
    assert yard.rows(owners.format("issues")) == [(ALICE, 120), (BOB, 120)]
    assert yard.rows(owners.format("runs")) == [(ALICE, 1), (BOB, 1)]
    assert [run["name"] for run in runs(yard)] == ["nightly"]
    assert yard.rows("SELECT DISTINCT status FROM ims.runs") == [("completed",)]


async def test_the_next_run_is_incremental_and_tells_what_is_new(yard: Yard, tracker: StandIn) -> None:
    yard.schedule(tracker.url)
    for _ in range(2):
        yard.make_due()
        await work(yard)
    second, first = runs(yard)
    assert (first["issues_new"], second["issues_new"]) == (120, 0)
    assert second["status"] == "completed"
    assert yard.rows("SELECT since IS NULL, issues_unchanged FROM ims.crawl_sessions ORDER BY session_id")[
        0
    ] == (
        True,
        0,
    )
    assert yard.value(
        "SELECT metadata ->> 'since_last' FROM ims.crawl_sessions ORDER BY session_id DESC LIMIT 1"
    )
    with acting_for(ALICE) as acting:
        assert list_news(acting, "nightly", limit=10) == []
    with get_session(user_id=ALICE) as session:
        (figures,) = statistics(session, "nightly")
    assert (figures["total"], figures["success"], figures["failed"]) == (2, 2, 0)
    assert 0 < figures["avg_duration_seconds"] <= figures["p95_duration_seconds"]
    yard.rows(
        "UPDATE ims.issues SET content_hash = '\\x00', title = 'old' WHERE issue_id = '400007' RETURNING 1"
    )
    yard.rows(
        "DELETE FROM ims.raw_pages WHERE issue_id = '400007' RETURNING 1"
    )  # else it is known to be the same
    yard.rows("DELETE FROM ims.issues WHERE issue_id = '400008' RETURNING 1")
    yard.make_due()
    await work(yard)
    with acting_for(ALICE) as acting:
        news = {row["issue_id"]: row["change"] for row in list_news(acting, None, limit=10)}
    assert news == {"400007": "changed", "400008": "new"}


async def test_a_refused_login_is_tried_once_and_the_next_run_waits_longer(
    yard: Yard, tracker: StandIn
) -> None:
    yard.schedule(tracker.url, cron="* * * * *")
    with get_session(user_id=ALICE) as session:
        row = schedules.find_schedule(session, "nightly")
        assert row.tracker is not None
        purpose = password_of(ALICE, row.tracker.tracker_id, row.tracker.base_url)
        row.tracker.secret = yard.program.vault.seal("wrong", purpose)
    waits = []
    for failures in (1, 2, 3):
        yard.make_due()
        await work(yard)
        assert yard.value("SELECT failures FROM ims.saved_searches") == failures
        waits.append(
            yard.value("SELECT extract(epoch FROM next_run_at - now())::float FROM ims.saved_searches")
        )
    assert waits == [pytest.approx(300, abs=5), pytest.approx(600, abs=5), pytest.approx(1200, abs=5)]
    ran = [run for run in runs(yard) if run["error"] != STILL_WORKING]  # a minute may begin while one works
    assert [(run["status"], run["attempts"]) for run in ran] == [("failed", 1)] * 3
    assert all("refused" in run["error"] for run in ran)
    assert sum("login" in path for path in tracker.requests) <= 2
    assert yard.rows("SELECT DISTINCT status FROM ims.crawl_sessions") == [("failed",)]


async def test_a_worker_without_the_key_says_so_in_the_run(yard: Yard, tracker: StandIn) -> None:
    yard.schedule(tracker.url)
    (yard.home / "secret.key").unlink()
    add_key(yard.home)
    yard.make_due()
    await work(yard)
    (run,) = runs(yard)
    assert run["status"] == "failed"
    assert "another key" in run["error"]
    assert tracker.requests == {}


async def test_a_poisoned_job_stops_nobody(yard: Yard, tracker: StandIn) -> None:
    yard.schedule(tracker.url)
    with yard.database.superuser() as connection:
        connection.execute("SET search_path = ims_jobs")
        for task, args in (
            ("unheard-of", {}),
            ("search", {"no": "such argument"}),
            ("search", {"user_id": 10**9, "run_id": "x"}),
            ("chunk", {"user_id": ALICE, "session_id": 77, "chunk_number": 1}),
            ("tell", {"user_id": ALICE, "run_id": 77}),
        ):
            connection.execute(
                "INSERT INTO ims_jobs.procrastinate_jobs (queue_name, task_name, args) "
                "VALUES ('crawl', %s, %s)",
                (task, json.dumps(args)),
            )
    yard.rows("UPDATE ims.saved_searches SET options = '{}', query = 'a ''' RETURNING 1")
    yard.make_due()
    yard.schedule(tracker.url, user_id=BOB, name="mine")
    yard.make_due()
    await work(yard)
    assert yard.rows("SELECT user_id, status FROM ims.runs ORDER BY 1") == [
        (ALICE, "failed"),
        (BOB, "completed"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook": "file:///etc/passwd"},
        {"webhook": "http://me:pw@h/"},
        {"webhook": "http://[::1/"},
        {"webhook": "https:javascript:alert(1)"},
        {"notify": "cat >> x"},
        {"notify": "/usr/bin/touch"},
        {"notify": " "},
        {"cron": "x"},
    ],
)
def test_what_cannot_be_is_not_kept(yard: Yard, changed: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        yard.schedule(LOOPBACK, **changed)
    assert yard.value("SELECT count(*) FROM ims.saved_searches") == 0


async def test_a_related_issue_that_is_called_otherwise_is_no_news_of_this_one(yard: Yard) -> None:
    plain = Issue(
        number=1000, title="It crashes", product="Tibero", status="Open", registered=datetime(2024, 5, 1, 12)
    )
    issues = [replace(plain, number=n, related=() if n == 1000 else (1000,)) for n in (1000, 1001, 1002)]
    async with StandIn(issues=issues) as tracker:
        yard.schedule(tracker.url)
        for title in ("It crashes", "It crashes at night"):
            tracker.edit_issue(1000, title=title)
            yard.make_due()
            await work(yard)
    with acting_for(ALICE) as connection:
        news = list_news(connection, "nightly", limit=10)
    assert [(new["issue_id"], new["change"]) for new in news] == [("1000", "changed")]
    newest = yard.value("SELECT session_uuid FROM ims.crawl_sessions ORDER BY session_id DESC LIMIT 1")
    told = receipt(ALICE, newest)
    assert told["complete"]
    assert (told["stored_new"], told["stored_changed"], told["unchanged"]) == (0, 1, 2)
    titles = "SELECT title FROM ims.issue_relations WHERE related_issue_id = '1000'"
    assert yard.rows(titles) == [("It crashes at night",)] * 2
