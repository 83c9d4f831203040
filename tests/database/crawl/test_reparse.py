"""Issues that are read again from their kept pages, while the tracker is away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from crawler.errors import UsageError
from crawler.sources.ims.standin import StandIn
from pipeline.reparse import Wanted, reparse
from pipeline.reparse.batch import ReparseResult
from tests.database.crawl.test_session_receipt import issue
from tests.fixtures.crawl import Crawler, Moods
from tests.fixtures.packed_page import packed
from tests.fixtures.schema import BOB

# Where every row is and who wrote it: equal means that nobody touched it.
PLACES = """
    SELECT 'issue', issue_pk, xmin::text, ctid::text FROM ims.issues
    UNION ALL SELECT 'comment', comment_id, xmin::text, ctid::text FROM ims.issue_comments
    UNION ALL SELECT 'history', history_id, xmin::text, ctid::text FROM ims.issue_history
    UNION ALL SELECT 'page', raw_page_id, xmin::text, ctid::text FROM ims.raw_pages
    UNION ALL SELECT 'session', session_id, xmin::text, ctid::text FROM ims.session_issues
    ORDER BY 1, 2"""
ISSUES = "SELECT issue_id, title, description, priority FROM ims.issues ORDER BY issue_id"
QUARANTINE = "SELECT issue_id, quarantine_reason FROM ims.raw_pages WHERE quarantined ORDER BY issue_id"


async def again(crawler: Crawler, **wanted: Any) -> ReparseResult:
    return await reparse(crawler.program.conninfo, crawler.user_id, Wanted(**wanted))


def figures(result: ReparseResult) -> tuple[int, int, int, int]:
    return result.pages, result.issues, result.changed, result.failed


async def test_what_is_as_the_parser_reads_it_costs_no_write(crawler: Crawler) -> None:
    async with StandIn.demo() as standin:
        crawled = await crawler.crawl(standin)
        asked = sum(standin.requests.values())
    before = crawler.rows(PLACES)
    result = await again(crawler)
    stored = crawled.outcome["issues_crawled"]
    assert stored > 50
    assert figures(result) == (stored, stored, 0, 0)
    assert crawler.rows(PLACES) == before
    assert sum(standin.requests.values()) == asked


async def test_a_parsers_fix_reaches_what_is_stored_and_is_no_change_of_the_tracker(
    crawler: Crawler, moods: Moods
) -> None:
    crawler = replace(crawler, kind="moody")
    moods.be(say={"description": "", "comments": []})
    async with StandIn(issues=[issue(number) for number in range(1000, 1010)]) as standin:
        session_uuid = (await crawler.crawl(standin)).lease.session_uuid
    seen = crawler.rows("SELECT issue_id, last_crawled_at FROM ims.issues ORDER BY issue_id")
    moods.be()
    result = await again(crawler, session_uuid=session_uuid)
    assert figures(result) == (10, 10, 10, 0)
    assert dict(result.fields) == {"description": 10}
    assert {row[2] for row in crawler.rows(ISSUES)} == {"It crashes"}
    assert crawler.value("SELECT count(*) FROM ims.issue_comments WHERE content = 'me too'") == 10
    assert crawler.value("SELECT count(*) FROM ims.issue_history WHERE change_type = 'observed'") == 0
    assert crawler.rows("SELECT issue_id, last_crawled_at FROM ims.issues ORDER BY issue_id") == seen
    assert figures(await again(crawler)) == (10, 10, 0, 0)


async def test_a_quarantined_page_that_can_be_read_now_is_let_out(crawler: Crawler, moods: Moods) -> None:
    crawler = replace(crawler, kind="moody")
    moods.be(defect=["1001"], reject=["1002", "1003"])
    async with StandIn(issues=[issue(number) for number in range(1000, 1005)]) as standin:
        crawled = await crawler.crawl(standin)
    assert (crawled.outcome["issues_crawled"], crawled.outcome["failed_issues"]) == (2, 3)
    # A defect of a parser costs its page, not the session, and its words stay with us.
    assert crawler.rows(QUARANTINE) == [
        ("1001", "The parser failed with ZeroDivisionError."),
        ("1002", "Not in the mood."),
        ("1003", "Not in the mood."),
    ]
    moods.be(defect=["1003"])
    result = await again(crawler, quarantined=True)
    assert figures(result) == (3, 2, 2, 1)
    assert result.released == 2
    assert result.failures == [("1003", "The parser failed with ZeroDivisionError.")]
    assert crawler.rows(QUARANTINE) == [("1003", "The parser failed with ZeroDivisionError.")]
    assert [row[0] for row in crawler.rows(ISSUES)] == ["1000", "1001", "1002", "1004"]
    assert figures(await again(crawler, issue_id="1001")) == (1, 1, 0, 0)


async def test_an_issue_whose_last_page_cannot_be_read_is_read_from_the_one_before(
    crawler: Crawler, moods: Moods
) -> None:
    crawler = replace(crawler, kind="moody")
    moods.be(say={"priority": "wrong"})
    async with StandIn(issues=[issue(1000, fields={"Priority": "High"})]) as standin:
        await crawler.crawl(standin)
        standin.edit_issue(1000, title="")  # which no parser accepts
        await crawler.crawl(standin)
    moods.be()
    result = await again(crawler)
    assert figures(result) == (2, 0, 1, 1)
    assert crawler.rows(ISSUES) == [("1000", "Issue 1000", "It crashes", "High")]
    assert crawler.rows(QUARANTINE) == [("1000", "The page has no Subject.")]


async def test_only_the_newest_page_is_read_and_it_settles_the_older_ones(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(1000, title="")]) as standin:
        await crawler.crawl(standin)
        standin.edit_issue(1000, title="Better")
        await crawler.crawl(standin)
        standin.edit_issue(1000, title="Best")
        await crawler.crawl(standin)
    assert crawler.value("SELECT count(*) FROM ims.raw_pages") == 3
    assert len(crawler.rows(QUARANTINE)) == 1
    result = await again(crawler)
    assert (figures(result), result.released) == ((1, 1, 0, 0), 1)
    assert crawler.rows(ISSUES)[0][1] == "Best"


async def test_parts_of_an_earlier_fetch_are_not_mixed_in(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(1000)]) as standin:
        await crawler.crawl(standin)
    (tracker_id, fetched_at) = crawler.rows("SELECT tracker_id, fetched_at FROM ims.raw_pages")[0]
    body = b"<html><a href='issueView.do?issueId=77'>77</a></html>"
    page = packed(body=body, part="patches")
    with crawler.database.superuser() as connection:
        connection.execute(
            "INSERT INTO ims.raw_pages (user_id, tracker_id, issue_id, part, body, size, sha256, fetched_at) "
            "VALUES (%s, %s, '1000', 'patches', %s, %s, %s, %s)",
            (
                *(crawler.user_id, tracker_id),
                page.body,
                page.size,
                page.sha256,
                fetched_at - timedelta(1),
            ),
        )
    assert figures(await again(crawler)) == (1, 1, 0, 0)


async def test_what_is_gone_from_the_tracker_is_not_brought_back(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(1000), issue(1001)]) as standin:
        await crawler.crawl(standin)
    with crawler.database.superuser() as connection:
        connection.execute(
            "UPDATE ims.issues SET removed_at = now(), removed_reason = 'deleted' WHERE issue_id = '1000'"
        )
    assert figures(await again(crawler)) == (1, 1, 0, 0)
    assert crawler.value("SELECT count(*) FROM ims.issues WHERE removed_at IS NOT NULL") == 1


async def test_a_damaged_page_fails_alone(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(1000), issue(1001)]) as standin:
        await crawler.crawl(standin)
    with crawler.database.superuser() as connection:
        connection.execute("UPDATE ims.raw_pages SET body = '\\x00' WHERE issue_id = '1000'")
    result = await again(crawler)
    assert figures(result) == (1, 1, 0, 1)
    assert result.failures == [("1000", "A stored page cannot be read: its bytes are damaged.")]
    assert len(crawler.rows(ISSUES)) == 2


async def test_nobody_reads_somebody_elses_pages_again(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(1000)]) as standin:
        session_uuid = (await crawler.crawl(standin)).lease.session_uuid
    bob = replace(crawler, user_id=BOB)
    assert figures(await again(bob)) == (0, 0, 0, 0)
    for wanted in ({"session_uuid": session_uuid}, {"session_uuid": uuid4()}, {"tracker": "desk"}):
        with pytest.raises(UsageError, match=r"There is no (session|tracker)"):
            await again(bob, **wanted)


async def test_more_issues_than_a_portion_holds_are_all_read(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.crawl.raw_pages.PORTION", 7)
    monkeypatch.setattr("pipeline.reparse.BATCH_ISSUES", 3)
    async with StandIn(synthetic=50) as standin:
        await crawler.crawl(standin)
    assert figures(await again(crawler)) == (50, 50, 0, 0)
