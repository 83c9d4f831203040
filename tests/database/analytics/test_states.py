"""Figures follow a team's own status words, at once and without another crawl."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.sources.ims.standin import StandIn
from db.loader import load_batch
from db.rows import IssueRow
from tests.fixtures.analytics import Desk
from tests.fixtures.crawl import Crawler
from tests.fixtures.database import Server, libpq_url
from tests.fixtures.schema import ALICE, ANA, BOB, Database, fresh_database
from tests.fixtures.shell import Shell

STATES = ("open", "in_progress", "done", "unknown")
OPEN = "SELECT sum(open_issues)::int FROM ims.backlog_age('2026-03-01Z')"
CLOSED = "SELECT sum(closed)::int FROM ims.issue_flow('2026-01-01Z', '2026-03-01Z')"


def tracker(desk: Desk, name: str = "desk", user_id: int = ALICE) -> int:
    """A tracker's number."""
    ((number,),) = desk.ask(
        "INSERT INTO ims.trackers (name, kind, base_url) VALUES (%s, 'ims', 'http://localhost')"
        " RETURNING tracker_id",
        name,
        user_id=user_id,
    )
    return int(number)


def say(desk: Desk, tracker_id: int, word: str, state: str, user_id: int = ALICE) -> None:
    """Say in SQL what a word means."""
    desk.write(
        "INSERT INTO ims.tracker_states (tracker_id, word, state) VALUES (%s, %s, %s)"
        " ON CONFLICT (user_id, tracker_id, word) DO UPDATE SET state = excluded.state",
        *(tracker_id, word, state),
        user_id=user_id,
    )


@pytest.fixture
def team(desk: Desk) -> Desk:
    """Issues in a team's own words: two 조치완료, one Parked that the tracker calls open; bob's too."""
    for user_id in (ALICE, BOB):
        number = tracker(desk, user_id=user_id)
        for issue_id, closed in (("1", "2026-01-11"), ("2", "2026-01-21")):
            desk.issue(
                issue_id,
                tracker_id=number,
                product="Tibero",
                status="조치완료",
                registered_date="2026-01-01Z",
                changes=[
                    ("2026-01-05Z", "Status", "New", "In Dev"),
                    (f"{closed}Z", "Status", "In Dev", "조치완료"),
                ],
                user_id=user_id,
            )
        desk.issue(
            "3",
            tracker_id=number,
            product="JEUS",
            status="Parked",
            state="open",
            registered_date="2026-01-02Z",
            user_id=user_id,
        )
    return desk


def number_of(desk: Desk) -> int:
    ((number,),) = desk.ask("SELECT tracker_id FROM ims.trackers")
    return int(number)


def test_v_tracker_states(team: Desk) -> None:
    listed = (
        "SELECT tracker, word, issues, changes, state, is_own"
        ' FROM ims.v_tracker_states ORDER BY word COLLATE "C"'
    )
    before = [
        ("desk", "In Dev", 0, 2, "unknown", False),
        ("desk", "Parked", 1, 0, "open", False),
        ("desk", "조치완료", 2, 2, "unknown", False),
    ]
    assert team.ask(listed) == before
    say(team, number_of(team), "PARKED ", "done")
    say(team, number_of(team), "조치완료", "done")
    assert team.ask(listed) == [
        before[0],
        ("desk", "Parked", 1, 0, "done", True),
        ("desk", "조치완료", 2, 2, "done", True),
    ]
    assert team.ask(listed, user_id=BOB) == before  # his own words are another team's
    assert len(team.ask(listed, user_id=ANA)) == 6


def test_known_states(team: Desk) -> None:
    known = "SELECT plain, state, is_own FROM ims.known_states() ORDER BY plain"
    assert team.ask(known) == [("parked", "open", False)]
    say(team, number_of(team), "In  dev", "in_progress")
    say(team, number_of(team), "Parked", "done")
    assert team.ask(known) == [("in dev", "in_progress", True), ("parked", "done", True)]


def test_every_figure_counts_anew_at_once(team: Desk) -> None:
    team.ask("SELECT ims.refresh_materialized_views()")
    summary = "SELECT sum(closed)::int FROM ims.v_daily_summary"
    products = "SELECT sum(open_issues)::int, sum(unplaced_issues)::int FROM ims.v_product_stats"
    found = "SELECT count(*) FROM ims.search_issues('', filters => '{\"status\": \"open\"}')"
    closing = "SELECT issues, p50 FROM ims.time_to_close()"
    dashboard = (
        "SELECT open_issues, unplaced_issues FROM ims.v_user_dashboard WHERE user_id = ims.current_user_id()"
    )
    questions = (OPEN, CLOSED, summary, products, found, closing, dashboard)

    def figures() -> list[Sequence[Any]]:
        return [team.ask(question)[0] for question in questions]

    before = figures()
    assert before == [(3,), (0,), (0,), (3, 2), (1,), (0, None), (3, 2)]
    say(team, number_of(team), "조치완료", "done")
    assert figures() == [(1,), (2,), (2,), (1, 0), (1,), (2, timedelta(days=15)), (1, 0)]
    team.write("UPDATE ims.tracker_states SET state = 'in_progress'")
    assert figures() == [(3,), (0,), (0,), (3, 0), (3,), (0, None), (3, 0)]
    team.write("DELETE FROM ims.tracker_states")
    assert figures() == before
    assert team.ask(OPEN, user_id=BOB) == [(3,)]


def test_what_a_tracker_tells_of_a_word_holds_for_its_history(desk: Desk) -> None:
    number = tracker(desk)
    desk.issue("1", tracker_id=number, status="Shelved", state="done", registered_date="2026-01-01Z")
    desk.issue(
        "2",
        tracker_id=number,
        status="New",
        state="open",
        registered_date="2026-01-01Z",
        changes=[("2026-01-05Z", "status", "New", "Shelved"), ("2026-01-09Z", "status", "Shelved", "New")],
    )
    states = "SELECT state FROM ims.status_spans() WHERE issue_pk = %s ORDER BY entered_at"
    ((pk,),) = desk.ask("SELECT issue_pk FROM ims.issues WHERE issue_id = '2'")
    assert desk.ask(states, pk) == [("open",), ("done",), ("open",)]
    say(desk, number, "shelved", "in_progress")  # but what the owner says comes first
    assert desk.ask(states, pk) == [("open",), ("in_progress",), ("open",)]


def test_time_between(team: Desk) -> None:
    between = "SELECT issues, p50, p90 FROM ims.time_between({})"
    assert team.ask(between.format("'in dev', '조치완료'")) == [(2, timedelta(days=11), timedelta(days=15))]
    assert team.ask(between.format("'In Dev', '조치완료', to_ts => '2026-01-12Z'")) == [
        (1, timedelta(days=6), timedelta(days=6))
    ]
    assert team.ask(between.format("'In Dev', '조치완료', 'tib', '2026-01-12Z'"))[0][0] == 1
    assert team.ask(between.format("'New', 'in dev'")) == [(2, timedelta(days=4), timedelta(days=4))]
    for nothing in ("'조치완료', 'In Dev'", "'In Dev', 'In Dev'", "'', NULL", "'In Dev', '조치완료', 'JEUS'"):
        assert team.ask(between.format(nothing)) == [(0, None, None)], nothing


def test_time_between_takes_the_first_arrival_after_the_first_start(desk: Desk) -> None:
    desk.issue(
        "1",
        status="QA",
        registered_date="2026-01-01Z",
        changes=[
            ("2026-01-02Z", "status", "QA", "In Dev"),  # it was in QA before, which is no arrival
            ("2026-01-04Z", "status", "In Dev", "QA"),
            ("2026-01-06Z", "status", "QA", "In Dev"),
            ("2026-01-16Z", "status", "In Dev", "QA"),
        ],
    )
    assert desk.ask("SELECT issues, p99 FROM ims.time_between('In Dev', 'QA')") == [(1, timedelta(days=2))]
    assert desk.ask("SELECT issues, p99 FROM ims.time_between('QA', 'QA')") == [(1, timedelta(days=3))]


async def test_the_loader_keeps_what_the_tracker_told(team: Desk) -> None:
    number = number_of(team)
    say(team, number, "Parked", "done")
    told = "SELECT status, state, tracker_state FROM ims.issues WHERE issue_id = %s"
    rows = [
        IssueRow(issue_id="3", title="t", status="Parked", state="in_progress"),
        IssueRow(issue_id="4", title="t", status="parked", state="open"),
        IssueRow(issue_id="5", title="t", status="New", state="open"),
    ]
    await load(team.database, number, rows)
    assert team.ask(told, "3") == [("Parked", "done", "in_progress")]
    assert team.ask(told, "4") == [("parked", "done", "open")]
    await load(
        team.database,
        number,
        [
            IssueRow(issue_id="4", title="t", status="New", state="open"),
            IssueRow(issue_id="5", title="t", status="Parked", state="open"),
        ],
    )
    assert team.ask(told, "4") == [("New", "open", None)]
    assert team.ask(told, "5") == [("Parked", "done", "open")]
    team.write("DELETE FROM ims.tracker_states")
    assert team.ask(told, "3") == [("Parked", "in_progress", None)]
    assert team.ask(told, "5") == [("Parked", "open", None)]


async def load(database: Database, tracker_id: int, rows: Sequence[IssueRow]) -> None:
    conninfo = libpq_url(database.app_url)
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        await load_batch(connection, user_id=ALICE, tracker_id=tracker_id, session_id=None, rows=rows)


@pytest.fixture(scope="module")
def shared(server: Server, template: str) -> Iterator[Desk]:
    with fresh_database(server, template) as database:
        desk = Desk(database)
        tracker(desk)
        yield desk


FORGET = "DELETE FROM ims.tracker_states WHERE ims.plain_status(word) = ims.plain_status(%s)"
WORDS = st.sampled_from(["QA", " qa ", "In\u00a0 QA", "in qa", "조치완료", "Closed", "", "ｑａ"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("issue"), st.sampled_from("123"), WORDS, st.sampled_from(STATES)),
        st.tuples(st.just("move"), st.sampled_from("123"), WORDS, st.none()),
        st.tuples(st.just("say"), WORDS.filter(str.strip), st.sampled_from(STATES), st.none()),
        st.tuples(st.just("forget"), WORDS, st.none(), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=20)
@given(steps=STEPS)
def test_a_state_is_the_owners_word_else_what_was_told(shared: Desk, steps: list[Any]) -> None:
    number = number_of(shared)
    issues: dict[str, tuple[str, str]] = {}
    said: dict[str, str] = {}
    shared.write("DELETE FROM ims.issues")
    shared.write("DELETE FROM ims.tracker_states")
    for step, one, two, three in steps:
        if step == "issue":
            issues[one] = (two, three)
            shared.write("DELETE FROM ims.issues WHERE issue_id = %s", one)
            shared.issue(one, tracker_id=number, status=two, state=three)
        elif step == "move":  # by hand, to another status of the same state
            if one in issues:
                issues[one] = (two, issues[one][1])
                shared.write("UPDATE ims.issues SET status = %s WHERE issue_id = %s", two, one)
        elif step == "say":
            said[plain(one)] = two
            shared.write(FORGET, one)
            say(shared, number, one, two)
        else:
            said.pop(plain(one), None)
            shared.write(FORGET, one)
    wanted = {
        issue_id: (said.get(plain(word), told), told if plain(word) in said else None)
        for issue_id, (word, told) in issues.items()
    }
    rows = shared.ask("SELECT issue_id, state, tracker_state FROM ims.issues")
    assert {issue_id: (state, told) for issue_id, state, told in rows} == wanted


def plain(word: str) -> str:
    return " ".join(word.split()).lower()


@pytest.mark.xdist_group("shell")
def test_trackers_states(shell: Shell) -> None:
    added = shell("trackers", "add", "desk", "--kind", "trac", "--url", "http://trac.example.com")
    assert added.status == 0, added.err
    assert shell("trackers", "states", "desk", "--json").document == []
    said = shell("trackers", "states", "desk", "--set", "조치완료=done", "--set", "A=B=in progress", "--json")
    assert said.document == [
        {"word": "A=B", "issues": 0, "changes": 0, "state": "in_progress", "own": True},
        {"word": "조치완료", "issues": 0, "changes": 0, "state": "done", "own": True},
    ]
    again = shell("trackers", "states", "desk", "--set", "a=b=open", "--set", "A=b=done", "--json")
    assert {row["word"]: row["state"] for row in again.document} == {"A=b": "done", "조치완료": "done"}
    assert "done" in shell("trackers", "states", "desk").out
    left = shell("trackers", "states", "desk", "--remove", "a=B", "--json")
    assert [row["word"] for row in left.document] == ["조치완료"]
    for wrong in (
        ("--set", "조치완료"),
        ("--set", "조치완료=finished"),
        ("--set", "=done"),
        ("--remove", "조치"),
        ("--set", "x" * 601 + "=done"),
    ):
        refused = shell("trackers", "states", "desk", *wrong)
        assert refused.status == 2, wrong
        assert refused.err.count("\n") == 1
    assert shell("trackers", "states", "nobodys").status == 2


async def test_a_crawl_that_asks_for_open_issues_goes_by_the_owners_words(crawler: Crawler) -> None:
    async with StandIn(synthetic=5) as standin:
        await crawler.crawl(standin)
        number = crawler.value("SELECT tracker_id FROM ims.trackers")
        opened = await crawler.crawl(standin, "show open issues")
        desk = Desk(crawler.database)
        for word in {status for (status,) in crawler.rows("SELECT DISTINCT status FROM ims.issues")}:
            say(desk, number, word.upper(), "done")
        closed = await crawler.crawl(standin, "show open issues")
    assert opened.outcome["skipped_issues"] < 5
    assert closed.outcome["skipped_issues"] == 5
    assert crawler.value("SELECT count(*) FROM ims.issues WHERE state = 'done'") == 5
