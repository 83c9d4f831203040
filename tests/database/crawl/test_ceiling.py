"""What one session may bring has an end, and what is said of an error holds no secret."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import pytest

from crawler.errors import ItemError, TooMuch, TrackerError, UsageError
from crawler.http.stats import ClientStats
from crawler.query import parse_query
from crawler.sources.ims.standin import StandIn
from db import get_session, job_queue
from pipeline.jobs.worker import serve
from pipeline.logs import keep_secret
from pipeline.sessions.ceiling import Ceiling
from pipeline.sessions.crawl_session import CrawlRequest, begin
from pipeline.sessions.ending import Ending, end
from pipeline.settings import Settings, read_settings
from pipeline.trackers.stored import NewTracker, add_tracker
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import ALICE
from tests.fixtures.workers import Yard

CANARY = "canary 4711/비밀"


@pytest.fixture
async def tracker() -> AsyncIterator[StandIn]:
    """More than is wanted."""
    async with StandIn(synthetic=300) as standin:
        yield standin


@pytest.mark.parametrize(
    ("ceiling", "words"),
    [(Ceiling(issues=50), "more than 50 issues"), (Ceiling(bytes=100_000), "more than 100,000 bytes")],
)
async def test_a_session_ends_at_its_ceiling_and_says_what_to_do(
    crawler: Crawler, tracker: StandIn, ceiling: Ceiling, words: str
) -> None:
    bounded = replace(crawler, settings=Settings(ceiling=ceiling))
    crawled = await bounded.crawl(tracker)
    assert isinstance(crawled.error, TooMuch)
    assert words in str(crawled.error)
    assert "IMS_MAX_" in str(crawled.error)
    assert crawled.outcome["status"] == "failed"
    listed = crawler.rows("SELECT count(*) FROM ims.session_frontier")[0][0]
    assert listed <= 50 + 250  # a page more at most, and what was asked for meanwhile
    assert crawled.outcome["issues_crawled"] < 300
    # The limit is one of the session, not of a run.
    again = await bounded.resume(tracker, crawled.lease.session_uuid)
    assert isinstance(again.error, TooMuch)
    done = await crawler.resume(tracker, crawled.lease.session_uuid)
    assert (done.error, done.outcome["issues_crawled"]) == (None, 300)


async def test_a_run_of_a_worker_ends_at_the_ceiling_and_is_not_tried_again(
    yard: Yard, tracker: StandIn
) -> None:
    yard.schedule(tracker.url)
    yard.make_due()
    await serve(
        replace(yard.program, settings=Settings(ceiling=Ceiling(issues=50))),
        concurrency=2,
        lease_timeout=2,
        until=lambda: not job_queue.due(1) and job_queue.unfinished(5) == 0,
    )
    assert yard.rows("SELECT status, attempts, error_type FROM ims.runs") == [("failed", 1, "TooMuch")]


def test_a_ceiling_that_is_none_is_refused() -> None:
    assert read_settings({"IMS_MAX_ISSUES": "7", "IMS_MAX_BYTES": ""}).ceiling == Ceiling(issues=7)
    for wrong in ("0", "-1", "many", "1e9", "٣", "9" * 40):
        with pytest.raises(UsageError, match="IMS_MAX_BYTES"):
            read_settings({"IMS_MAX_BYTES": wrong})


def test_an_error_that_echoes_the_password_is_stored_without_it(crawler: Crawler) -> None:
    keep_secret(CANARY)
    echoed = quote(quote(CANARY, safe=""), safe="")
    with get_session(user_id=ALICE) as session:
        new = NewTracker(name="desk", kind="ims", base_url="http://h")
        tracker_id = add_tracker(session, new, crawler.program.vault).tracker_id
    request = CrawlRequest(original="*", query=parse_query("*"))
    for error in (TrackerError(f"http://h/{echoed} is away."), ItemError(f"{CANARY} is no page.")):
        lease = begin(ALICE, tracker_id, request)
        end(lease, Ending(status="failed", seconds=1, search_seconds=1, spent=ClientStats(), error=error))
    kept = str(crawler.rows("SELECT error_message FROM ims.session_errors"))
    assert kept.count("[secret]") == 2
    assert echoed not in kept
    assert CANARY not in kept


async def test_the_largest_answer_can_be_set(crawler: Crawler) -> None:
    small = replace(crawler, settings=Settings(largest_answer=20_000))
    async with StandIn(synthetic=3) as standin:
        done = await small.crawl(standin)
        assert done.outcome["status"] == "failed"
        assert "20,000 bytes" in str(done.error) + str(done.outcome["errors"])
        assert (await crawler.crawl(standin)).outcome["issues_new"] == 3


def test_a_largest_answer_that_nobody_could_hold_is_refused() -> None:
    assert read_settings({"IMS_MAX_FILE": "1000"}).largest_answer == 1000
    with pytest.raises(UsageError, match="or less"):
        read_settings({"IMS_MAX_FILE": str(1 << 40)})
