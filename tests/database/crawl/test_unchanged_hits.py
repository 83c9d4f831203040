"""Hits whose list says the stored time of change need no request, and only those."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, NamedTuple

import psycopg
import pytest

from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.routes import ISSUE_PATH
from db.crawl.frontier import Found, add_references
from pipeline.reports.receipt import receipt
from tests.fixtures.crawl import Crawler, Moods
from tests.fixtures.schema import ALICE, BOB, Database
from tests.fixtures.tenant import Tenant

CHANGED = datetime(2024, 5, 6, 12, 30, tzinfo=UTC)
MARGIN = timedelta(seconds=61)
INSTANT = timedelta(microseconds=1)


class Stored(NamedTuple):
    """What is stored of an issue, beside what the list says of it."""

    modified: datetime | None
    listed: datetime | None
    fetched: datetime | None  # when its newest page came; None: no page is kept
    removed: bool
    read: bool  # it came from a tracker
    quarantined: bool
    place: str  # whose it is

    @property
    def is_unchanged(self) -> bool:
        """Whether it is known without a look that the tracker has nothing new."""
        return (
            self.modified is not None
            and self.modified == self.listed
            and self.fetched is not None
            and self.fetched - self.modified >= MARGIN
            and (self.removed, self.read, self.quarantined, self.place) == (False, True, False, "mine")
        )


EVERY_CASE = [
    Stored(*case)
    for case in product(
        (CHANGED, CHANGED + INSTANT, CHANGED - INSTANT, None),
        (CHANGED, None),
        (CHANGED + timedelta(days=9), CHANGED + MARGIN, CHANGED + MARGIN - INSTANT, None),
        (False, True),
        (True, False),
        (False, True),
        ("mine", "other tracker", "other user"),
    )
]


def store(connection: psycopg.Connection, tenant: Tenant) -> None:
    """Put every case into the database."""
    trackers = {"mine": tenant.tracker_id}
    for place, user_id in (("other tracker", ALICE), ("other user", BOB)):
        ((trackers[place],),) = connection.execute(
            "INSERT INTO ims.trackers (user_id, name, kind, base_url)"
            " VALUES (%s, 'other', 'ims', 'http://localhost') RETURNING tracker_id",
            (user_id,),
        ).fetchall()
    for number, case in enumerate(EVERY_CASE):
        user_id = BOB if case.place == "other user" else ALICE
        ids = (user_id, trackers[case.place], str(number))
        connection.execute(
            "INSERT INTO ims.issues (user_id, tracker_id, issue_id, modified_date, removed_at, content_hash)"
            " VALUES (%s, %s, %s, %s, CASE WHEN %s THEN now() END, CASE WHEN %s THEN '\\x00'::bytea END)",
            (*ids, case.modified, case.removed, case.read),
        )
        if case.fetched is not None:
            connection.execute(
                "INSERT INTO ims.raw_pages"
                " (user_id, tracker_id, issue_id, fetched_at, quarantined, body, size, sha256)"
                " VALUES (%s, %s, %s, %s, %s, '', 0, sha256(''))",
                (*ids, case.fetched, case.quarantined),
            )


async def listed(tenant: Tenant, settles_after: timedelta | None) -> set[int]:
    """The numbers of the cases that a page with all of them settled."""
    references = [Found(str(n), None, {}, case.listed) for n, case in enumerate(EVERY_CASE)]
    async with tenant.acting() as connection:
        added = await add_references(
            connection,
            session_id=tenant.session_id,
            user_id=tenant.user_id,
            fence=1,
            references=references,
            cursor=None,
            done=True,
            tracker_id=tenant.tracker_id,
            settles_after=settles_after,
        )
    settled = await tenant.rows(
        "SELECT issue_id FROM ims.session_frontier WHERE session_id = %s AND state <> 'pending'",
        tenant.session_id,
    )
    brought = await tenant.rows(
        "SELECT issue_id FROM ims.session_issues brought JOIN ims.issues USING (issue_pk)"
        " WHERE brought.session_id = %s",
        tenant.session_id,
    )
    assert sorted(brought) == sorted(settled)
    assert (added.new, added.unchanged) == (len(EVERY_CASE), len(settled))
    return {int(number) for (number,) in settled}


async def test_only_what_is_surely_unchanged_is_settled_by_its_time(
    tenant: Tenant, database: Database
) -> None:
    with database.superuser() as connection:
        store(connection, tenant)
    expected = {number for number, case in enumerate(EVERY_CASE) if case.is_unchanged}
    assert expected
    assert await listed(tenant, MARGIN) == expected
    assert await listed(await tenant.again(), None) == set()


class Telling:
    """A kind whose list tells when an issue was changed, to the second, and what it is asked for."""

    def __init__(self, crawler: Crawler, moods: Moods, tracker: StandIn) -> None:
        self.crawler = Crawler(crawler.database, crawler.home, kind="moody")
        self.moods = moods
        self.tracker = tracker
        self.changed = dict.fromkeys(tracker.world.numbers(), CHANGED)

    async def crawl(self, query: str = "*", **options: Any) -> tuple[dict[str, Any], int]:
        """Crawl; the receipt, and how many issues were asked for."""
        modified = {str(number): moment.isoformat() for number, moment in self.changed.items()}
        self.moods.be(features={"modified_precision": 1}, modified=modified)
        self.tracker.requests.clear()
        crawled = await self.crawler.crawl(self.tracker, query, **options)
        assert crawled.error is None
        told = receipt(self.crawler.user_id, crawled.lease.session_uuid)
        assert told["complete"]
        brought = "SELECT count(*) FROM ims.session_issues WHERE session_id = %s"
        assert self.crawler.value(brought, crawled.lease.session_id) == told["found"] - told["skipped"]
        return told, self.tracker.requests[ISSUE_PATH]


async def test_a_crawl_asks_only_for_what_the_list_says_is_changed(crawler: Crawler, moods: Moods) -> None:
    async with StandIn(synthetic=30) as tracker:
        telling = Telling(crawler, moods, tracker)
        told, asked = await telling.crawl()
        assert (told["stored_new"], asked) == (30, 30)
        edited, *_ = tracker.world.numbers()
        tracker.edit_issue(edited, title="Another one")
        telling.changed[edited] += timedelta(seconds=1)
        told, asked = await telling.crawl(attachments=True)
        assert (told["unchanged"], told["stored_changed"], asked) == (29, 1, 1)
        told, asked = await telling.crawl()
        assert (told["found"], told["unchanged"], asked) == (30, 30, 0)


@pytest.mark.parametrize(("query", "options"), [("*", {"related": True}), ("* -nowhere", {})])
async def test_who_wants_more_of_an_issue_than_that_it_is_stored_has_it_looked_at(
    crawler: Crawler, moods: Moods, query: str, options: dict[str, Any]
) -> None:
    async with StandIn(synthetic=5) as tracker:
        telling = Telling(crawler, moods, tracker)
        await telling.crawl()
        told, asked = await telling.crawl(query, **options)
    assert (told["unchanged"], asked) == (5, 5)


async def test_an_issue_that_was_changed_just_before_it_was_read_is_read_again(
    crawler: Crawler, moods: Moods
) -> None:
    async with StandIn(synthetic=3) as tracker:
        telling = Telling(crawler, moods, tracker)
        recent, *_ = tracker.world.numbers()
        telling.changed[recent] = datetime.now(UTC).replace(microsecond=0)
        await telling.crawl()
        tracker.edit_issue(recent, title="In the same second")
        told, asked = await telling.crawl()
    assert (told["unchanged"], told["stored_changed"], asked) == (2, 1, 1)


async def test_a_kind_that_takes_several_references_gets_as_many_as_it_takes(
    crawler: Crawler, moods: Moods
) -> None:
    moods.be(features={"batch_size": 10}, reject=["400002"])
    moody = Crawler(crawler.database, crawler.home, kind="moody")
    async with StandIn(synthetic=45) as tracker:
        tracker.remove_issue(400004)
        crawled = await moody.crawl(tracker, workers=2)
    assert crawled.outcome["issues_new"] == 43
    assert crawled.outcome["failed_issues"] == 1
    assert sum(moods.batches) == 44
    assert max(moods.batches) == 10
    assert len(moods.batches) <= 44 // 10 + 3  # a batch ends where a page of the list does
