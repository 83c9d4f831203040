"""What Bugzilla is asked for, which must never be less than was asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import TrackerError, UnknownProduct, UsageError
from crawler.query import Clause, Occur, Tree, matches, parse_direct
from crawler.source import Connection, Source
from crawler.sources.bugzilla import KIND
from crawler.sources.bugzilla.query import FIELDS, conditions, since_of, words_of
from tests.fixtures.api_server import Asked, Reply
from tests.trackers.bugzilla.standin import KEY, BugzillaStandIn, _matches, filled
from tests.trackers.suite import numbers


@pytest.fixture
def bugzilla() -> Iterator[BugzillaStandIn]:
    standin = filled()
    with standin.serving():
        yield standin


def open_source(bugzilla: BugzillaStandIn, client: Client, **options: Any) -> Source:
    return KIND.open_source(
        Connection(base_url=f"{bugzilla.url}/bugs", password=KEY, options=options), client
    )


TERMS = st.sampled_from(
    ["crash", "crashes", "queries", "memory", "OutOfMemoryError", "ORA-01555", "v7.2", "오류", "ab", "site"]
) | st.from_regex(r"[a-z]{1,7}(ed|ing|es|ies|)", fullmatch=True)
CLAUSES = st.builds(Clause, TERMS, st.sampled_from(Occur), phrase=st.booleans())
PLACES = ["summary", "whiteboard", "cf_site", "op_sys"]


@given(
    clauses=st.lists(CLAUSES, max_size=5),
    place=st.sampled_from([*PLACES, "comment"]),
    words=st.lists(TERMS, min_size=1, max_size=4),
    ending=st.sampled_from(["", "s", "es", "ed", "ing", "Handler"]),
    seed=st.integers(0, 4),
)
def test_a_bug_that_is_meant_is_always_selected(
    clauses: list[Clause], place: str, words: list[str], ending: str, seed: int
) -> None:
    chosen = [*words, *(clause.text + ending for clause in clauses[: seed + 1])]
    text = " ".join(chosen)
    standin = BugzillaStandIn()
    bug = standin.create("Core", "Nothing", text if place == "comment" else "")
    if place != "comment":
        bug.fields[place] = text
    tree = Tree(tuple(clauses))
    if matches(tree, [text], "1"):
        asked: dict[str, list[str]] = {}
        for name, value in conditions(words_of(tree), (*FIELDS, "cf_site")):
            asked.setdefault(name, []).append(value)
        assert _matches(bug, asked)


def test_a_question_fits_into_an_address() -> None:
    should = Tree(tuple(Clause(f"word{number}") for number in range(200)))
    must = Tree(tuple(Clause(f"word{number}", Occur.MUST) for number in range(200)))
    assert conditions(words_of(should), FIELDS) == []  # everything, rather than some of what is meant
    some = conditions(words_of(must), FIELDS)
    assert some
    assert sum(len(name) + len(value) + 2 for name, value in some) <= 6000


@pytest.mark.parametrize("text", ["", "오류", "ab", "-crash", "crash 오류", "12", "2024-01-02"])
def test_what_bugzilla_may_miss_is_not_asked_of_it(text: str) -> None:
    tree = parse_direct(text) if text else Tree()
    assert words_of(tree) == []


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2024, 1, 2, 9, 0, 30, 999, tzinfo=timezone(timedelta(hours=9))), "2024-01-02T00:00:30Z"),
        (datetime.min.replace(tzinfo=UTC), "1970-01-02T00:00:00Z"),
    ],
)
def test_since_is_told_in_utc_and_never_later(moment: datetime, told: str) -> None:
    assert since_of(moment) == told


async def test_a_list_is_read_to_its_end_while_bugs_come_and_go(bugzilla: BugzillaStandIn) -> None:
    there = set(bugzilla.bugs)
    found: list[int] = []
    async with Client(f"{bugzilla.url}/bugs") as client:
        async for page in open_source(bugzilla, client, page_size=5).search(None):
            found += [int(each.issue_id) for each in page.references]
            bugzilla.create("Core", "New")
            there.discard(min(found) - 1)
            bugzilla.bugs.pop(min(found) - 1, None)
            bugzilla.bugs.pop(max(found), None)
    assert there <= set(found)
    assert found == sorted(set(found), reverse=True)


async def test_a_list_in_another_order_is_refused(bugzilla: BugzillaStandIn) -> None:
    bugzilla.before.append(
        lambda asked: Reply({"bugs": [{"id": 1}, {"id": 2}]}) if asked.path.endswith("/bug") else None
    )
    async with Client(f"{bugzilla.url}/bugs") as client:
        with pytest.raises(TrackerError, match="falling numbers"):
            await numbers(open_source(bugzilla, client))


@given(
    there=st.sets(st.integers(1, 25), min_size=1),
    most=st.integers(1, 30),
    size=st.integers(1, 30),
    limit=st.none() | st.integers(1, 30),
)
async def test_a_list_is_read_to_its_end_and_not_beyond(
    there: set[int], most: int, size: int, limit: int | None
) -> None:
    bugzilla = BugzillaStandIn()
    bugzilla.most = most
    for number in range(1, 26):
        bugzilla.create("Core", "Slow")
        if number not in there:
            bugzilla.bugs[number].hidden = True
    with bugzilla.serving():
        async with Client(f"{bugzilla.url}/bugs") as client:
            connection = Connection(base_url=f"{bugzilla.url}/bugs", options={"page_size": size})
            found = await numbers(KIND.open_source(connection, client), limit=limit)
    assert found == [str(number) for number in sorted(there, reverse=True)[:limit]]
    if limit is None:
        lists = sum(each.path.endswith("/bug") for each in bugzilla.asked)
        assert lists == -(-len(there) // min(most, size)) + (1 not in there)


async def test_a_list_that_repeats_itself_ends(bugzilla: BugzillaStandIn) -> None:
    bugzilla.before.append(
        lambda asked: Reply({"bugs": [{"id": 2}, {"id": 1}]}) if asked.path.endswith("/bug") else None
    )
    async with Client(f"{bugzilla.url}/bugs") as client:
        assert await numbers(open_source(bugzilla, client)) == ["2", "1"]


async def test_numbers_are_looked_up_however_many(bugzilla: BugzillaStandIn) -> None:
    many = Tree(tuple(Clause(str(number), number=True) for number in (*range(5, 500), 3)))
    async with Client(f"{bugzilla.url}/bugs") as client:
        source = open_source(bugzilla, client)
        found = await numbers(source, many)
        assert found == [str(number) for number in (*range(20, 4, -1), 3)]
        assert await numbers(source, many, limit=4) == found[:4]
        assert await numbers(source, Tree((Clause("7", number=True),)), since=bugzilla.now) == []
        assert source.render(many).exact


async def test_a_product_is_known_by_name_or_beginning(bugzilla: BugzillaStandIn) -> None:
    bugzilla.create("Mailbox", "Full")
    async with Client(f"{bugzilla.url}/bugs") as client:
        source = open_source(bugzilla, client)
        assert len(await numbers(source, product="mail")) == 7
        assert len(await numbers(source, product="Mai")) == 8
        with pytest.raises(UnknownProduct, match="Mailbox"):
            await numbers(source, product="Mailboxes")
        with pytest.raises(UsageError):
            await numbers(source, cursor='{"type":"jira"}')


async def test_fields_of_administrators_are_searched_too(bugzilla: BugzillaStandIn) -> None:
    async with Client(f"{bugzilla.url}/bugs") as client:
        found = await numbers(open_source(bugzilla, client), parse_direct("+site"))
    assert len(found) == 20
    asked = [each for each in bugzilla.asked if each.path.endswith("/bug") and "f1" in each.query]
    assert asked
    assert all(any("cf_site" in values for values in each.query.values()) for each in asked)


async def test_nothing_is_searched_where_the_fields_are_not_told(bugzilla: BugzillaStandIn) -> None:
    def no_fields(asked: Asked) -> Reply | None:
        return Reply({"fields": None}) if asked.path.endswith("/field/bug") else None

    bugzilla.before.append(no_fields)
    async with Client(f"{bugzilla.url}/bugs") as client:
        with pytest.raises(TrackerError, match="fields"):
            await numbers(open_source(bugzilla, client), parse_direct("+site"))
