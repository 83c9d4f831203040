"""The source against a real Roundup."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.client import Client
from crawler.errors import NotFound, NotPermitted, UnknownProduct
from crawler.query import parse_direct
from crawler.records import State
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from tests.trackers.roundup.fix_server import PASSWORD, RoundupServer
from tests.trackers.suite import SourceSuite, Tracker, issue, numbers

pytestmark = pytest.mark.xdist_group("roundup")

KIND = find_kind("roundup")


@pytest.fixture
def tracker(roundup: RoundupServer) -> Tracker:
    """All that kim sees, three issues a page."""
    return Tracker(
        kind=KIND,
        connection=Connection(
            base_url=roundup.url, username="kim", password=PASSWORD, options={"page_size": 3}
        ),
        issues=frozenset("12345678"),
        missing="99",
        product="kernel",
        product_issues=frozenset("24578"),
        word="timeout",
        word_issues=frozenset("57"),
        markup_expected=frozenset("12345678"),
    )


class TestRoundup(SourceSuite):
    """Roundup by its REST interface and its pages."""


async def test_an_issue_is_read_with_everything(tracker: Tracker, roundup: RoundupServer) -> None:
    async with tracker.logged_in() as source:
        one, two = [await issue(source, tracker.parser, number) for number in "12"]
        file = await source.download(two.attachments[0])
    assert (one.title, one.product, one.owner, one.reporter) == ("Renamed", "Net work", None, "admin")
    assert (one.status, one.state, one.priority) == ("in-progress", State.IN_PROGRESS, "urgent")
    assert one.description == "Description 1\n\nORA-01555 타임아웃 <b>&</b>"
    assert [(each.author, each.content, each.commented_at) for each in one.comments] == [
        ("kim", "A comment", datetime(2026, 2, 1, 10, tzinfo=UTC))
    ]
    assert [(each.related_issue_id, each.title) for each in one.relations] == [("2", "접속 오류 2")]
    assert one.extra["nosy"] == ["kim", "lee"]
    assert file.body == b"log\n" * 9
    (name,) = [each.filename for each in two.attachments]
    assert name == "로그 1.txt"

    told = roundup.get("rest/data/issue/1?@fields=activity,creation")["data"]["attributes"]
    times = [datetime.strptime(told[name], "%Y-%m-%d.%H:%M:%S").replace(tzinfo=UTC) for name in told]
    assert {one.modified_date, one.registered_date} == set(times)
    assert one.registered_date is not None
    created, *changes = one.history
    assert (created.change_type, created.changed_by) == ("created", "admin")
    # The page has its times in kim's zone, nine hours ahead.
    assert created.changed_at is not None
    assert abs(created.changed_at - one.registered_date) <= timedelta(seconds=1)
    said = [(each.changed_by, each.field_name, each.old_value, each.new_value) for each in changes]
    assert ("kim", "status", "unread", "in-progress") in said
    assert ("kim", "assignedto", None, "kim") in said
    assert ("kim", "assignedto", "kim", None) in said
    assert ("kim", "superseder", None, "접속 오류 2") in said
    assert ("kim", "keyword", "Kernel", "Net work") in said
    # Where a value has the arrow in it, the words are kept and nothing is guessed.
    assert [each.description for each in changes if each.field_name == "title"] == [
        "title: Timeout 1 -> Renamed & -> moved",
        "title: Renamed & -> moved -> Renamed",
    ]


async def test_another_zone_of_an_account_gives_the_same_times(tracker: Tracker) -> None:
    other = replace(tracker.connection, username="lee", password="lee-secret")
    async with tracker.logged_in() as source, tracker.open(other) as another:
        await another.login()
        mine = await issue(source, tracker.parser, "3")
        theirs = await issue(another, tracker.parser, "3")
    assert [each.changed_at for each in mine.history] == [each.changed_at for each in theirs.history]


async def test_a_retired_issue_is_gone_though_it_answers(tracker: Tracker, roundup: RoundupServer) -> None:
    assert roundup.get("rest/data/issue/9")["data"]["id"] == "9"
    async with tracker.logged_in() as source:
        with pytest.raises(NotFound, match="retired"):
            await source.fetch(Reference(issue_id="9"))


async def test_since_loses_nothing_in_any_zone(tracker: Tracker) -> None:
    west = replace(tracker.connection, username="west", password="west-secret")
    async with tracker.logged_in() as source, tracker.open(west) as another:
        found = {ref.issue_id: ref.modified async for page in source.search(None) for ref in page.references}
        latest = max(moment for moment in found.values() if moment is not None)
        wanted = {number for number, moment in found.items() if moment == latest}
        assert wanted <= set(await numbers(source, since=latest)) < set(found)
        assert wanted <= set(await numbers(another, since=latest)) < set(found)
        assert await numbers(source, since=latest + timedelta(days=2)) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [("3 5 99", ["5", "3"]), ("+3 +5", []), ("9", []), ("3 -timeout", ["3"]), ("timeout", list("87654321"))],
)
async def test_a_query_in_roundups_terms(tracker: Tracker, query: str, found: list[str]) -> None:
    async with tracker.logged_in() as source:
        assert await numbers(source, parse_direct(query)) == found


async def test_strangers_are_told_that_they_need_an_account(tracker: Tracker) -> None:
    stranger = replace(tracker.connection, username=None, password=None)
    async with tracker.open(stranger) as source:
        with pytest.raises(NotPermitted, match="REST"):
            await source.login()


async def test_products_are_of_the_property_that_is_told(tracker: Tracker) -> None:
    for name, product in (("priority", "bug"), ("nonsense", "bug")):
        options = {"product_property": name}
        async with tracker.open(replace(tracker.connection, options=options)) as source:
            await source.login()
            if name == "nonsense":
                with pytest.raises(UnknownProduct, match="nonsense"):
                    await numbers(source, product=product)
            else:
                assert await numbers(source, product=product) == ["7", "2"]


async def test_it_is_recognised(roundup: RoundupServer) -> None:
    assert KIND.recognise is not None
    async with Client(roundup.url) as client:
        assert await KIND.recognise(client) == "Roundup"
    assert KIND.base_of is not None
    assert KIND.base_of(f"{roundup.url}/issue12") == roundup.url
    assert KIND.base_of(f"{roundup.url}/") is None
