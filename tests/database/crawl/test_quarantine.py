"""Pages that nobody could read can be looked at, by their owner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crawler.errors import UsageError
from crawler.sources.ims.standin import StandIn
from pipeline.quarantine import quarantined, read_quarantined, retry
from tests.database.crawl.test_session_receipt import issue
from tests.fixtures.crawl import Crawler, Moods
from tests.fixtures.schema import BOB


async def test_what_is_in_quarantine_is_listed_shown_and_tried_again(crawler: Crawler, moods: Moods) -> None:
    crawler = replace(crawler, kind="moody")
    conninfo = crawler.program.conninfo
    moods.be(reject=["1001", "1002"])
    async with StandIn(
        issues=[issue(1000), issue(1001, description="오류가 납니다"), issue(1002)]
    ) as standin:
        session_uuid = (await crawler.crawl(standin)).lease.session_uuid
    rows = {row["issue_id"]: row for row in quarantined(crawler.user_id, limit=10)}
    assert set(rows) == {"1001", "1002"}
    assert rows["1001"]["reason"] == "Not in the mood."
    assert (rows["1001"]["tracker"], rows["1001"]["session_uuid"]) == ("desk", session_uuid)
    assert [row["issue_id"] for row in quarantined(crawler.user_id, limit=1, offset=1)] == [list(rows)[1]]
    assert quarantined(crawler.user_id, tracker="other", limit=10) == []
    (page,) = read_quarantined(crawler.user_id, "1001")
    assert "오류가 납니다" in page["text"]
    moods.be(reject=["1002"])
    rebuilt = await retry(conninfo, crawler.user_id, issue_id="1001", tracker=None)
    assert (rebuilt.pages, rebuilt.issues, rebuilt.changed, rebuilt.failed) == (1, 1, 1, 0)
    assert [row["issue_id"] for row in quarantined(crawler.user_id, limit=10)] == ["1002"]
    with pytest.raises(UsageError, match="Issue 1001 has no page in quarantine"):
        read_quarantined(crawler.user_id, "1001")
    with pytest.raises(UsageError, match="Issue 1001 has no page in quarantine"):
        await retry(conninfo, crawler.user_id, issue_id="1001", tracker=None)
    rebuilt = await retry(conninfo, crawler.user_id, issue_id=None, tracker="desk")
    assert (rebuilt.issues, rebuilt.failed) == (0, 1)
    assert quarantined(BOB, limit=10) == []
    with pytest.raises(UsageError, match="Issue 1002 has no page in quarantine"):
        read_quarantined(BOB, "1002")
