"""What a session's receipt says, and to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import pytest

from crawler.errors import UsageError
from crawler.sources.ims.standin import Action, Change, FieldChange, Issue, StandIn
from pipeline.reports.receipt import receipt
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import ALICE, BOB, ROOT

KEYS = {
    *("session_uuid", "complete", "tracker_total", "found", "stored_new", "stored_changed", "unchanged"),
    *("failed", "skipped", "reasons", "comments_announced", "comments_stored", "history_announced"),
    *("history_stored", "pages_kept", "requests", "retries"),
    *("attachments_downloaded", "attachments_missing", "attachments_skipped", "attachment_reasons"),
    *("status", "related", "waits", "bytes"),  # beside the promised ones
}
NOON = datetime(2024, 5, 1, 12)


def issue(number: int, **other: object) -> Issue:
    made = Issue(
        number=number,
        title=f"Issue {number}",
        product="Tibero",
        status="Open",
        registered=NOON,
        reporter="Kim",
        description="It crashes",
        actions=(Action(number=1, author="Lee", at=NOON, text="me too"),),
        changes=(Change(at=NOON, by="Lee", lines=(FieldChange(field="Status", old="New", new="Open"),)),),
    )
    return replace(made, **other)  # type: ignore[arg-type] # the remaining fields


async def test_a_receipt_adds_up_and_is_counted_anew_for_each_session(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(number) for number in range(1000, 1025)]) as standin:
        first = receipt(crawler.user_id, (await crawler.crawl(standin)).lease.session_uuid)
        standin.edit_issue(1003, title="Another one")
        standin.add_issue(issue(2000))
        second = receipt(crawler.user_id, (await crawler.crawl(standin)).lease.session_uuid)
    assert set(first) == KEYS
    assert first["complete"] is True
    assert (first["tracker_total"], first["found"], first["stored_new"]) == (25, 25, 25)
    assert first["comments_announced"] == first["comments_stored"] == 25
    assert first["history_announced"] == first["history_stored"] == 25
    assert first["pages_kept"] == 25
    assert first["reasons"] == {}
    assert first["requests"] >= 25 + 3
    assert first["bytes"] > 25 * 1000
    assert second["complete"] is True
    assert (second["stored_new"], second["stored_changed"], second["unchanged"]) == (1, 1, 24)
    assert second["pages_kept"] == 2


async def test_what_was_left_out_is_told_with_its_reason(crawler: Crawler) -> None:
    odd = issue(1002, title="broken in two")
    async with StandIn(issues=[issue(1000), issue(1001, title="Tibero timeout"), odd]) as standin:
        found = receipt(crawler.user_id, (await crawler.crawl(standin, "+It -timeout")).lease.session_uuid)
    assert found["complete"] is True
    assert (found["found"], found["stored_new"], found["skipped"]) == (3, 2, 1)
    assert found["reasons"] == {"does not match the query": 1}


async def test_a_failed_issue_makes_the_receipt_incomplete(crawler: Crawler) -> None:
    async with StandIn(issues=[issue(1000), issue(1001, title="")]) as standin:
        crawled = await crawler.crawl(standin)
    found = receipt(crawler.user_id, crawled.lease.session_uuid)
    assert crawled.outcome["status"] == "completed"
    assert found["complete"] is False
    assert (found["found"], found["stored_new"], found["failed"]) == (2, 1, 1)
    assert found["reasons"] == {"The page has no Subject.": 1}
    assert found["pages_kept"] == 2  # the one that nobody could read is kept as well


@pytest.mark.parametrize(
    "change",
    [
        "status = 'running'",
        "tracker_total = 4",
        "comments_stored = comments_stored - 1",
        "history_stored = history_stored - 1",
        "issues_new = issues_new + 1",
        "search_done = false",
    ],
)
async def test_a_session_whose_figures_disagree_is_not_complete(crawler: Crawler, change: str) -> None:
    async with StandIn(issues=[issue(number) for number in range(1000, 1003)]) as standin:
        session_uuid = (await crawler.crawl(standin)).lease.session_uuid
    assert receipt(crawler.user_id, session_uuid)["complete"] is True
    with crawler.database.superuser() as connection:
        connection.execute(f"UPDATE ims.crawl_sessions SET {change}".encode())  # noqa: S608 - our own words
    assert receipt(crawler.user_id, session_uuid)["complete"] is False


async def test_nobody_but_its_owner_and_those_who_see_all_gets_a_receipt(
    crawler: Crawler,
) -> None:
    async with StandIn(issues=[issue(1000)]) as standin:
        session_uuid = (await crawler.crawl(standin)).lease.session_uuid
    seen = {}
    for user_id in (ALICE, BOB, ROOT):
        with crawler.database.app() as connection:
            connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
            rows = connection.execute("SELECT found FROM ims.session_receipt(%s)", (session_uuid,)).fetchall()
            seen[user_id] = rows
    assert seen == {ALICE: [(1,)], BOB: [], ROOT: [(1,)]}
    unknown = uuid4()

    sentences = set()
    for wanted in (session_uuid, unknown):
        with pytest.raises(UsageError) as refusal:
            receipt(BOB, wanted)
        sentences.add(str(refusal.value).replace(str(wanted), "…"))
    assert len(sentences) == 1
