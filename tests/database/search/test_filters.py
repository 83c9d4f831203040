"""The filters of a search, in SQL: each alone and together, for owners and for those who see everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from db import Attachment, Issue, Tracker
from tests.fixtures.database import Server
from tests.fixtures.schema import ALICE, ANA, BOB, Database, fresh_database

pytestmark = pytest.mark.xdist_group("search")

DAY = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def issues(server: Server, template: str) -> Iterator[Database]:
    """Five issues of alice's with one word in common, and one of bob's."""
    with fresh_database(server, template) as database:
        _fill(database)
        yield database


def _fill(database: Database) -> None:
    with database.session(ALICE) as session:
        tracker = Tracker(name="desk", kind="ims", base_url="http://127.0.0.1:1")
        session.add(tracker)
        session.flush()
        for number in range(5):
            session.add(
                Issue(
                    issue_id=f"90{number}",
                    tracker_id=tracker.tracker_id if number < 2 else None,
                    title="quokka",
                    status=["Open", "Closed", "조치완료", "Assigned", "OPEN"][number],
                    state=["open", "done", "unknown", "in_progress", "unknown"][number],
                    priority=["High", "Low", None, "high", "긴급"][number],
                    module=["Parser", "parser", None, "Loader", "x"][number],
                    reporter=["Kim Minji", "이민호", None, "kim", "O'Neil"][number],
                    owner=["Lee", None, "lee park", "박", "50%_x"][number],
                    registered_date=DAY + timedelta(days=number),
                    modified_date=None if number == 3 else DAY + timedelta(days=10 + number),
                )
            )
        session.flush()
        first = session.scalars(select(Issue).where(Issue.issue_id == "900")).one()
        gone = session.scalars(select(Issue).where(Issue.issue_id == "901")).one()
        session.add(Attachment(issue_pk=first.issue_pk, filename="a.log"))
        session.add(Attachment(issue_pk=gone.issue_pk, filename="b.log", removed_at=DAY))
    with database.session(BOB) as session:
        session.add(Issue(issue_id="990", title="quokka", status="Open", state="open"))


def found(database: Database, filters: object, user: int = ALICE, word: str = "quokka") -> set[str]:
    """The ids of the issues that a word and filters find."""
    with database.session(user) as session:
        hits = func.ims.search_issues(word, None, 100, cast(filters, JSONB)).table_valued("issue_id")
        return set(session.scalars(select(hits.c.issue_id)))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, {0, 1, 2, 3, 4}),
        ({"status": "open"}, {0, 3, 4}),
        ({"status": "CLOSED"}, {1}),
        ({"status": "조치완료"}, {2}),
        ({"state": "done"}, {1}),
        ({"state": ["open", "unknown"]}, {0, 2, 4}),
        ({"state": []}, set()),
        ({"tracker": "desk"}, {0, 1}),
        ({"tracker": "nonesuch"}, set()),
        ({"priority": "HIGH"}, {0, 3}),
        ({"module": "parser"}, {0, 1}),
        ({"reporter": "KIM"}, {0, 3}),
        ({"reporter": "o'n"}, {4}),
        ({"owner": "%"}, {4}),
        ({"owner": "lee"}, {0, 2}),
        ({"created_from": "2026-02-02", "created_to": "2026-02-04"}, {1, 2}),
        ({"updated_from": "2026-02-12T00:00:00Z"}, {1, 2, 4}),
        ({"updated_to": "2026-02-12T00:00:00Z"}, {0, 3}),
        ({"has_attachment": True}, {0}),
        ({"has_attachment": False}, {1, 2, 3, 4}),
        ({"user_id": ALICE}, {0, 1, 2, 3, 4}),
        ({"status": None}, {0, 1, 2, 3, 4}),
        ({"status": "open", "reporter": "kim", "priority": "high", "tracker": "desk"}, {0}),
    ],
)
def test_an_issue_must_have_what_the_filters_say(
    issues: Database, filters: dict[str, Any], expected: set[int]
) -> None:
    assert found(issues, filters) == {f"90{number}" for number in expected}
    # The way by the issue's number has the same filters as the way by its words.
    for number in range(5):
        assert bool(found(issues, filters, word=f"90{number}")) == (number in expected)


def test_somebody_elses_issues_are_for_those_who_see_everybodys(issues: Database) -> None:
    assert found(issues, {"user_id": BOB}) == set()
    assert found(issues, {"user_id": BOB}, user=ANA) == {"990"}
    assert found(issues, {"user_id": BOB, "status": "closed"}, user=ANA) == set()
    assert found(issues, {"status": "open"}, user=ANA) == {"900", "903", "904", "990"}


@pytest.mark.parametrize(
    "filters", [{"statsu": "open"}, ["open"], "open", {"user_id": "x"}, {"created_from": "soon"}]
)
def test_what_is_no_filter_is_refused_and_never_passed_over(issues: Database, filters: object) -> None:
    with pytest.raises(DBAPIError):
        found(issues, filters)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from(["open", "closed", "조치완료", "assigned"]),
            "state": st.sampled_from(["open", "done", "in_progress", "unknown"]),
            "priority": st.sampled_from(["high", "low"]),
            "reporter": st.sampled_from(["kim", "이", "'"]),
            "tracker": st.just("desk"),
            "has_attachment": st.booleans(),
            "updated_from": st.sampled_from(["2026-02-04", "2026-02-13"]),
        },
    )
)
def test_filters_together_find_what_each_finds_alone(issues: Database, filters: dict[str, Any]) -> None:
    alone = [found(issues, {name: value}) for name, value in filters.items()]
    assert found(issues, filters) == set.intersection(found(issues, {}), *alone)
