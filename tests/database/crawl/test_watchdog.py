"""A session in which nothing moves says what it waits for, and goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import monotonic

import psycopg
import pytest
from structlog.testing import capture_logs

from crawler.sources.ims.standin import StandIn
from db.crawl.host_lease import HostLease
from pipeline.sessions import watchdog, whole_session
from pipeline.sessions.listing import list_sessions
from tests.fixtures.crawl import Crawled, Crawler
from tests.fixtures.database import libpq_url


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute takes a fraction of a second."""
    monkeypatch.setattr(watchdog, "QUIET", 0.4)
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(whole_session, "HEARTBEAT", timedelta(seconds=0.1))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the crawl does."""
    deadline = monotonic() + 20
    while not condition():
        assert monotonic() < deadline
        await asyncio.sleep(0.05)


def told(crawler: Crawler) -> str:
    return "".join(row["waits_for"] or "" for row in list_sessions(crawler.user_id, limit=1))


@asynccontextmanager
async def crawling(crawler: Crawler, standin: StandIn) -> AsyncIterator[asyncio.Task[Crawled]]:
    task = asyncio.create_task(crawler.crawl(standin))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_tracker_that_does_not_answer(crawler: Crawler) -> None:
    async with StandIn(synthetic=4, latency=1.5) as standin, crawling(crawler, standin) as task:
        with capture_logs() as lines:
            await until(lambda: "an answer of the tracker" in told(crawler))
        assert any(line["event"] == "nothing moves" for line in lines)
        standin.latency = 0
        done = await task
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", 4)
    assert told(crawler) == ""


async def test_a_host_whose_turns_others_have(crawler: Crawler) -> None:
    async with StandIn(synthetic=4) as standin:
        host = standin.url.removeprefix("http://").split("/")[0]
        other = HostLease(
            libpq_url(crawler.database.app_url), host=host, party="other", concurrency=1, rate=None
        )
        await other.renew(active=1, wanted=0, pause=0)

        async def hold() -> None:
            while True:
                await asyncio.sleep(0.5)
                await other.renew(active=1, wanted=0, pause=0)

        holding = asyncio.create_task(hold())
        async with crawling(crawler, standin) as task:
            await until(lambda: "its turn at the tracker's host" in told(crawler))
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            await other.end()
            done = await task
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", 4)
    assert told(crawler) == ""


async def test_a_database_that_is_locked(crawler: Crawler) -> None:
    async with StandIn(synthetic=4) as standin:
        with psycopg.connect(libpq_url(crawler.database.superuser_url)) as locking:
            locking.execute("LOCK TABLE ims.issue_comments IN ACCESS EXCLUSIVE MODE")
            async with crawling(crawler, standin) as task:
                await until(lambda: "the database" in told(crawler))
                locking.rollback()
                done = await task
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", 4)
    assert told(crawler) == ""


async def test_a_pause_that_the_tracker_asked_for_is_waited_for_however_long_it_is(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "QUIET", 0.2)
    monkeypatch.setattr(watchdog, "GIVE_UP", 0.5)
    async with StandIn(synthetic=4) as standin:
        standin.fail_next(429, retry_after=4, path="/tody/ims/issue/issueView.do")
        async with crawling(crawler, standin) as task:
            await until(lambda: "a pause that the tracker asked for" in told(crawler))
            done = await task
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", 4)


async def test_a_session_that_stands_still_for_too_long_ends_and_can_be_resumed(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "GIVE_UP", 1.0)
    async with StandIn(synthetic=4, latency=3.0) as standin:
        done = await crawler.crawl(standin)
        assert done.outcome["status"] == "failed"
        assert "minutes while waiting for the answer to a login" in str(done.error)
        standin.latency = 0
        resumed = await crawler.resume(standin, done.lease.session_uuid)
    assert (resumed.outcome["status"], resumed.outcome["issues_new"]) == ("completed", 4)
