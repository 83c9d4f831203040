"""Views for reporting tools: what happened to issues, and in which status they were when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.analytics import Desk
from tests.fixtures.database import Server
from tests.fixtures.schema import ALICE, ANA, BOB, fresh_database

START = datetime(2026, 1, 1, tzinfo=UTC)


def jan(day: int) -> datetime:
    return START + timedelta(days=day - 1)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """One issue of alice's with all that can happen to it, and one of bob's."""
    issue = desk.issue(
        "1",
        product="Tibero",
        reporter="Kim",
        status="Closed",
        state="done",
        registered_date="2026-01-01Z",
        removed_at="2026-01-09Z",
        removed_reason="deleted",
        changes=[("2026-01-03Z", "Status", "New", "Closed")],
    )
    desk.write("UPDATE ims.issue_history SET changed_by = 'Lee'")
    desk.write(
        "INSERT INTO ims.issue_comments (issue_pk, comment_number, author, content, commented_at, removed_at)"
        " SELECT %s, * FROM (VALUES (1, 'Lee', 'why?', timestamptz '2026-01-02Z', NULL::timestamptz),"
        " (2, 'Kim', 'oops', '2026-01-04Z', '2026-01-06Z'), (NULL, NULL, 'when?', NULL, NULL)) AS said",
        issue,
    )
    desk.write(
        "INSERT INTO ims.attachments (issue_pk, filename, author, attached_at, removed_at)"
        " VALUES (%s, 'a.log', 'Kim', '2026-01-05Z', '2026-01-07Z')",
        issue,
    )
    desk.issue("9", registered_date="2026-01-02Z", reporter="Bob", status="New", state="open", user_id=BOB)
    return desk


def test_v_issue_events(filled: Desk) -> None:
    events = (
        "SELECT happened_at, kind, author, field, old_value, new_value FROM ims.v_issue_events"
        " ORDER BY happened_at, kind"
    )
    assert filled.ask(events) == [
        (jan(1), "opened", "Kim", None, None, None),
        (jan(2), "commented", "Lee", "comment 1", None, "why?"),
        (jan(3), "changed", "Lee", "Status", "New", "Closed"),
        (jan(4), "commented", "Kim", "comment 2", None, "oops"),
        (jan(5), "attached", "Kim", "attachment", None, "a.log"),
        (jan(6), "vanished", None, "comment 2", "oops", None),
        (jan(7), "vanished", None, "attachment", "a.log", None),
        (jan(9), "vanished", None, None, None, "deleted"),
        (None, "commented", None, "comment", None, "when?"),
    ]
    assert filled.ask(events, user_id=BOB) == [(jan(2), "opened", "Bob", None, None, None)]
    assert len(filled.ask(events, user_id=ANA)) == 10


def test_v_issue_states(filled: Desk) -> None:
    states = (
        "SELECT issue_id, status, state, valid_from, valid_to"
        " FROM ims.v_issue_states ORDER BY issue_id, valid_from"
    )
    alices = [("1", "New", "open", jan(1), jan(3)), ("1", "Closed", "done", jan(3), jan(9))]
    bobs = [("9", "New", "open", jan(2), None)]
    assert filled.ask(states) == alices
    assert filled.ask(states, user_id=BOB) == bobs
    assert filled.ask(states, user_id=ANA) == alices + bobs


@pytest.fixture(scope="module")
def shared(server: Server, template: str) -> Iterator[Desk]:
    with fresh_database(server, template) as database:
        yield Desk(database)


WORDS = st.sampled_from(["New", "Closed", "조치완료", "In Dev", "", "closed"])


@given(
    born=st.none() | st.integers(0, 20),
    removed=st.none() | st.integers(0, 40),
    now=st.tuples(WORDS, st.sampled_from(["open", "done", "unknown", "in_progress"])),
    changes=st.lists(st.tuples(st.integers(0, 30), WORDS, WORDS), max_size=5),
)
def test_at_every_moment_an_issue_is_in_one_status(
    shared: Desk,
    born: int | None,
    removed: int | None,
    now: tuple[str, str],
    changes: list[tuple[int, str, str]],
) -> None:
    shared.write("DELETE FROM ims.issues")
    shared.issue(
        "1",
        status=now[0],
        state=now[1],
        registered_date=None if born is None else START + timedelta(days=born),
        first_crawled_at=START + timedelta(days=21),
        last_crawled_at=START + timedelta(days=35),
        removed_at=None if removed is None else START + timedelta(days=removed),
        changes=[(str(START + timedelta(days=at)), "status", old, new) for at, old, new in changes],
    )
    rows = shared.ask("SELECT valid_from, valid_to FROM ims.v_issue_states ORDER BY valid_from")
    first = START + timedelta(days=21 if born is None else born)
    end = None if removed is None else START + timedelta(days=removed)
    if end is not None and end <= first:
        assert rows == []
        return
    assert [begun for begun, _ in rows] == [first, *(ended for _, ended in rows[:-1])]
    assert rows[-1][1] == end
    assert all(ended is None or begun < ended for begun, ended in rows)
    assert shared.ask("SELECT count(*) FROM ims.v_issue_events")[0][0] == 1 + len(changes) + (end is not None)


def test_nobody_sees_another_users_events(filled: Desk) -> None:
    for view in ("v_issue_events", "v_issue_states"):
        assert filled.ask(f"SELECT DISTINCT user_id FROM ims.{view}") == [(ALICE,)]  # noqa: S608
