"""What vanished from a tracker is told: in the news, and on an issue's timeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from crawler.query import parse_query
from crawler.sources.ims.standin import Listing, StandIn
from db import get_session, job_queue
from pipeline.jobs.news import tell_gone
from pipeline.jobs.schedules import NewSchedule, add_schedule
from pipeline.jobs.worker import serve
from tests.fixtures.crawl import Crawler
from tests.fixtures.schema import ALICE
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")
SAID = "3 are gone: 2 deleted, 1 no longer visible to you."


@pytest.fixture
async def tracker() -> AsyncIterator[StandIn]:
    """Twenty issues, numbered from 1."""
    async with StandIn.demo() as demo:
        pattern = replace(demo.issue(demo.world.numbers()[0]), related=(), files=(), hidden_from=frozenset())
    issues = [replace(pattern, number=number) for number in range(1, 21)]
    async with StandIn(issues=issues, listing=Listing(denial="told")) as standin:
        yield standin


def take_away(tracker: StandIn) -> None:
    """Delete 3 and 5, and hide 7."""
    tracker.remove_issue(3)
    tracker.remove_issue(5)
    tracker.edit_issue(7, hidden_from=frozenset({"kim"}))


async def test_a_census_is_news_where_there_is_no_schedule(
    crawler: Crawler, tracker: StandIn, shell: Shell
) -> None:
    await crawler.crawl(tracker)
    await crawler.crawl(tracker, census=True)
    assert shell("news").out == ""
    take_away(tracker)
    await crawler.crawl(tracker, census=True)
    told = shell("news")
    assert told.out.splitlines()[-1] == SAID
    rows = shell("news", "--json").document
    assert [(row["issue_id"], row["change"], row["reason"]) for row in rows] == [
        ("3", "gone", "deleted"),
        ("5", "gone", "deleted"),
        ("7", "gone", "denied"),
    ]
    assert shell("news", "--json", user="bob").document == []
    assert "the issue is no longer visible to you" in shell("show", "7", "--timeline").out
    assert "the issue was deleted" in shell("show", "3", "--timeline").out
    await crawler.crawl(tracker, census=True)
    assert shell("news").out == ""  # it was told


async def test_what_is_gone_belongs_to_the_schedule_that_brought_it(
    crawler: Crawler, tracker: StandIn, shell: Shell
) -> None:
    row = crawler.tracker(tracker)
    with get_session(user_id=ALICE) as session:
        for name, query in (("all", "*"), ("none", "+nothing-has-this-word")):
            new = NewSchedule(
                name=name, query=query, parsed=parse_query(query), tracker_id=row.tracker_id, cron="0 2 * * *"
            )
            add_schedule(session, new, crawler.program.vault)

    async def run() -> None:
        crawler.rows("UPDATE ims.saved_searches SET next_run_at = now() - interval '1 second' RETURNING 1")
        await serve(
            crawler.program,
            concurrency=2,
            lease_timeout=2,
            until=lambda: not job_queue.due(1) and job_queue.unfinished(5) == 0,
        )

    await run()
    take_away(tracker)
    await crawler.crawl(tracker, census=True)
    told = shell("news")
    assert told.out.splitlines()[-1] == SAID
    assert shell("news", "all").out.splitlines()[-1] == SAID
    assert "gone" not in shell("news", "none").out
    await run()
    assert SAID in shell("news", "all").out  # it was found since the run before
    await run()
    assert "gone" not in shell("news", "all").out


async def test_a_deleted_comment_is_on_the_timeline_and_in_the_news(
    crawler: Crawler, tracker: StandIn, shell: Shell
) -> None:
    await crawler.crawl(tracker)
    ((number, author),) = crawler.rows(
        "SELECT comment_number, author FROM ims.issue_comments JOIN ims.issues USING (issue_pk)"
        " WHERE issue_id = '4' ORDER BY comment_number LIMIT 1"
    )
    crawler.rows(
        "UPDATE ims.issue_comments SET removed_at = clock_timestamp() FROM ims.issues issue"
        " WHERE issue.issue_pk = issue_comments.issue_pk AND issue_id = '4' AND comment_number = %s"
        " RETURNING 1",
        number,
    )
    crawler.rows(
        "UPDATE ims.crawl_sessions SET metadata = metadata || '{\"census\": true}' RETURNING 1"
    )  # as if a census had seen it
    assert shell("news").out.splitlines()[-1] == "1 comment was deleted."
    page = shell("show", "4", "--timeline").out
    assert f"comment {number} of {author} was deleted" in page


def test_the_sentence() -> None:
    def row(
        number: int, reason: str | None, change: str = "gone", comments: int | None = None
    ) -> dict[str, object]:
        return {
            "tracker": "t",
            "issue_id": str(number),
            "change": change,
            "reason": reason,
            "comments": comments,
        }

    assert tell_gone([]) is None
    assert tell_gone([row(1, "deleted")]) == "1 is gone: 1 deleted."
    assert tell_gone([row(1, "moved"), row(1, "moved"), row(2, None)]) == (
        "2 are gone: 1 deleted, 1 moved to another number."
    )
    assert tell_gone([row(1, "denied"), row(2, None, "comment gone", 2)]) == (
        "1 is gone: 1 no longer visible to you. 2 comments were deleted."
    )
