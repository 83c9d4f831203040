"""Lists that shift, end early or repeat themselves while they are read: no issue that stays is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import TrackerError, UnknownProduct, UsageError
from crawler.query import parse_direct
from crawler.source import Connection, Source
from crawler.sources.jira import KIND
from crawler.sources.jira.cursor import JiraCursor
from crawler.sources.jira.query import Dates, jql
from crawler.sources.jira.search import Hit, Hits, step_of_cloud, step_of_server
from tests.fixtures.api_server import Asked, Reply
from tests.trackers.jira.jql import Jql
from tests.trackers.jira.standin import SECRET, TOKEN, USER, JiraStandIn, filled
from tests.trackers.suite import numbers

SEOUL = ZoneInfo("Asia/Seoul")
START = datetime(2024, 3, 1, tzinfo=UTC)


class Served:
    """A list of issues that are created and deleted while it is read."""

    def __init__(self, minutes: list[int]) -> None:
        self.hits = [
            Hit(key=f"A-{number}", created=START + timedelta(minutes=minute), updated=START)
            for number, minute in enumerate(sorted(minutes), 1)
        ]
        self.gone: set[str] = set()

    def listed(self, text: str, zone: ZoneInfo | None) -> list[Hit]:
        matches = Jql(text, zone=zone, exists=lambda key: True).matches
        found = [each for each in self.hits if matches(each) and each.key not in self.gone]
        return sorted(found, key=lambda each: (each.created, int(each.key[2:])), reverse=True)

    def change(self, what: int) -> None:
        if what < 0:
            when = max((each.created or START for each in self.hits), default=START)
            self.hits.append(Hit(key=f"A-{len(self.hits) + 1}", created=when, updated=START))
        elif what < len(self.hits):
            self.gone.add(self.hits[what].key)


@example(minutes=[0, 0, 1, 1, 1, 1, 1, 1, 1], changes=[], size=1, most=2, zone=None)
@given(
    minutes=st.lists(st.integers(0, 12), max_size=40),
    changes=st.lists(st.integers(-1, 40), max_size=12),
    size=st.integers(1, 7),
    most=st.integers(2, 9),
    zone=st.sampled_from([None, SEOUL]),
)
def test_a_server_list_that_shifts_loses_no_issue_that_stays(
    minutes: list[int], changes: list[int], size: int, most: int, zone: ZoneInfo | None
) -> None:
    served, there = Served(minutes), {f"A-{number}" for number in range(1, len(minutes) + 1)}
    dates, place, given = Dates(is_cloud=False, zone=zone), JiraCursor(), set[str]()
    for turn in range(1000):
        found = served.listed(jql(dates, until=place.until), SEOUL)
        asked = min(size + (place.last is not None), most)
        rows = tuple(found[place.start : place.start + asked])
        step = step_of_server(Hits(rows=rows, total=len(found)), place, dates, size, deepest=6)
        given |= {hit.key for hit in step.fresh}
        if step.place is None:
            break
        place = JiraCursor.read(step.place.text())
        if changes and turn % 2:
            served.change(changes.pop())
    else:
        pytest.fail("the list has no end")
    assert there - served.gone <= given


@given(
    minutes=st.lists(st.integers(0, 12), max_size=40),
    moods=st.lists(st.sampled_from(["fine", "fine", "expired", "empty", "again"]), max_size=12),
    size=st.integers(1, 7),
)
def test_tokens_that_expire_or_repeat_or_bring_nothing_lose_no_issue(
    minutes: list[int], moods: list[str], size: int
) -> None:
    served, dates = Served(minutes), Dates(is_cloud=True)
    place, given, tokens = JiraCursor(), set[str](), dict[str, int]()
    for turn in range(1000):
        found = served.listed(jql(dates, until=place.until), None)
        mood = moods.pop() if moods else "fine"
        start = 0 if place.token is None else tokens[place.token]
        if mood == "expired" and place.token is not None:
            step = step_of_cloud(Hits(rows=(), is_refused=True), place)
        else:
            end = start if mood == "empty" else start + size
            token = place.token if mood == "again" and place.token else f"token-{turn}"
            if token != place.token:
                tokens[token] = end
            more = token if end < len(found) or mood == "empty" else None
            step = step_of_cloud(Hits(rows=tuple(found[start:end]), token=more), place)
        given |= {hit.key for hit in step.fresh}
        if step.place is None:
            break
        place = JiraCursor.read(step.place.text())
    else:
        pytest.fail("the list has no end")
    assert given == {each.key for each in served.hits}


def connection(jira: JiraStandIn, **options: Any) -> Connection:
    who = {"username": USER, "password": SECRET} if jira.is_cloud else {"password": TOKEN}
    return Connection(base_url=jira.url + jira.context, options=options, **who)


def open_source(jira: JiraStandIn, client: Client, **options: Any) -> Source:
    return KIND.open_source(connection(jira, **options), client)


@pytest.mark.parametrize("is_cloud", [False, True])
async def test_a_list_that_never_ends_and_brings_nothing_is_refused(is_cloud: bool) -> None:
    jira = filled(is_cloud=is_cloud)

    def stuck(asked: Asked) -> Reply | None:
        if "/search" not in asked.path:
            return None
        told: dict[str, Any] = {"issues": [], "nextPageToken": f"t{len(jira.asked)}", "isLast": False}
        row = {"key": "DOC-1", "fields": {"created": "2024-01-01T09:00:00.000+0000", "updated": None}}
        return Reply(told if is_cloud else {"issues": [row], "total": 99})

    jira.before.append(stuck)
    with jira.serving() as url:
        async with Client(url) as client:
            with pytest.raises(TrackerError, match="try again later"):
                await numbers(open_source(jira, client))


@pytest.mark.parametrize("is_cloud", [False, True])
async def test_numbers_are_found_in_every_project_and_words_where_they_are_sent(is_cloud: bool) -> None:
    jira = filled(is_cloud=is_cloud)
    with jira.serving() as url:
        async with Client(url) as client:
            source = open_source(jira, client, word_index=True)
            by_number = await numbers(source, parse_direct("3 11 999"))
            assert sorted(by_number) == ["DOC-11", "DOC-3", "OPS-11", "OPS-3"]
            assert await numbers(source, parse_direct("3"), product="ops") == ["OPS-3"]
            assert await numbers(source, parse_direct("3"), since=jira.now) == []
            words = await numbers(source, parse_direct("+zebras +backups"))
            assert sorted(words) == ["OPS-3", "OPS-6", "OPS-9"]
            everything = await numbers(open_source(jira, client), parse_direct("+zebras"))
            assert len(everything) == len(jira.issues)


@pytest.mark.parametrize("is_cloud", [False, True])
async def test_a_project_is_known_by_key_name_or_beginning(is_cloud: bool) -> None:
    jira = filled(is_cloud=is_cloud)
    jira.projects["OPSX"] = "Night shift"
    jira.create("OPSX", "Asleep")
    with jira.serving() as url:
        async with Client(url) as client:
            source = open_source(jira, client)
            assert len(await numbers(source, product="documents")) == 12
            assert len(await numbers(source, product="ops")) == 11
            assert len(await numbers(source, product="op")) == 12
            with pytest.raises(UnknownProduct, match="DOC"):
                await numbers(source, product="DOCS")


async def test_a_cursor_of_another_kind_is_refused() -> None:
    jira = filled()
    with jira.serving() as url:
        async with Client(url) as client:
            with pytest.raises(UsageError):
                await numbers(open_source(jira, client), cursor='{"type":"trac"}')


async def test_since_is_told_by_the_clock_of_the_accounts_profile() -> None:
    jira = filled()
    late = max(jira.issues, key=lambda each: each.updated)
    with jira.serving() as url:
        async with Client(url) as client:
            assert await numbers(open_source(jira, client), since=late.updated) == [late.key]
        told = [each.json()["jql"] for each in jira.asked if each.path.endswith("/search")]
    local = late.updated.astimezone(SEOUL)
    assert told == [f'updated >= "{local:%Y/%m/%d %H:%M}" ORDER BY created DESC, key DESC']
