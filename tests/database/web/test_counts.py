"""Figures that are kept: of the moment that is said, of now unless they are counted anew, nobody else's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.errors import UsageError
from db.acting import Acting, acting_for
from db.errors import DatabaseRefused
from db.settings import personal_url
from pipeline.reports.html.gather import figures_of
from pipeline.reports.stats import count
from tests.fixtures.database import wait_until
from tests.fixtures.program import LIMIT
from tests.fixtures.rls_identities import PASSWORD, World
from tests.fixtures.schema import ALICE, BOB
from web.counts import SUMS, Count, Counts, Question
from web.visitors import Visitor, Visitors

NAMES = {ALICE: "alice", BOB: "bob"}
# What happens to somebody's rows, the last one of theirs.
WRITES = {
    "an issue comes": """
        INSERT INTO ims.issues (issue_id, title, product, status, state, registered_date)
        SELECT gen_random_uuid(), 'late', 'of ' || username, 'New', 'open', now() - interval '3 days'
        FROM ims.users WHERE user_id = ims.current_user_id()
    """,
    "one is closed": """
        WITH one AS (
            UPDATE ims.issues SET status = 'Closed', state = 'done'
            WHERE issue_pk = (SELECT max(issue_pk) FROM ims.issues WHERE state <> 'done') RETURNING issue_pk
        )
        INSERT INTO ims.issue_history (issue_pk, changed_at, field_name, old_value, new_value)
        SELECT issue_pk, now() - interval '1 hour', 'Status', 'New', 'Closed' FROM one
    """,
    "one is gone": """
        UPDATE ims.issues SET removed_at = now() WHERE issue_pk = (SELECT max(issue_pk) FROM ims.issues)
    """,
    "one is deleted": "DELETE FROM ims.issues WHERE issue_pk = (SELECT max(issue_pk) FROM ims.issues)",
    "a session ends": "INSERT INTO ims.crawl_sessions (original_query, status) VALUES ('+late', 'completed')",
    "sessions are deleted": "DELETE FROM ims.crawl_sessions WHERE original_query = '+late'",
    "a word is told": """
        INSERT INTO ims.tracker_states (tracker_id, word, state)
        SELECT tracker_id, 'New', 'in_progress' FROM ims.trackers LIMIT 1
        ON CONFLICT (user_id, tracker_id, word) DO UPDATE
        SET state = CASE tracker_states.state WHEN 'open' THEN 'in_progress' ELSE 'open' END
    """,
}
PEOPLE = st.sampled_from([ALICE, BOB])
QUESTIONS = st.builds(Question, st.sampled_from([7, 365]), st.sampled_from([None, "of alice"]))
STEPS = st.lists(
    st.tuples(st.just("look"), PEOPLE, QUESTIONS)
    | st.tuples(st.sampled_from(list(WRITES)), PEOPLE, st.none()),
    min_size=3,
    max_size=9,
)


@dataclass(frozen=True)
class House:
    """Two people, each with a login of their own on the database."""

    world: World
    let_in: list[tuple[Visitors, Visitor]] = field(default_factory=list)

    def __repr__(self) -> str:
        """Short, for it is told with every example that fails."""
        return "House()"

    def visitor(self, user_id: int, visitors: Visitors | None = None) -> Visitor:
        """One of them, who has just logged in."""
        database = self.world.database
        url = personal_url(database.server.url(dbname=database.name), self.world.logins[user_id], PASSWORD)
        visitors = visitors or Visitors(idle=600, life=600)
        visitor = visitors.admit(user_id, NAMES[user_id], url)
        self.let_in.append((visitors, visitor))
        return visitor

    def acting(self, user_id: int) -> AbstractContextManager[Acting]:
        """A transaction for one of them, by the application's login."""
        return acting_for(user_id, url=self.world.database.app_url, everybody=False)


@pytest.fixture
def house(world: World) -> Iterator[House]:
    house = House(world)
    yield house
    for visitors, visitor in house.let_in:  # or what is counted for them connects during the next test
        visitors.dismiss(visitor)


def counted_anew(house: House, user_id: int, shown: Count) -> dict[str, Any]:
    """What is to be seen of these figures' moment now, as the shell counts it."""
    told, days = shown.figures, shown.question.days
    with house.acting(user_id) as acting:
        sums = count(acting, days, told.until)
        report = figures_of(acting, told.since, told.product, told.until)
    as_rows = {name: [sums[name]] if isinstance(sums[name], dict) else sums[name] for name in SUMS}
    return {"sums": as_rows, "report": dict(report.rows)}


def said(shown: Count) -> dict[str, Any]:
    return {"sums": dict(shown.sums), "report": dict(shown.figures.rows)}


def look(visitor: Visitor, question: Question) -> tuple[Count | None, Count | None]:
    with visitor.asking() as acting:
        stored = acting.value("asking", "stored", {})
    return visitor.counts.of(question, stored, visitor.asking)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_figures_are_of_their_moment_and_of_nobody_else_whatever_happens(
    house: House, steps: list[tuple[str, int, Question | None]]
) -> None:
    people = {user_id: house.visitor(user_id) for user_id in NAMES}
    known: dict[Count, dict[str, Any]] = {}  # what there was at the moment of each
    for what, user_id, question in steps:
        if question is None:
            with house.acting(user_id) as acting:
                acting.connection.execute(WRITES[what].encode())
            continue
        kept, coming = look(people[user_id], question)
        if kept is not None:
            assert said(kept) == known[kept]
        if coming is None:
            assert kept is not None
            assert said(kept) == counted_anew(house, user_id, kept)
        while coming is not None:
            assert coming.is_over(LIMIT)
            coming.took = 0.0  # as if there were next to nothing to count
            known[coming] = counted_anew(house, user_id, coming)
            assert said(coming) == known[coming]
            told = {row["name"] for row in coming.figures.rows["products"]}
            assert told <= {"", f"of {NAMES[user_id]}"}
            again, anew = look(people[user_id], question)
            assert again is coming
            if anew is not None:  # nothing is counted twice, unless the server committed something of its own
                assert anew.is_over(LIMIT)
                assert anew.stored != coming.stored
            coming = anew


def test_figures_are_counted_anew_after_ten_minutes_and_a_few_are_kept(house: House) -> None:
    alice = house.visitor(ALICE)
    for days in range(1, 10):
        _, coming = look(alice, Question(days, None))
        assert coming is not None
        assert coming.is_over(LIMIT)
    kept, coming = look(alice, Question(9, None))
    assert kept is not None
    assert coming is None or coming.stored != kept.stored  # the server may have committed something
    kept.began -= 601
    assert look(alice, Question(9, None))[1] is not None
    assert look(alice, Question(1, None))[0] is None  # eight others came since


def test_what_takes_long_is_not_counted_at_every_look(house: House) -> None:
    alice, question = house.visitor(ALICE), Question(30, None)
    _, coming = look(alice, question)
    assert coming is not None
    assert coming.is_over(LIMIT)
    with house.acting(ALICE) as acting:
        acting.connection.execute(WRITES["an issue comes"].encode())
    coming.took, coming.began = 4.0, time.monotonic() - 30
    assert look(alice, question) == (coming, None)
    coming.began -= 11
    assert look(alice, question)[1] not in (coming, None)


def test_who_has_left_is_asked_for_by_nobody(house: House) -> None:
    everybody = Visitors(idle=600, life=600)
    alice = house.visitor(ALICE, everybody)
    everybody.dismiss(alice)
    with pytest.raises(DatabaseRefused, match="This session has ended"), alice.asking():
        pass


@pytest.mark.parametrize("moment", ["before", "while it runs", "between two", "after"])
def test_who_leaves_while_something_is_asked_for_them_leaves_no_connection(
    house: House, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = Visitors(idle=600, life=600)
    alice = house.visitor(ALICE, everybody)
    asked: list[str] = []

    @contextmanager
    def leaving(user_id: int, **options: Any) -> Iterator[Acting]:
        if moment == "before":
            everybody.dismiss(alice)
        with acting_for(user_id, **options) as acting:
            yield acting
        if moment == "after":  # its connection is kept already
            everybody.dismiss(alice)

    monkeypatch.setattr("web.visitors.acting_for", leaving)
    with house.world.database.superuser() as connection:

        def hers() -> list[str | None]:
            """What each of her connections waits for."""
            query = "SELECT wait_event FROM pg_stat_activity WHERE usename = %s AND pid <> ALL (%s)"
            return [event for (event,) in connection.execute(query, (house.world.logins[ALICE], before))]

        query = "SELECT array_agg(pid) FROM pg_stat_activity WHERE usename IS NOT NULL"
        (before,) = connection.execute(query).fetchone() or ([],)

        def ask() -> None:
            with suppress(DatabaseRefused, psycopg.errors.QueryCanceled), alice.asking() as acting:
                asked.append(moment)
                acting.connection.execute("SELECT pg_sleep(%s)", (LIMIT if moment == "while it runs" else 0,))
                if moment == "between two":
                    everybody.dismiss(alice)

        asking = threading.Thread(target=ask)
        asking.start()
        if moment == "while it runs":
            wait_until(lambda: hers() == ["PgSleep"], "the question runs")
            everybody.dismiss(alice)
        asking.join(10)
        assert not asking.is_alive()
        assert asked == [moment] * (moment != "before")
        wait_until(lambda: not hers(), "all connections end")


def test_an_error_is_told_to_who_waits_and_then_it_is_tried_again() -> None:
    counts, question = Counts(), Question(30, None)

    @contextmanager
    def failing() -> Iterator[Acting]:
        raise DatabaseRefused("not you")
        yield

    for _ in range(2):
        kept, coming = counts.of(question, None, failing)
        assert kept is None
        assert coming is not None
        for way in (lambda of: of.figures, lambda of: of.sums["issues"], lambda of: of.is_over(LIMIT)):
            with pytest.raises(DatabaseRefused, match="not you"):
                way(coming)


def test_nobody_has_more_than_a_few_questions_counted_at_once() -> None:
    counts, free = Counts(), threading.Event()

    @contextmanager
    def waiting() -> Iterator[Acting]:
        free.wait(LIMIT)
        raise DatabaseRefused("too late")
        yield

    running = [counts.of(Question(days, None), None, waiting)[1] for days in range(4)]
    assert counts.of(Question(0, None), None, waiting) == (None, running[0])  # the same, not once more
    with pytest.raises(UsageError, match="already"):
        counts.of(Question(5, None), None, waiting)
    free.set()
    deadline = time.monotonic() + LIMIT
    while counts._coming:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert counts.of(Question(5, None), None, waiting)[1] is not None
