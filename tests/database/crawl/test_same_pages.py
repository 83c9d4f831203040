"""Issues whose pages are those that they were read from are not read again, and only those."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.kept_page import are_kept
from crawler.source import RawPage
from crawler.sources.ims.standin import StandIn
from db.rows import IssueRow, PackedPageRow, SameIssueRow
from pipeline.reports.receipt import receipt
from tests.fixtures.crawl import Crawler
from tests.fixtures.tenant import Tenant

ISSUES = 12
# What is stored says something that no page does: it stays where the page is not read again.
SPOILED = "UPDATE ims.issues SET title = 'as stored', content_hash = '\\x00'"
READ = "SELECT count(*) FROM ims.issues WHERE title <> 'as stored'"

pages = st.dictionaries(st.text(max_size=3), st.binary(max_size=4), max_size=3)


@given(pages, pages)
def test_pages_are_the_kept_ones_when_each_has_its_bytes(
    kept: dict[str, bytes], came: dict[str, bytes]
) -> None:
    hashes = {part: sha256(body).digest() for part, body in kept.items()}
    got = [RawPage(url="x", part=part, body=body) for part, body in came.items()]
    assert are_kept(got, hashes) == (kept == came and kept != {})


async def test_a_second_crawl_reads_no_page_that_is_as_it_was(crawler: Crawler) -> None:
    async with StandIn(synthetic=ISSUES) as standin:
        first = await crawler.crawl(standin)
        crawler.rows(f"{SPOILED} RETURNING 1")
        again = await crawler.crawl(standin)
    assert crawler.value(READ) == 0
    assert (again.outcome["issues_unchanged"], again.outcome["issues_crawled"]) == (ISSUES, ISSUES)
    before, after = (receipt(crawler.user_id, each.lease.session_uuid) for each in (first, again))
    counted = ("comments_announced", "comments_stored", "history_announced", "history_stored")
    assert [before[name] for name in counted] == [after[name] for name in counted]
    assert before["comments_stored"] > 0
    assert after["complete"]
    brought = "SELECT count(*), count(DISTINCT crawl_order) FROM ims.session_issues WHERE session_id = %s"
    assert crawler.rows(brought, again.lease.session_id) == [(ISSUES, ISSUES)]


ODD = (
    "DELETE FROM ims.raw_pages",
    "UPDATE ims.raw_pages SET quarantined = true",
    "UPDATE ims.raw_pages SET sha256 = sha256('')",
    "UPDATE ims.raw_pages SET part = 'another'",
    "UPDATE ims.raw_pages SET issue_id = 'another'",
    "UPDATE ims.issues SET content_hash = NULL",
    "UPDATE ims.issues SET removed_at = now()",
    "UPDATE ims.session_issues SET had_errors = true",
)


async def test_an_issue_of_which_anything_is_odd_is_read_again(crawler: Crawler) -> None:
    async with StandIn(synthetic=ISSUES) as standin:
        await crawler.crawl(standin)
        crawler.rows(f"{SPOILED} RETURNING 1")
        stored = crawler.rows("SELECT issue_id, issue_pk FROM ims.issues ORDER BY issue_id")
        for (number, pk), odd in zip(stored, ODD, strict=False):
            which = f"issue_pk = {pk}" if "session_issues" in odd else f"issue_id = '{number}'"
            assert crawler.rows(f"{odd} WHERE {which} RETURNING 1")
        await crawler.crawl(standin)
    read = crawler.rows("SELECT issue_id FROM ims.issues WHERE title <> 'as stored' ORDER BY issue_id")
    assert [number for (number,) in read] == [number for number, _ in stored[: len(ODD)]]


async def test_an_issue_that_was_edited_is_read_again(crawler: Crawler) -> None:
    async with StandIn(synthetic=3) as standin:
        await crawler.crawl(standin)
        crawler.rows(f"{SPOILED} RETURNING 1")
        number = int(crawler.value("SELECT min(issue_id) FROM ims.issues"))
        standin.edit_issue(number, title="edited now")
        again = await crawler.crawl(standin)
    assert (again.outcome["issues_changed"], again.outcome["issues_unchanged"]) == (1, 2)
    assert crawler.rows("SELECT title FROM ims.issues WHERE issue_id = %s", str(number)) == [("edited now",)]


@pytest.mark.parametrize("query", ["+crash -zebra", "*"])
async def test_what_must_be_looked_at_is_read_again(crawler: Crawler, query: str) -> None:
    related = query == "*"
    async with StandIn(synthetic=ISSUES) as standin:
        await crawler.crawl(standin)
        crawler.rows(f"{SPOILED} RETURNING 1")
        again = await crawler.crawl(standin, query, related=related)
    assert crawler.value(READ) == again.outcome["issues_crawled"]


async def test_an_issue_that_vanished_meanwhile_is_told_of(tenant: Tenant) -> None:
    page = PackedPageRow(url="http://localhost/1", body=b"", size=0, sha256=b"0" * 32)
    await tenant.load(IssueRow(issue_id="1", title="one", pages=(page,)))
    same = [SameIssueRow("1", 0, 5), SameIssueRow("2", 1, 5)]
    result = await tenant.load(same=same)
    assert result.outcomes == {"1": "unchanged", "2": "failed"}
    assert "crawl it again" in result.details["2"]


async def test_an_issue_that_was_called_removed_meanwhile_is_there(tenant: Tenant) -> None:
    await tenant.load(IssueRow(issue_id="1", title="one"))
    await tenant.rows("UPDATE ims.issues SET removed_at = now(), removed_reason = 'deleted' RETURNING 1")
    result = await tenant.load(same=[SameIssueRow("1", 0, 5)])
    assert result.outcomes == {"1": "unchanged"}
    assert await tenant.rows("SELECT removed_at, removed_reason FROM ims.issues") == [(None, None)]


async def test_a_row_that_was_read_counts_more_than_one_that_was_not(tenant: Tenant) -> None:
    await tenant.load(IssueRow(issue_id="1", title="one"))
    result = await tenant.load(IssueRow(issue_id="1", title="two"), same=[SameIssueRow("1", 0, 5)])
    assert result.outcomes == {"1": "changed"}
    assert await tenant.value("SELECT title FROM ims.issues") == "two"
