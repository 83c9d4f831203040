"""Figures about users and their sessions: statistics, aggregates, retention, and the views that list them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
import pytest

from tests.fixtures.analytics import Desk
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT

DAILY = (
    "SELECT user_id, stat_date, sessions_count, successful_sessions, failed_sessions, "
    "issues_crawled, unique_issues,"
    " new_issues, attachments_downloaded, avg_session_duration_sec, avg_issues_per_session, "
    "product_stats, top_queries"
    " FROM ims.analytics_daily ORDER BY user_id, stat_date"
)
MONTHLY = (
    "SELECT user_id, year, month, total_sessions, avg_sessions_per_day, total_issues_crawled, unique_issues,"
    " keyword_trends, product_distribution, issue_status_breakdown, avg_parsing_confidence, "
    "synonym_expansion_rate"
    " FROM ims.analytics_monthly ORDER BY user_id, year, month"
)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Two sessions of alice's on 31 January and one on 1 February, UTC; one of bob's; three questions."""
    first, second, third = (
        desk.issue(
            number,
            product=product,
            status=status,
            title=title,
            first_crawled_at=seen,
        )
        for number, product, status, title, seen in (
            ("1", "Tibero", "New", "Listener crash", "2026-01-31 00:00"),
            ("2", "Tibero", "Closed", "Listener timeout", "2026-01-31 23:59:59"),
            ("3", "JEUS", "New", "crash", "2026-01-30 12:00"),
        )
    )
    desk.session(
        "2026-01-31 00:00",
        issues=[first, second],
        product="Tibero",
        duration_seconds=10,
        attachments_downloaded=2,
        completed_at="2026-01-31 00:00:10",
    )
    desk.session(
        "2026-01-31 23:59:59",
        issues=[second, third],
        product="JEUS",
        duration_seconds=30,
        attachments_downloaded=1,
        status="failed",
        completed_at="2026-02-01 00:00:29",
    )
    desk.session("2026-02-01 00:00", issues=[first], product="Tibero", status="running")
    own = desk.issue("7", product="OFM", title="bob's crash", user_id=BOB, first_crawled_at="2026-01-31")
    desk.session(
        "2026-01-31 12:00", issues=[own], user_id=BOB, duration_seconds=5, completed_at="2026-01-31 13:00"
    )
    for query, at, confidence in (
        ("+crash", "2026-01-31 01:00", 1.0),
        ("+crash", "2026-01-31 02:00", 0.5),
        ("timeout", "2026-01-31 03:00", 0.9),
        ("later", "2026-02-01 00:00", 0.9),
    ):
        desk.write(
            "INSERT INTO ims.search_queries (original_query, queried_at, parsing_confidence) VALUES "
            "(%s, %s, %s)",
            query,
            at,
            confidence,
        )
    return desk


ALICES_DAY = (
    *(ALICE, date(2026, 1, 31), 2, 1, 1, 4, 3, 2, 3, 20.0, 2.0, {"Tibero": 2, "JEUS": 1}),
    [{"query": "+crash", "count": 2}, {"query": "timeout", "count": 1}],
)
BOBS_DAY = (BOB, date(2026, 1, 31), 1, 1, 0, 1, 1, 1, 0, 5.0, 1.0, {"OFM": 1}, [])
ALICES_MONTH = (
    *(ALICE, 2026, 1, 2, 2 / 31, 4, 3, {"crash": 2, "listener": 2, "timeout": 1}, {"Tibero": 2, "JEUS": 1}),
    *({"New": 2, "Closed": 1}, pytest.approx(0.8), None),
)
BOBS_MONTH = (BOB, 2026, 1, 1, 1 / 31, 1, 1, {"bob's": 1, "crash": 1}, {"OFM": 1}, {}, None, None)


def test_get_user_stats(filled: Desk) -> None:
    stats = "SELECT * FROM ims.get_user_stats(%s)"
    alice = (3, 1, 1, 5, 3, 3, 20.0, datetime(2026, 2, 1, tzinfo=UTC), "Tibero")
    bob = (1, 1, 0, 1, 1, 0, 5.0, datetime(2026, 1, 31, 12, tzinfo=UTC), None)
    assert filled.ask(stats, ALICE) == [alice]
    assert filled.ask(stats, BOB, user_id=BOB) == [bob]
    for reader in (ANA, ROOT):
        assert filled.ask(stats, ALICE, user_id=reader) == [alice]
        assert filled.ask(stats, BOB, user_id=reader) == [bob]
        assert filled.ask(stats, ANA, user_id=reader) == [(0, 0, 0, 0, 0, 0, None, None, None)]
    # Somebody else's are as absent as nobody's.
    assert filled.ask(stats, BOB) == filled.ask(stats, 4711) == filled.ask(stats, None) == []


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Seoul", "America/New_York"])
def test_aggregate_daily_stats(filled: Desk, timezone: str) -> None:
    aggregate = "SELECT ims.aggregate_daily_stats('2026-01-31')"
    filled.ask(aggregate, timezone=timezone)
    assert filled.ask(DAILY, user_id=ROOT) == [ALICES_DAY]  # her own, and nobody else's
    filled.ask(aggregate, user_id=ROOT, timezone=timezone)
    assert filled.ask(DAILY, user_id=ROOT) == [ALICES_DAY, BOBS_DAY]
    before = filled.ask("SELECT xmin::text, * FROM ims.analytics_daily ORDER BY user_id", user_id=ROOT)
    filled.ask(aggregate, user_id=ROOT, timezone=timezone)
    after = filled.ask("SELECT xmin::text, * FROM ims.analytics_daily ORDER BY user_id", user_id=ROOT)
    assert after == before  # twice is once, without a write
    assert filled.ask(DAILY, user_id=BOB) == [BOBS_DAY]


def test_an_aggregate_follows_what_changed(filled: Desk) -> None:
    filled.ask("SELECT ims.aggregate_daily_stats('2026-01-31')")
    filled.session("2026-01-31 05:00", duration_seconds=50)
    filled.ask("SELECT ims.aggregate_daily_stats('2026-01-31')")
    assert filled.ask("SELECT sessions_count, issues_crawled FROM ims.analytics_daily") == [(3, 4)]
    filled.ask("SELECT ims.aggregate_daily_stats('2026-01-29')")
    assert filled.ask("SELECT count(*) FROM ims.analytics_daily") == [(1,)]


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Seoul", "America/New_York"])
def test_aggregate_monthly_stats(filled: Desk, timezone: str) -> None:
    aggregate = "SELECT ims.aggregate_monthly_stats(2026, 1)"
    filled.ask(aggregate, timezone=timezone)
    assert filled.ask(MONTHLY, user_id=ROOT) == [ALICES_MONTH]
    for _ in range(2):
        filled.ask(aggregate, user_id=ROOT, timezone=timezone)
        assert filled.ask(MONTHLY, user_id=ROOT) == [ALICES_MONTH, BOBS_MONTH]
    filled.ask("SELECT ims.aggregate_monthly_stats(2026, 2)", timezone=timezone)
    february = filled.ask(
        "SELECT total_sessions, avg_sessions_per_day FROM ims.analytics_monthly WHERE month = 2"
    )
    assert february == [(1, 1 / 28)]
    filled.ask("SELECT ims.aggregate_monthly_stats(2025, 12)")  # the year's end
    with pytest.raises(psycopg.errors.DatetimeFieldOverflow):
        filled.ask("SELECT ims.aggregate_monthly_stats(2026, 13)")


def test_analysts_write_no_aggregates(filled: Desk) -> None:
    for call in (
        "aggregate_daily_stats('2026-01-31')",
        "aggregate_monthly_stats(2026, 1)",
        "delete_old_sessions(2, 0)",
        "refresh_materialized_views()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            filled.ask(f"SELECT ims.{call}", user_id=ANA)


def test_delete_old_sessions(filled: Desk) -> None:
    delete = "SELECT ims.delete_old_sessions(%s, %s)"
    filled.session("2026-01-01", status="interrupted", heartbeat_at="2026-01-02")
    filled.session("2026-01-01", status="completed", completed_at=datetime.now(UTC))
    sessions = "SELECT user_id, count(*) FROM ims.crawl_sessions GROUP BY 1 ORDER BY 1"
    filled.write(
        "INSERT INTO ims.session_errors (session_id, error_type)"
        " SELECT session_id, 'x' FROM ims.crawl_sessions WHERE status = 'failed'"
    )
    long_ago = (datetime.now(UTC) - datetime(2026, 1, 31, tzinfo=UTC)).days
    if long_ago > 10:  # today is not that day
        assert filled.ask(delete, ALICE, long_ago + 20) == [(1,)] if long_ago > 60 else [(0,)]
    assert filled.ask(delete, BOB, 0) == [(0,)]  # not hers
    before = filled.ask("SELECT count(*) FROM ims.issues")
    deleted = filled.ask(delete, ALICE, 1)[0][0]
    assert deleted >= 2
    # What runs stays, and what ended today; bob's stays.
    assert filled.ask(sessions, user_id=ROOT) == [(ALICE, 2), (BOB, 1)]
    assert filled.ask("SELECT count(*) FROM ims.session_errors") == [(0,)]
    assert filled.ask("SELECT count(*) FROM ims.session_issues") == [(1,)]
    assert filled.ask("SELECT count(*) FROM ims.issues") == before
    assert filled.ask(delete, ALICE, 1) == [(0,)]
    assert filled.ask(delete, BOB, 1, user_id=ROOT) == [(1,)]
    for wrong in (-1, None):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="how many days"):
            filled.ask(delete, ALICE, wrong)


def test_v_user_dashboard(filled: Desk) -> None:
    view = (
        "SELECT username, total_sessions, successful_sessions, failed_sessions, running_sessions, "
        "success_rate,"
        " avg_session_duration_sec, issues, open_issues, products, trackers, questions FROM "
        "ims.v_user_dashboard"
        " WHERE total_sessions > 0 ORDER BY user_id"
    )
    alice = ("alice", 3, 1, 1, 1, 0.5, 20.0, 3, 3, 2, 0, 4)
    bob = ("bob", 1, 1, 0, 0, 1.0, 5.0, 1, 1, 1, 0, 0)
    seen = {user_id: filled.ask(view, user_id=user_id) for user_id in (ALICE, BOB, ANA, ROOT)}
    assert seen == {ALICE: [alice], BOB: [bob], ANA: [alice, bob], ROOT: [alice, bob]}


def test_v_session_detail(filled: Desk) -> None:
    filled.write(
        "INSERT INTO ims.session_errors (session_id, error_type, severity) "
        "SELECT session_id, 'x', severity FROM ims.crawl_sessions, "
        "unnest('{error,warning,warning}'::text[]) AS severity"
        " WHERE status = 'failed'"
    )
    view = (
        "SELECT username, product, status, issues_held, errors, warnings FROM ims.v_session_detail"
        " ORDER BY user_id, started_at"
    )
    alice = [
        ("alice", "Tibero", "completed", 2, 0, 0),
        ("alice", "JEUS", "failed", 2, 1, 2),
        ("alice", "Tibero", "running", 1, 0, 0),
    ]
    bob = [("bob", None, "completed", 1, 0, 0)]
    seen = {user_id: filled.ask(view, user_id=user_id) for user_id in (ALICE, BOB, ANA, ROOT)}
    assert seen == {ALICE: alice, BOB: bob, ANA: alice + bob, ROOT: alice + bob}


def test_v_issue_search(filled: Desk) -> None:
    filled.write(
        "INSERT INTO ims.issue_comments (issue_pk, content, removed_at)"
        " SELECT issue_pk, said, removed FROM ims.issues,"
        " (VALUES ('a', NULL), ('b', NULL), ('c', now())) AS comments (said, removed) WHERE issue_id = '1'"
    )
    filled.write(
        "INSERT INTO ims.attachments (issue_pk) SELECT issue_pk FROM ims.issues WHERE issue_id < '3'"
    )
    filled.write("UPDATE ims.issues SET removed_at = now() WHERE issue_id = '3'")
    view = "SELECT issue_id, product, comments, attachments FROM ims.v_issue_search ORDER BY issue_id"
    assert filled.ask(view) == [("1", "Tibero", 2, 1), ("2", "Tibero", 0, 1)]


def test_v_recent_activity(filled: Desk) -> None:
    filled.write(
        "INSERT INTO ims.issue_history (issue_pk, changed_at, field_name, old_value, new_value)"
        " SELECT issue_pk, '2026-02-02', 'Status', 'New', 'Closed' FROM ims.issues WHERE issue_id = '1'"
    )
    filled.write(
        "INSERT INTO ims.issue_comments (issue_pk, commented_at, author, content)"
        " SELECT issue_pk, '2026-02-03', 'Lee', 'me too' FROM ims.issues WHERE issue_id = '1'"
    )
    filled.write(
        "INSERT INTO ims.issue_history (issue_pk, changed_at, change_type, field_name, description)"
        " SELECT issue_pk, '2026-02-01', 'text', 'keywords', 'b added' FROM ims.issues WHERE issue_id = '1'"
    )
    view = "SELECT kind, subject, detail FROM ims.v_recent_activity ORDER BY happened_at DESC, kind LIMIT 5"
    assert filled.ask(view) == [
        ("comment", "1 Listener crash", "Lee: me too"),
        ("change", "1 Listener crash", "Status: New -> Closed"),
        ("change", "1 Listener crash", "keywords: b added"),
        ("question", "later", None),
        ("session", "", "running"),
    ]
    own = "SELECT kind, count(*) FROM ims.v_recent_activity GROUP BY kind ORDER BY kind"
    assert filled.ask(own, user_id=BOB) == [("session", 1)]


def test_v_product_stats(filled: Desk) -> None:
    filled.write("UPDATE ims.issues SET state = 'done', module = 'net' WHERE issue_id = '2'")
    view = (
        "SELECT product, issues, open_issues, closed_issues, modules FROM ims.v_product_stats ORDER "
        "BY product"
    )
    assert filled.ask(view) == [("JEUS", 1, 1, 0, 0), ("Tibero", 2, 1, 1, 1)]
