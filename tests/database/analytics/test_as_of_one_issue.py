"""One issue as it was is what ``ims.issues_as_of`` says of it, whatever its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import Issue, IssueHistory
from db.acting import acting_for
from pipeline.search.stored_issue import issue_with_parts
from pipeline.search.timeline import as_of
from tests.fixtures.schema import ALICE, Database

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 20)
WORDS = st.sampled_from([None, "", "New", "Open", "Closed", "In Progress", "resolved", "Odd", " Closed "])
FIELDS = st.sampled_from(["Status", "상태", "title", "Owner", "담당자", "Priority", "Unknown field", None])
STATES = st.sampled_from(["open", "in_progress", "done", "unknown"])
CHANGE = st.tuples(HOURS | st.none(), FIELDS, WORDS, WORDS)


def hour(number: int | None) -> datetime | None:
    return None if number is None else BEGIN + timedelta(hours=number)


@given(
    status=WORDS,
    state=STATES,
    closed=HOURS | st.none(),
    modified=HOURS | st.none(),
    changes=st.lists(CHANGE, max_size=6),
    at=st.integers(0, 22),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_issue_is_told_as_all_issues_are(
    database: Database,
    status: str | None,
    state: str,
    closed: int | None,
    modified: int | None,
    changes: list[tuple[int | None, str | None, str | None, str | None]],
    at: int,
) -> None:
    with database.session(ALICE) as session:
        session.query(Issue).delete()
        issue = Issue(
            issue_id="1",
            title="now",
            status=status,
            state=state,
            registered_date=BEGIN - timedelta(days=1),
            closed_date=hour(closed),
            modified_date=hour(modified),
            owner="kim",
        )
        session.add(issue)
        session.flush()
        for position, (when, field, old, new) in enumerate(changes):
            told = {"changed_at": hour(when), "field_name": field, "old_value": old, "new_value": new}
            session.add(IssueHistory(issue_pk=issue.issue_pk, position=position, **told))
    moment = BEGIN + timedelta(hours=at, minutes=30)
    with acting_for(ALICE, url=database.app_url) as acting:
        told = acting.connection.execute(
            "SELECT title, status, state, priority, owner FROM ims.issues_as_of(%s)", (moment,)
        ).fetchall()
        was = as_of(acting, issue_with_parts(acting, "1"), moment)
    assert [tuple(was[name] for name in ("title", "status", "state", "priority", "owner"))] == told
