"""A tracker whose layout changes: a field that everybody filled is suddenly on no page any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crawler.errors import LayoutChanged
from crawler.sources.ims.standin import Issue, StandIn
from crawler.sources.ims.standin.messages import Answer, Request
from tests.database.crawl.test_session_receipt import issue
from tests.fixtures.crawl import Crawler

STORED = "SELECT issue_id, title, priority, xmin::text FROM ims.issues ORDER BY issue_id"


class Redesigned(StandIn):
    """A tracker that writes one word of its issue pages differently, once it was redesigned."""

    word: tuple[bytes, bytes] | None = None
    former = 0  # so many pages still come as they were
    pages = 0

    def _answer(self, request: Request) -> Answer:
        answer = super()._answer(request)
        if "issueView" not in request.path:
            return answer
        self.pages += 1
        if self.word is None or self.pages <= self.former:
            return answer
        return replace(answer, body=answer.body.replace(*self.word))


def issues(number: int = 60, **fields: str) -> list[Issue]:
    return [issue(1000 + i, fields={"Priority": "High", "Module": "engine", **fields}) for i in range(number)]


async def test_a_renamed_header_stops_the_session_and_nothing_is_stored(crawler: Crawler) -> None:
    async with Redesigned(issues=issues()) as standin:
        await crawler.crawl(standin)
        before = crawler.rows(STORED)
        standin.word = (b">Priority<", b">Importance<")
        crawled = await crawler.crawl(standin)
        assert isinstance(crawled.error, LayoutChanged)
        sentence = str(crawled.error)
        assert "The field priority says something in 100% of the stored issues" in sentence
        assert f"{standin.url}/tody/ims/issue/issueView.do?issueId=10" in sentence
        assert crawled.outcome["status"] == "failed"
        assert [error["error_type"] for error in crawled.outcome["errors"]] == ["LayoutChanged"]
        assert crawler.rows(STORED) == before
        pending = "SELECT count(*) FROM ims.session_frontier WHERE session_id = %s AND state = 'pending'"
        assert crawler.value(pending, crawled.lease.session_id) == 60
        # The parser may be mended, or the tracker may think better of it: the session goes on.
        standin.word = None
        resumed = await crawler.resume(standin, crawled.lease.session_uuid)
    assert (resumed.error, resumed.outcome["status"]) == (None, "completed")
    assert resumed.outcome["issues_unchanged"] == 60


async def test_comments_that_are_on_no_page_any_more_are_not_taken_away(crawler: Crawler) -> None:
    async with Redesigned(issues=issues()) as standin:
        await crawler.crawl(standin)
        standin.word = (b'id="CommentsDiv"', b'id="Talk"')
        for number in range(1000, 1060):
            standin.edit_issue(number, removed_comments=[1])
        crawled = await crawler.crawl(standin)
    assert isinstance(crawled.error, LayoutChanged)
    assert "field comments" in str(crawled.error)
    assert crawler.value("SELECT count(*) FROM ims.issue_comments WHERE removed_at IS NULL") == 60


async def test_who_knows_better_goes_on(crawler: Crawler) -> None:
    async with Redesigned(issues=issues()) as standin:
        await crawler.crawl(standin)
        standin.word = (b">Priority<", b">Importance<")
        crawled = await crawler.crawl(standin, allow_empty=("priority",))
    assert crawled.error is None
    assert crawled.outcome["issues_changed"] == 60


async def test_a_slow_trackers_small_batches_wait_until_they_can_be_judged(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.stages.batch_policy.BATCH_SECONDS", 0.01)
    async with Redesigned(issues=issues()) as standin:
        await crawler.crawl(standin)
        before = crawler.rows(STORED)
        standin.word = (b">Priority<", b">Importance<")
        standin.latency = 0.005
        crawled = await crawler.crawl(standin, workers=1)
    assert isinstance(crawled.error, LayoutChanged)
    assert crawler.rows(STORED) == before


@pytest.mark.parametrize(
    ("stored", "redesigned"),
    [
        ({"number": 40}, {}),  # too few are known
        ({"Priority": ""}, {}),  # it never said anything
        ({}, {"max_results": 19}),  # too few are read
    ],
)
async def test_what_proves_nothing_stops_nothing(
    crawler: Crawler, stored: dict[str, Any], redesigned: dict[str, Any]
) -> None:
    async with Redesigned(issues=issues(**stored)) as standin:
        await crawler.crawl(standin)
        standin.word = (b">Priority<", b">Importance<")
        crawled = await crawler.crawl(standin, **redesigned)
    assert crawled.error is None
    assert crawled.outcome["status"] == "completed"


async def test_a_layout_that_changes_during_the_first_crawl_is_noticed(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.stages.batch_policy.BATCH_ISSUES", 25)
    async with Redesigned(issues=issues(200)) as standin:
        standin.word, standin.former = (b">Priority<", b">Importance<"), 100
        crawled = await crawler.crawl(standin, workers=1)
    assert isinstance(crawled.error, LayoutChanged)
    assert crawler.value("SELECT count(*) FROM ims.issues WHERE priority = 'High'") >= 100
    assert crawler.value("SELECT count(*) FROM ims.issues WHERE priority IS NULL") < 25
