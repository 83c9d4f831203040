"""Issues that are gone: looked for a second time, told apart, and never many at once on a bad day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from crawler.sources.ims.standin import Issue, Listing, StandIn
from tests.fixtures.crawl import Crawler
from tests.fixtures.standin import ISSUE, SEARCH

REMOVED = "SELECT issue_id, removed_reason FROM ims.issues WHERE removed_at IS NOT NULL ORDER BY issue_id"
NONE = {"deleted": 0, "moved": 0, "denied": 0}


@pytest.fixture
async def tracker() -> AsyncIterator[StandIn]:
    """Twenty issues, numbered from 1."""
    async with StandIn.demo() as demo:
        pattern = replace(demo.issue(demo.world.numbers()[0]), related=(), files=(), hidden_from=frozenset())
    issues = [replace(pattern, number=number) for number in range(1, 21)]
    async with StandIn(issues=issues, listing=Listing(denial="told")) as standin:
        yield standin


def hide(tracker: StandIn, number: int) -> Issue:
    return tracker.edit_issue(number, hidden_from=frozenset({"kim"}))


async def test_deleted_moved_and_denied_issues_are_told_apart(crawler: Crawler, tracker: StandIn) -> None:
    await crawler.crawl(tracker)
    tracker.remove_issue(3)
    tracker.move_issue(5, 105)
    hide(tracker, 7)
    census = await crawler.crawl(tracker, census=True)
    assert census.error is None
    assert census.outcome["status"] == "completed"
    assert census.outcome["removed"] == {"deleted": 1, "moved": 1, "denied": 1}
    assert crawler.rows(REMOVED) == [("3", "deleted"), ("5", "moved"), ("7", "denied")]
    assert crawler.value("SELECT title FROM ims.issues WHERE issue_id = '105'") == tracker.issue(105).title
    assert census.outcome["issues_new"] == 1
    assert crawler.rows(
        "SELECT issue_id, detail FROM ims.session_frontier WHERE state = 'removed' ORDER BY issue_id"
    ) == [("3", "deleted"), ("5", "moved to 105"), ("7", "denied")]


async def test_a_census_fetches_what_is_new_and_what_is_missing_and_nothing_else(
    crawler: Crawler, tracker: StandIn
) -> None:
    await crawler.crawl(tracker)
    tracker.add_issue(replace(tracker.issue(1), number=21))
    tracker.edit_issue(2, title="changed")
    tracker.remove_issue(3)
    before = tracker.requests[ISSUE]
    census = await crawler.crawl(tracker, census=True)
    assert tracker.requests[ISSUE] == before + 2
    figures = census.outcome
    assert (figures["issues_new"], figures["issues_changed"], figures["skipped_issues"]) == (1, 0, 19)
    assert crawler.value("SELECT title FROM ims.issues WHERE issue_id = '2'") != "changed"


async def test_an_issue_that_returns_loses_its_tombstone(crawler: Crawler, tracker: StandIn) -> None:
    await crawler.crawl(tracker)
    gone = tracker.issue(3)
    tracker.remove_issue(3)
    hide(tracker, 7)
    await crawler.crawl(tracker, census=True)
    assert crawler.rows(REMOVED) == [("3", "deleted"), ("7", "denied")]
    tracker.add_issue(gone)
    tracker.edit_issue(7, hidden_from=frozenset())
    census = await crawler.crawl(tracker, census=True)
    assert crawler.rows(REMOVED) == []
    assert census.outcome["removed"] == NONE
    tracker.remove_issue(3)
    await crawler.crawl(tracker, census=True)
    tracker.add_issue(gone)
    assert (await crawler.crawl(tracker)).error is None
    assert crawler.rows(REMOVED) == []


async def test_what_is_no_longer_listed_but_still_there_is_kept(crawler: Crawler, tracker: StandIn) -> None:
    tracker.edit_issue(4, title="a needle", description="a needle")
    tracker.edit_issue(5, title="a needle", description="a needle")
    await crawler.crawl(tracker, "needle")
    tracker.edit_issue(4, title="a pin", description="a pin")
    census = await crawler.crawl(tracker, "needle", census=True)
    assert census.outcome["removed"] == NONE
    assert census.outcome["issues_changed"] == 1
    assert crawler.value("SELECT title FROM ims.issues WHERE issue_id = '4'") == "a pin"


async def test_a_census_of_a_question_looks_only_for_what_the_question_found(
    crawler: Crawler, tracker: StandIn
) -> None:
    tracker.edit_issue(4, title="a needle", description="a needle")
    await crawler.crawl(tracker)
    await crawler.crawl(tracker, "needle")
    tracker.remove_issue(3)
    tracker.remove_issue(4)
    census = await crawler.crawl(tracker, "needle", census=True, allow_mass_removal=True)
    assert census.outcome["removed"] == {**NONE, "deleted": 1}
    assert crawler.rows(REMOVED) == [("4", "deleted")]


async def test_a_census_of_a_product_leaves_the_others_alone(crawler: Crawler, tracker: StandIn) -> None:
    for number in range(1, 21):
        tracker.edit_issue(number, product="Tibero" if number <= 10 else "OpenFrame Base")
    await crawler.crawl(tracker)
    tracker.remove_issue(1)
    tracker.remove_issue(11)
    census = await crawler.crawl(tracker, product="OpenFrame Base", census=True)
    assert census.error is None
    assert crawler.rows(REMOVED) == [("11", "deleted")]


async def test_more_than_a_fifth_is_refused_unless_told_otherwise(crawler: Crawler, tracker: StandIn) -> None:
    await crawler.crawl(tracker)
    for number in range(1, 6):
        tracker.remove_issue(number)
    census = await crawler.crawl(tracker, census=True)
    assert crawler.rows(REMOVED) == []
    assert census.outcome["removed"] == NONE
    assert census.outcome["status"] == "failed"
    (message,) = (error["message"] for error in census.outcome["errors"])
    assert "5 of 20" in message
    assert "--yes" in message
    census = await crawler.crawl(tracker, census=True, allow_mass_removal=True)
    assert census.outcome["removed"] == {**NONE, "deleted": 5}
    assert len(crawler.rows(REMOVED)) == 5


async def test_a_fifth_is_not_too_many(crawler: Crawler, tracker: StandIn) -> None:
    await crawler.crawl(tracker)
    for number in range(1, 5):
        tracker.remove_issue(number)
    assert (await crawler.crawl(tracker, census=True)).outcome["removed"] == {**NONE, "deleted": 4}


async def test_an_issue_that_cannot_be_looked_for_is_no_removed_one(
    crawler: Crawler, tracker: StandIn
) -> None:
    await crawler.crawl(tracker)
    tracker.remove_issue(3)
    tracker.fail_next(400, path=ISSUE)
    census = await crawler.crawl(tracker, census=True)
    assert census.outcome["removed"] == NONE
    assert census.outcome["failed_issues"] == 1
    assert crawler.rows(REMOVED) == []


async def test_a_list_that_is_shorter_than_announced_says_nothing_of_what_is_missing(
    crawler: Crawler, tracker: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crawler.crawl(tracker)
    # The rows of three issues are lost on the way, the total still counts them.
    get = tracker.world.get
    monkeypatch.setattr(tracker.world, "get", lambda number: None if number in (1, 2, 3) else get(number))
    before = tracker.requests[ISSUE]
    census = await crawler.crawl(tracker, census=True)
    assert census.outcome["status"] == "failed"
    assert tracker.requests[ISSUE] == before
    assert crawler.rows(REMOVED) == []


async def test_somebody_elses_issues_stay(crawler: Crawler, tracker: StandIn) -> None:
    bob = replace(crawler, user_id=3)
    await bob.crawl(tracker)
    await crawler.crawl(tracker)
    tracker.remove_issue(3)
    await crawler.crawl(tracker, census=True)
    assert crawler.rows("SELECT user_id, issue_id FROM ims.issues WHERE removed_at IS NOT NULL") == [(2, "3")]


async def test_a_moved_issue_that_another_one_points_to_is_stored_once(
    crawler: Crawler, tracker: StandIn
) -> None:
    tracker.edit_issue(1, related=(5,))
    tracker.move_issue(5, 105)
    tracker.world.put(replace(tracker.issue(1), related=(5, 105)))
    # The page of issue 1 still names the old number.
    seen_by = tracker.world.seen_by

    def seen(account: Any, number: int) -> Issue | None:
        found = seen_by(account, 105 if number == 5 else number)
        return replace(found, number=5) if found is not None and number == 5 else found

    tracker.world.seen_by = seen  # type: ignore[method-assign] # the page of issue 1 names the old number
    crawl = await crawler.crawl(tracker, "1", related=True)
    assert crawl.error is None
    assert crawl.outcome["failed_issues"] == 0
    assert crawler.rows("SELECT issue_id FROM ims.issues ORDER BY issue_id") == [("1",), ("105",)]
    assert tracker.requests[SEARCH] > 0
