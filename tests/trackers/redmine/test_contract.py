"""The source against a real Redmine."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from crawler.client import Client
from crawler.errors import Forbidden, UnknownProduct
from crawler.query import parse_direct
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from tests.trackers.redmine.fill import COUNT
from tests.trackers.redmine.fix_server import PASSWORD, RedmineServer
from tests.trackers.suite import SourceSuite, Tracker, issue, numbers

pytestmark = pytest.mark.xdist_group("redmine")

KIND = find_kind("redmine")
SECRET = frozenset({"8", "11"})  # one was moved into the secret project
PRIVATE = frozenset({"5"})


@pytest.fixture
def tracker(redmine: RedmineServer) -> Tracker:
    """All that kim sees, five issues a page."""
    seen = frozenset(str(number) for number in range(1, COUNT))
    return Tracker(
        kind=KIND,
        connection=Connection(base_url=redmine.url, password=redmine.key(), options={"page_size": 5}),
        issues=seen,
        missing=str(COUNT),
        product="db",
        product_issues=seen - SECRET,
        word="snapshots",
        word_issues=frozenset({"1", "5", "9", "13"}),
    )


class TestRedmine(SourceSuite):
    """Redmine 5 by its API."""


async def test_the_account_may_be_a_name_and_a_password(tracker: Tracker) -> None:
    named = replace(tracker, connection=replace(tracker.connection, username="kim", password=PASSWORD))
    async with named.logged_in() as source:
        assert sorted(await numbers(source)) == sorted(tracker.issues)


async def test_another_account_sees_less(tracker: Tracker, redmine: RedmineServer) -> None:
    for key in (redmine.key("lee"), None):
        other = replace(tracker, connection=replace(tracker.connection, password=key))
        async with other.logged_in() as source:
            assert set(await numbers(source)) == tracker.issues - SECRET - PRIVATE
            record = await issue(source, other.parser, "1")
            assert [each for each in record.comments if each.is_private] == []
            assert "Internal" not in record.extra
            with pytest.raises(Forbidden):
                await source.fetch(Reference(issue_id="8"))
            with pytest.raises(UnknownProduct, match="Datenbank"):
                await numbers(source, product="secret")


@pytest.mark.parametrize(
    ("query", "least"),
    [
        ("timeouts 오류", {"2", "4", "6", "8", "10", "12"}),  # each has one of them in its subject
        ("+감사합니다", {"7"}),
        ("'Only for staff'", {"1"}),
        ("12 99 99999999999 renamed", {"12", "3"}),
    ],
)
async def test_words_find_all_that_have_them_and_not_everything(
    tracker: Tracker, query: str, least: set[str]
) -> None:
    async with tracker.logged_in() as source:
        found = set(await numbers(source, parse_direct(query)))
    assert least <= found < tracker.issues


async def test_since_is_inclusive_and_in_utc(tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        modified = {
            ref.issue_id: ref.modified async for page in source.search(None) for ref in page.references
        }
        times = [moment for moment in modified.values() if moment is not None]
        assert len(times) == len(tracker.issues)
        latest: datetime = max(times)
        since_then = set(await numbers(source, since=latest))
        assert {number for number, moment in modified.items() if moment == latest} <= since_then
        # Redmine keeps fractions, and takes the second before for the same.
        earlier = latest - timedelta(seconds=2)
        assert since_then.isdisjoint(
            number for number, moment in modified.items() if moment is not None and moment <= earlier
        )
        assert await numbers(source, since=latest + timedelta(seconds=2, microseconds=5)) == []


async def test_it_is_recognised(redmine: RedmineServer) -> None:
    assert KIND.recognise is not None
    async with Client(redmine.url) as client:
        assert await KIND.recognise(client) == "Redmine"
