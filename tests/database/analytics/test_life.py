"""What is made of the life of issues: flow, backlog, time in status, time to close, as of a moment.

Five issues of alice's, all times UTC, January 2026 (the 5th is a Monday):

====  =======  ==========  ==========================================================  ==============
no.   product  registered  status                                                      present state
====  =======  ==========  ==========================================================  ==============
1     Tibero   1st         New; Assigned 3rd; Closed 6th                               done
2     Tibero   2nd         New; Closed 4th; Reopened 10th; Closed 12th                 done
3     JEUS     7th         New, no history                                             open
4     Tibero   5th         no history; closed on the 9th                               done
5     JEUS     8th         접수; 진행 11th; gone from the tracker on the 14th          in progress
====  =======  ==========  ==========================================================  ==============
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

import sql
from crawler.states import _STATES, state_of
from db.fields import _COLUMN_OF, column_of
from tests.fixtures.analytics import Desk
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT

BUCKETS = ("<1d", "1-7d", "8-30d", "31-90d", "91-365d", ">365d")


def jan(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """The five issues, and one of bob's."""
    desk.issue(
        "1",
        product="Tibero",
        status="Closed",
        state="done",
        priority="high",
        owner="Lee",
        registered_date="2026-01-01",
        closed_date="2026-01-06",
        changes=[
            ("2026-01-03", "Status", "New", "Assigned"),
            ("2026-01-03 01:00", "Assigned To", "", "Kim"),
            ("2026-01-04", "Priority", "low", "high"),
            ("2026-01-05", "Summary", "It crashes", "issue 1"),
            ("2026-01-06", "Status", "Assigned", "Closed"),
            ("2026-01-07", "Assigned To", "Kim", "Lee"),
        ],
    )
    desk.issue(
        "2",
        product="Tibero",
        status="Closed",
        state="done",
        registered_date="2026-01-02",
        changes=[
            ("2026-01-04", "status", "New", "Closed"),
            ("2026-01-10", "status", "Closed", "Reopened"),
            ("2026-01-12", "status", "Reopened", "Closed"),
        ],
    )
    desk.issue("3", product="JEUS", status="New", state="open", registered_date="2026-01-07")
    desk.issue(
        "4",
        product="Tibero 7",
        status="Closed",
        state="done",
        registered_date="2026-01-05",
        closed_date="2026-01-09",
    )
    desk.issue(
        "5",
        product="JEUS",
        status="진행",
        state="in_progress",
        registered_date="2026-01-08",
        removed_at="2026-01-14",
        changes=[("2026-01-11", "상태", "접수", "진행")],
    )
    desk.issue("9", product="Tibero", status="New", state="open", registered_date="2026-01-02", user_id=BOB)
    return desk


def test_issue_flow(filled: Desk) -> None:
    flow = filled.ask("SELECT * FROM ims.issue_flow('2025-12-29', '2026-01-26')")
    assert flow == [
        (datetime(2025, 12, 29, tzinfo=UTC), 2, 1, 1),  # 1 and 2 come, 2 is closed on the 4th
        (jan(5), 3, 2, 3),  # 3, 4, 5 come, 1 and 4 are closed, 2 is opened again
        (jan(12), 0, 1, 1),  # 2 is closed again, 5 is gone
        (jan(19), 0, 0, 1),
    ]
    assert filled.ask("SELECT * FROM ims.issue_flow('2026-01-01', '2026-02-02', 'month', 'tibero')") == [
        (jan(1), 3, 4, 0),
        (datetime(2026, 2, 1, tzinfo=UTC), 0, 0, 0),
    ]


def test_issue_flow_counts_what_was_before_and_not_what_is_outside(filled: Desk) -> None:
    days_of = "SELECT * FROM ims.issue_flow('2026-01-06 12:00', '2026-01-08', 'day')"
    # 1 was closed on the 6th before noon; open are 4, then 3 too; 5 is registered at the end, which is
    # outside
    assert filled.ask(days_of) == [(jan(6), 0, 0, 1), (jan(7), 1, 0, 2)]


@pytest.mark.parametrize("timezone", ["Asia/Seoul", "America/New_York"])
def test_figures_are_the_same_in_every_time_zone(filled: Desk, timezone: str) -> None:
    for query in (
        "SELECT * FROM ims.issue_flow('2026-01-01Z', '2026-01-20Z', 'day')",
        "SELECT * FROM ims.issue_flow('2025-11-01Z', '2026-02-01Z', 'month')",
        "SELECT * FROM ims.backlog_age('2026-01-10Z')",
    ):
        assert filled.ask(query, timezone=timezone) == filled.ask(query)


def test_bucket_starts(desk: Desk) -> None:
    starts = "SELECT array_agg(start ORDER BY start) FROM ims.bucket_starts(%s, %s, %s) AS start"
    assert desk.ask(starts, jan(7), jan(19, 1), "week") == [([jan(5), jan(12), jan(19)],)]
    assert desk.ask(starts, jan(7), jan(19), "week") == [([jan(5), jan(12)],)]
    assert desk.ask(starts, jan(7), jan(8), "quarter") == [([jan(1)],)]
    assert desk.ask(starts, jan(8), jan(7), "day") == [(None,)]
    for wrong in ("fortnight", "", None, "1 day; drop table x"):
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="A bucket is"):
            desk.ask("SELECT * FROM ims.issue_flow('2026-01-01', bucket => %s)", wrong)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="from when"):
        desk.ask("SELECT * FROM ims.issue_flow(NULL)")


def test_status_spans(filled: Desk) -> None:
    spans = filled.ask(
        "SELECT issue_id, span.status, span.state, previous_state, entered_at, left_at, removed "
        "FROM ims.status_spans() span JOIN ims.issues USING (issue_pk) WHERE issue_id IN ('2', '4', '5') "
        "ORDER BY issue_id, entered_at"
    )
    assert spans == [
        ("2", "New", "open", None, jan(2), jan(4), False),
        ("2", "Closed", "done", "open", jan(4), jan(10), False),
        ("2", "Reopened", "open", "done", jan(10), jan(12), False),
        ("2", "Closed", "done", "open", jan(12), None, False),
        ("4", None, "open", None, jan(5), jan(9), False),
        ("4", "Closed", "done", "open", jan(9), None, False),
        ("5", "접수", "open", None, jan(8), jan(11), False),
        ("5", "진행", "in_progress", "open", jan(11), jan(14), True),
    ]


def test_very_many_words_are_looked_up_once_each(desk: Desk) -> None:
    with desk.acting() as connection:
        connection.execute("SELECT set_config('ims.bulk', 'on', true)")
        connection.execute(
            "INSERT INTO ims.issues (issue_id, title, status, state) "
            "SELECT n, '', 'word ' || n, 'open' FROM generate_series(1, 3000) AS n"
        )
        connection.execute(
            "INSERT INTO ims.issue_history (issue_pk, changed_at, field_name, old_value, new_value) "
            "SELECT issue_pk, '2026-01-03', 'Status', 'once ' || issue_id, 'then ' || issue_id "
            "FROM ims.issues"
        )
        connection.execute("SELECT ims.analyze_tables()")
        # Each with each would be nine million comparisons, which take half a minute.
        connection.execute("SET LOCAL statement_timeout = '8s'")
        (counted,) = connection.execute("SELECT count(DISTINCT status) FROM ims.status_spans()").fetchall()
    assert counted == (9000,)


def test_a_history_that_stops_short_is_carried_on_to_the_present_state(desk: Desk) -> None:
    desk.issue(
        "1",
        status="Fertig",
        state="done",
        registered_date="2026-01-01",
        closed_date="2026-01-09",
        changes=[("2026-01-03", "Status", "New", "Assigned")],
    )
    # A word that nobody knows means what the issue says it means; the same state under two names is no
    # change.
    desk.issue(
        "2",
        status="Geschafft",
        state="done",
        registered_date="2026-01-01",
        modified_date="2026-01-20",
        changes=[("2026-01-03", "Status", "New", "geschafft")],
    )
    assert desk.ask("SELECT closed FROM ims.issue_flow('2026-01-01', '2026-01-22')") == [
        (1,),
        (1,),
        (0,),
        (0,),
    ]


def test_from_one_status_of_being_done_to_another_is_no_closing(desk: Desk) -> None:
    desk.issue(
        "1",
        status="Closed",
        state="done",
        registered_date="2026-01-01",
        changes=[("2026-01-03", "Status", "New", "Resolved"), ("2026-01-08", "Status", "Resolved", "Closed")],
    )
    assert desk.ask("SELECT closed, open_at_end FROM ims.issue_flow('2026-01-01', '2026-01-12')") == [
        (1, 0),
        (0, 0),
    ]
    assert desk.ask("SELECT p50 FROM ims.time_to_close()") == [(days(2),)]
    assert desk.ask("SELECT status, total FROM ims.time_in_status() ORDER BY status") == [
        ("New", days(2)),
        ("Resolved", days(5)),
    ]
    desk.ask("SELECT ims.refresh_materialized_views()")
    assert desk.ask("SELECT sum(closed), sum(reopened) FROM ims.v_daily_summary") == [(1, 0)]


def test_backlog_age(filled: Desk) -> None:
    def ages(at: str, product: str | None = None) -> dict[str, int]:
        rows = filled.ask("SELECT * FROM ims.backlog_age(%s, %s)", at, product)
        assert tuple(name for name, _ in rows) == BUCKETS
        return {name: number for name, number in rows if number}

    assert ages("2026-01-08 12:00") == {"<1d": 1, "1-7d": 2}  # 5; 3 and 4
    assert ages("2026-01-10") == {"1-7d": 2, "8-30d": 1}  # 3 and 5; 2 is open again
    assert ages("2026-01-15") == {"8-30d": 1}  # 3, on its eighth day
    assert ages("2026-01-14 23:59") == {"1-7d": 1}
    assert ages("2026-04-08") == {"91-365d": 1}
    assert ages("2026-04-07 23:00") == {"31-90d": 1}
    assert ages("2027-01-08") == {">365d": 1}
    assert ages("2026-01-10", "tib") == {"8-30d": 1}
    assert ages("2025-01-01") == {}


def test_time_in_status(filled: Desk) -> None:
    table = {row[0]: row[1:] for row in filled.ask("SELECT * FROM ims.time_in_status(to_ts => '2026-01-17')")}
    assert table == {
        "New": (3, days(2), days(8.4), days(14)),  # 2, 2 and 10 days
        "Assigned": (1, days(3), days(3), days(3)),
        "Closed": (1, days(6), days(6), days(6)),  # between closing 2 and opening it again
        "Reopened": (1, days(2), days(2), days(2)),
        "접수": (1, days(3), days(3), days(3)),
        "진행": (1, days(3), days(3), days(3)),
    }
    within = filled.ask("SELECT status, total FROM ims.time_in_status('Tibero', '2026-01-03', '2026-01-05')")
    assert sorted(within) == [("Assigned", days(2)), ("Closed", days(1)), ("New", days(1))]


def test_time_to_close(filled: Desk) -> None:
    # 1 took 5 days, 2 took 10, 4 took 4
    assert filled.ask("SELECT * FROM ims.time_to_close()") == [(3, days(5), days(9), days(9.9))]
    assert filled.ask("SELECT * FROM ims.time_to_close('Tibero 7')") == [(1, days(4), days(4), days(4))]
    assert filled.ask("SELECT issues, p50 FROM ims.time_to_close(NULL, '2026-01-09', '2026-01-13')") == [
        (2, days(7))
    ]
    assert filled.ask("SELECT * FROM ims.time_to_close('JEUS')") == [(0, None, None, None)]


def test_life_figures(filled: Desk) -> None:
    span: tuple[str | None, ...] = ("2026-01-03Z", "2026-01-13Z")
    alone = {
        "flow": ("bucket_start, created, closed, open_at_end", "issue_flow(%s, %s, 'day', NULL)", span),
        "backlog": ("age_bucket, open_issues", "backlog_age(%s)", span[1:]),
        "statuses": ("status, issues, p50, p90, total", "time_in_status(NULL, %s, %s)", span),
        "closing": ("issues, p50, p90, p99", "time_to_close(NULL, %s, %s)", span),
    }
    at_once = "ims.life_figures(%s, NULL, %s, %s, 'day', %s) WHERE part = %s ORDER BY place"
    for part, (columns, function, values) in alone.items():
        wanted = filled.ask(f"SELECT {columns} FROM ims.{function}", *values)  # noqa: S608 - our own names
        told = filled.ask(f"SELECT {columns} FROM {at_once}", [*alone], *span, span[1], part)  # noqa: S608 - likewise
        assert told == wanted
        assert wanted
    for parts in ([], ["closing", "backlog"], ["statuses"]):  # nothing else
        told = filled.ask("SELECT DISTINCT part FROM ims.life_figures(%s)", parts)
        assert {part for (part,) in told} == set(parts)


def test_first_response_time(filled: Desk) -> None:
    say = (
        "INSERT INTO ims.issue_comments (issue_pk, author, commented_at) SELECT issue_pk, %s, %s "
        "FROM ims.issues WHERE issue_id = %s"
    )
    filled.write("UPDATE ims.issues SET reporter = 'Kim' WHERE issue_id IN ('1', '2', '4')")
    for author, at, issue_id in (
        ("kim ", "2026-01-01 01:00", "1"),  # the reporter
        (None, "2026-01-01 01:30", "1"),  # who knows?
        ("Lee", "2026-01-01 02:00", "1"),
        ("Park", "2026-01-01 09:00", "1"),
        ("Lee", "2026-01-02 04:00", "2"),
        ("Kim", "2026-01-05 04:00", "4"),  # never answered
    ):
        filled.write(say, author, at, issue_id)
    hour = timedelta(hours=1)
    assert filled.ask("SELECT * FROM ims.first_response_time()") == [(2, 3 * hour, 3.8 * hour, 3.98 * hour)]
    assert filled.ask("SELECT issues FROM ims.first_response_time('tibero', '2026-01-02')") == [(1,)]
    assert filled.ask("SELECT * FROM ims.first_response_time('JEUS')") == [(0, None, None, None)]


def test_issues_as_of(filled: Desk) -> None:
    then = (
        "SELECT issue_id, title, status, state, priority, owner FROM ims.issues_as_of(%s, %s) ORDER "
        "BY issue_id"
    )
    assert filled.ask(then, jan(2, 12), None) == [
        ("1", "It crashes", "New", "open", "low", None),
        ("2", "issue 2", "New", "open", None, None),
    ]
    assert filled.ask(then, jan(4, 12), None) == [
        ("1", "It crashes", "Assigned", "in_progress", "high", "Kim"),
        ("2", "issue 2", "Closed", "done", None, None),
    ]
    assert filled.ask(then, jan(12), "JEUS") == [
        ("3", "issue 3", "New", "open", None, None),
        ("5", "issue 5", "진행", "in_progress", None, None),
    ]
    assert filled.ask(then, jan(15), "JEUS") == [("3", "issue 3", "New", "open", None, None)]
    assert filled.ask(then, jan(6), "Tibero 7") == [("4", "issue 4", None, "open", None, None)]
    assert filled.ask(then, datetime(2025, 1, 1, tzinfo=UTC), None) == []
    assert filled.ask(then, datetime.now(UTC), "Tibero")[0] == (
        "1", "issue 1", "Closed", "done", "high", "Lee",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "alice", "bob"),
    [
        ("SELECT sum(created) FROM ims.issue_flow('2026-01-01', '2026-02-01')", 5, 1),
        ("SELECT sum(open_issues) FROM ims.backlog_age('2026-01-08 12:00')", 3, 1),
        ("SELECT sum(issues) FROM ims.time_in_status(NULL, '2026-01-01', '2026-01-03')", 2, 1),
        ("SELECT count(*) FROM ims.issues_as_of('2026-01-03')", 2, 1),
        ("SELECT count(*) FROM ims.v_issue_search", 4, 1),
        ("SELECT sum(issues) FROM ims.v_product_stats", 4, 1),
    ],
)
def test_everybody_gets_their_own_and_analysts_all(filled: Desk, query: str, alice: int, bob: int) -> None:
    seen = {user_id: filled.ask(query, user_id=user_id)[0][0] for user_id in (ALICE, BOB, ANA, ROOT)}
    assert seen == {ALICE: alice, BOB: bob, ANA: alice + bob, ROOT: alice + bob}
    with filled.database.app() as connection:  # nobody gets nothing, and no error
        rows = connection.execute(query.encode()).fetchall()
        assert rows[0][0] in (0, None)


def test_refresh_materialized_views(filled: Desk) -> None:
    weekly = (
        "SELECT week, product, created, closed, reopened FROM ims.v_weekly_summary ORDER BY week, product"
    )
    alice = [
        (date(2025, 12, 29), "Tibero", 2, 1, 0),
        (date(2026, 1, 5), "JEUS", 2, 0, 0),
        (date(2026, 1, 5), "Tibero", 0, 1, 1),
        (date(2026, 1, 5), "Tibero 7", 1, 1, 0),
        (date(2026, 1, 12), "Tibero", 0, 1, 0),
    ]
    bob = [(date(2025, 12, 29), "Tibero", 1, 0, 0)]
    assert filled.ask(weekly) == []
    filled.ask("SELECT ims.refresh_materialized_views()", timezone="Asia/Seoul")
    assert filled.ask(weekly) == alice
    assert filled.ask(weekly, user_id=ROOT) == alice  # nobody's but hers
    filled.ask("SELECT ims.refresh_materialized_views()", user_id=ROOT)  # an admin's is everybody's
    seen = {user_id: filled.ask(weekly, user_id=user_id) for user_id in (ALICE, BOB, ANA)}
    assert {user_id: sorted(rows) for user_id, rows in seen.items()} == {
        ALICE: alice,
        BOB: bob,
        ANA: sorted(alice + bob),
    }
    written = "SELECT xmin::text, * FROM ims.issue_summaries ORDER BY user_id, period, period_start, product"
    before = filled.ask(written)
    ((first,),) = filled.ask("SELECT DISTINCT refreshed_at FROM ims.v_weekly_summary")
    filled.ask("SELECT ims.refresh_materialized_views()")
    assert filled.ask(written) == before  # twice is once, without a write
    ((second,),) = filled.ask("SELECT DISTINCT refreshed_at FROM ims.v_weekly_summary")
    assert second > first  # and the time of the last one is told
    filled.write("DELETE FROM ims.issues WHERE product = 'JEUS'")
    filled.ask("SELECT ims.refresh_materialized_views()")
    assert filled.ask(weekly) == [row for row in alice if row[1] != "JEUS"]


def test_v_daily_summary(filled: Desk) -> None:
    filled.ask("SELECT ims.refresh_materialized_views()")
    daily = (
        "SELECT day, created, closed, reopened FROM ims.v_daily_summary WHERE product = 'Tibero' ORDER BY day"
    )
    assert filled.ask(daily) == [
        (date(2026, 1, 1), 1, 0, 0),
        (date(2026, 1, 2), 1, 0, 0),
        (date(2026, 1, 4), 0, 1, 0),
        (date(2026, 1, 6), 0, 1, 0),
        (date(2026, 1, 10), 0, 0, 1),
        (date(2026, 1, 12), 0, 1, 0),
    ]


def test_v_weekly_summary(filled: Desk) -> None:
    filled.ask("SELECT ims.refresh_materialized_views()")
    sums = "SELECT sum(created), sum(closed), sum(reopened) FROM ims.{}"
    assert filled.ask(sums.format("v_weekly_summary")) == [(5, 4, 1)]
    assert filled.ask(sums.format("v_daily_summary")) == [(5, 4, 1)]


def test_state_of(desk: Desk) -> None:
    words = [
        *_STATES,
        *(word.upper() for word in _STATES),
        "In\u00a0Progress",
        "NEEDS_INFO",
        " won't  fix ",
        "??",
        "",
    ]
    rows = desk.ask("SELECT word, ims.state_of(word) FROM unnest(%s::text[]) AS word", words)
    assert dict(rows) == {word: state_of(word).value for word in words}
    assert desk.ask("SELECT ims.state_of(NULL)") == [("unknown",)]


def test_history_column(desk: Desk) -> None:
    names = [*_COLUMN_OF, "Assigned To", "fix-version", "Target_Milestone", "colour", ""]
    rows = desk.ask("SELECT name, ims.history_column(name) FROM unnest(%s::text[]) AS name", names)
    assert dict(rows) == {name: column_of(name) for name in names}
    status = [name for name, column in _COLUMN_OF.items() if column == "status"]
    spans = next(one.text for one in sql.repeatable() if one.name == "analytics/status_spans")
    assert all(f"'{name}'" in spans for name in status)


def test_every_function_and_view_of_analytics_has_its_test() -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for one in sql.repeatable():
        folder, _, name = one.name.partition("/")
        if folder in {"analytics", "views"}:
            assert f"def test_{name}(" in tests, one.name
