"""Issues that the list told whole are not asked for by themselves, and are read all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import NotFound
from crawler.json_document import JsonNode
from crawler.source import Connection, Reference, Source
from crawler.sources import find_kind
from crawler.sources.github.listed import ListedIssues
from tests.trackers.github.standin import NAME, OTHER, TOKEN, GitHubStandIn, user
from tests.trackers.suite import Tracker
from tests.trackers.suite import issue as issue_of

NOBODY = frozenset[str]()


@pytest.fixture
def server() -> Iterator[GitHubStandIn]:
    """A repository of three issues, one closed by somebody; GitHub's list does not say by whom."""
    server = GitHubStandIn(3)
    server.happen(3, "closed")
    server.issues[3]["state"] = "closed"
    server.comment(2, "first")
    with server.serving():
        yield server


@pytest.fixture
def tracker(server: GitHubStandIn) -> Tracker:
    """The account with the token."""
    return Tracker(
        kind=find_kind("github"),
        connection=Connection(base_url=server.base, password=TOKEN),
        issues=frozenset("123"),
        missing="99",
        product="desk",
        product_issues=frozenset("123"),
        word="timeout",
        word_issues=NOBODY,
    )


async def _list(source: Source) -> None:
    assert [len(page.references) async for page in source.search(None)] == [3]


async def test_a_listed_issue_costs_its_timeline_and_is_the_same_as_one_asked_for_by_itself(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        await _list(source)
        server.asked.clear()
        listed = [await issue_of(source, tracker.parser, number) for number in "123"]
        assert server.asked_paths() == [f"/repos/{NAME}/issues/{number}/timeline" for number in "123"]
        server.issues[3]["closed_by"] = user("lee")
        assert [await issue_of(source, tracker.parser, number) for number in "123"] == listed
    assert listed[2].extra["closed_by"] == "lee"


async def test_a_comment_that_came_after_the_list_is_read_with_the_issue_anew(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        await _list(source)
        server.comment(2, "second", "2026-03-09T10:00:00Z")
        server.issues[2]["title"] = "Another"
        record = await issue_of(source, tracker.parser, "2")
    assert (record.title, record.comments_announced, len(record.comments)) == ("Another", 2, 2)


async def test_an_issue_that_is_gone_since_the_list_is_said_to_be(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        await _list(source)
        server.transfer(1, 12)
        server.deleted.add(2)
        del server.issues[2]
        assert (await issue_of(source, tracker.parser, "1")).issue_id == f"{OTHER}#12"
        with pytest.raises(NotFound, match="was deleted"):
            await source.fetch(Reference(issue_id="2"))


async def test_an_issue_of_another_repository_is_none_of_the_listed_ones(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        await _list(source)
        server.elsewhere[2] = {**server.issues[2], "title": "Elsewhere"}
        assert (await issue_of(source, tracker.parser, f"{OTHER}#2")).title == "Elsewhere"


@given(
    rows=st.lists(st.tuples(st.integers(1, 5), st.text()), max_size=30),
    room=st.integers(0, 200),
)
def test_what_is_taken_is_what_was_kept_last_and_no_more_than_there_is_room_for(
    rows: list[tuple[int, str]], room: int
) -> None:
    listed, roomy = ListedIssues(room), ListedIssues()
    last = {}
    for number, title in rows:
        last[number] = {"number": number, "title": title}
        listed.keep(JsonNode(last[number]))
        roomy.keep(JsonNode(last[number]))
    assert sum(map(len, listed._packed.values())) <= room
    for number, row in last.items():
        assert json.loads(roomy.take(number) or b"") == row
        body = listed.take(number)
        assert body is None or json.loads(body) == row
        assert listed.take(number) is None
    assert listed._room == room
