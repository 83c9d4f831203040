"""What may stand in a column: bounds for everybody, figures that no row of anybody's breaks."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import psycopg
import pytest
from psycopg import sql as composing
from sqlalchemy import CheckConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from db import get_session
from db.models import Base
from db.sanitize import BIGINT_MAX, EARLIEST, INTEGER_MAX, LATEST
from db.setup.bootstrap import upgrade
from pipeline.jobs.refresh_analytics import refresh_figures
from tests.fixtures.database import on_every_server_long
from tests.fixtures.rls_identities import World, settled
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database

pytestmark = [on_every_server_long, pytest.mark.xdist_group("bounds")]

# What no login writes, or what is no amount: columns of these types that have no bound, and why.
UNBOUNDED: dict[tuple[str, str], str] = {}
_WRITABLE = """
SELECT t.relname, a.attname, a.atttypid::regtype::text,
       EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c'
               AND c.conkey = ARRAY[a.attnum] AND c.convalidated) AS bounded
FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE t.relnamespace = 'ims'::regnamespace AND t.relkind IN ('r', 'p')
  AND a.atttypid::regtype = ANY ('{int2,int4,int8,float4,float8,numeric,date,timestamp,timestamptz,
                                   interval,time,timetz,money}'::regtype[])
  AND EXISTS (SELECT FROM unnest('{ims_app,ims_user,ims_readonly,ims_admin}'::text[]) AS role
              WHERE has_column_privilege(role, t.oid, a.attnum, 'INSERT, UPDATE'))
  -- keys: made by the server, or bounded by what they point to
  AND a.attidentity = ''
  AND NOT EXISTS (SELECT FROM pg_constraint c
                  WHERE c.conrelid = t.oid AND c.contype = 'f' AND a.attnum = ANY (c.conkey))
"""
ODD = {
    "smallint": ["-1", "32767"],
    "integer": ["-1", "2147483647"],
    "bigint": ["-1", "9223372036854775807"],
    "double precision": ["NaN", "Infinity", "-Infinity", "-1", "1.7e308"],
    "date": ["infinity", "-infinity", "4713-01-01 BC", "10000-01-01"],
    "timestamp with time zone": ["infinity", "-infinity", "4713-01-01 BC", "294276-01-01", "10000-01-01"],
}


def test_every_number_and_time_that_a_login_writes_is_bounded(world: World) -> None:
    with world.database.superuser() as connection:
        columns = connection.execute(_WRITABLE.encode()).fetchall()
    assert len(columns) > 80
    without = {(table, column) for table, column, _, bounded in columns if not bounded}
    assert without == set(UNBOUNDED)


def test_odd_values_are_refused_in_every_column(world: World) -> None:
    with world.database.superuser() as connection:
        columns = connection.execute(_WRITABLE.encode()).fetchall()
    for table, column, kind, _ in columns:
        for value in ODD[kind]:
            with world.database.superuser() as connection, connection.transaction(force_rollback=True):
                statement = composing.SQL("UPDATE ims.{} SET {} = {}").format(
                    composing.Identifier(table), composing.Identifier(column), composing.Literal(value)
                )
                connection.execute(f"ALTER TABLE ims.{table} DISABLE TRIGGER USER".encode())
                with pytest.raises(psycopg.errors.CheckViolation):
                    connection.execute(statement)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("trackers", "rate", "1e-9"),
        ("trackers", "rate", "1e-300"),
        ("trackers", "rate", "NaN"),
        ("trackers", "rate", "Infinity"),
        ("trackers", "rate", "-1"),
        ("trackers", "rate", "0"),
        ("trackers", "concurrency", "-5"),
        ("trackers", "concurrency", "100000"),
        ("trackers", "name", "x" * 201),
        ("trackers", "options", "[]"),
        ("saved_searches", "next_run_at", "-infinity"),
        ("saved_searches", "name", "x" * 201),
        ("saved_searches", "options", '"notify"'),
        ("saved_searches", "options", "7"),
        ("crawl_sessions", "metadata", "[]"),
        ("crawl_sessions", "issues_crawled", "2147483647"),
        ("search_queries", "parsing_confidence", "1.7e308"),
    ],
)
def test_a_login_cannot_write_what_is_odd(world: World, table: str, column: str, value: str) -> None:
    with world.identities["bob's login"].transaction() as connection:
        statement = composing.SQL("UPDATE ims.{} SET {} = {}").format(
            composing.Identifier(table), composing.Identifier(column), composing.Literal(value)
        )
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(statement)


def test_models_and_tables_have_the_same_bounds(world: World) -> None:
    query = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' "
        "AND conrelid = ('pg_temp.' || quote_ident(%s))::regclass"
    )
    with world.database.superuser() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL TimeZone = 'UTC'")
        for table in Base.metadata.tables.values():
            connection.execute(
                f"CREATE TEMP TABLE {table.name} (LIKE ims.{table.name}) ON COMMIT DROP".encode()
            )
            for check in table.constraints:
                if isinstance(check, CheckConstraint):
                    connection.execute(
                        f"ALTER TABLE pg_temp.{table.name} ADD CONSTRAINT {check.name} "
                        f"CHECK ({check.sqltext})".encode()
                    )
            modelled = dict(connection.execute(query, (table.name,)).fetchall())
            stored = dict(
                connection.execute(query.replace("pg_temp", "ims").encode(), (table.name,)).fetchall()
            )
            assert modelled == stored, table.name


def test_the_program_mends_to_the_same_bounds(world: World) -> None:
    with world.database.session(BOB) as session, session.begin_nested() as nested:
        for number in (0, INTEGER_MAX):
            session.connection().exec_driver_sql(
                "UPDATE ims.issue_comments SET comment_number = %s", (number,)
            )
        for size in (0, BIGINT_MAX):
            session.connection().exec_driver_sql("UPDATE ims.attachments SET file_size = %s", (size,))
        for moment in (EARLIEST, LATEST):
            session.connection().exec_driver_sql("UPDATE ims.issues SET registered_date = %s", (moment,))
        nested.rollback()


# The rows with which one tenant broke the figures of all, and the like of them: each as bob writes them.
ODD_ROWS = {
    "two sessions of as many issues as an integer holds": (
        "INSERT INTO ims.crawl_sessions (issues_crawled, attachments_downloaded) "
        "SELECT {integer}, {integer} FROM generate_series(1, 5)"
    ),
    "two sessions of endless duration": (
        "INSERT INTO ims.crawl_sessions (duration_seconds, status) SELECT {double}, 'completed' "
        "FROM generate_series(1, 3)"
    ),
    "a question of endless confidence": (
        "INSERT INTO ims.search_queries (original_query, parsing_confidence) "
        "SELECT 'x', {confidence} FROM generate_series(1, 3)"
    ),
    "issues from before history until after it": (
        "INSERT INTO ims.issues (issue_id, title, state, status, product, registered_date, "
        "closed_date, modified_date) "
        "SELECT gen_random_uuid()::text, 'old', 'done', 'Closed', 'p', {early}, {late}, {late} FROM "
        "generate_series(1, 150) AS n"
    ),
    "issues open from before history": (
        "INSERT INTO ims.issues (issue_id, title, state, status, product, registered_date, modified_date) "
        "SELECT gen_random_uuid()::text, 'open', 'open', 'Open', 'p', {early}, {early} FROM "
        "generate_series(1, 150) AS n"
    ),
    "issues that are yet to come": (
        "INSERT INTO ims.issues (issue_id, state, registered_date, first_crawled_at, removed_at, "
        "removed_reason) "
        "SELECT gen_random_uuid()::text, 'open', {late}, {late}, {late}, 'deleted' FROM "
        "generate_series(1, 3) AS n"
    ),
    "changes of all times": (
        "INSERT INTO ims.issue_history (issue_pk, changed_at, field_name, old_value, new_value, position) "
        "SELECT issue_pk, moment, 'status', 'Open', 'Closed', {integer} FROM ims.issues "
        "CROSS JOIN unnest(ARRAY[{early}, now(), {late}]) AS moment LIMIT 300"
    ),
    "comments of all times": (
        "INSERT INTO ims.issue_comments (issue_pk, author, content, commented_at, comment_number) "
        "SELECT issue_pk, 'somebody', 'x', moment, {integer} FROM ims.issues "
        "CROSS JOIN unnest(ARRAY[{early}, now(), {late}]) AS moment LIMIT 300"
    ),
    "sessions of all times": (
        "INSERT INTO ims.crawl_sessions (started_at, completed_at, heartbeat_at) VALUES ({early}, "
        "{late}, {early}), "
        "({late}, {early}, {late})"
    ),
    "questions of all times": (
        "INSERT INTO ims.search_queries (original_query, results_count, queried_at) "
        "VALUES ('a', {integer}, {early}), ('b', {integer}, {late})"
    ),
    "figures of one's own making": (
        "INSERT INTO ims.analytics_daily (stat_date, issues_crawled, avg_session_duration_sec) "
        "VALUES ((now() AT TIME ZONE 'UTC')::date, {bigint}, {double}) "
        "ON CONFLICT (user_id, stat_date) DO UPDATE SET issues_crawled = {bigint}"
    ),
    "summaries of one's own making": (
        "INSERT INTO ims.issue_summaries (period, period_start, product, created, closed, reopened) "
        "VALUES ('day', {day}, 'p', {integer}, {integer}, {integer})"
    ),
    "metadata and options of another shape": (
        "UPDATE ims.crawl_sessions SET metadata = {json}, product = 'p'; "
        "UPDATE ims.trackers SET options = {json}; UPDATE ims.saved_searches SET options = {json}"
    ),
    "receipts of nonsense": (
        "UPDATE ims.crawl_sessions SET tracker_total = {integer}, comments_announced = {bigint}, "
        "bytes_received = {bigint}, "
        "wait_seconds = {double}; UPDATE ims.session_issues SET crawl_duration_ms = {integer}, "
        "crawl_order = {integer}"
    ),
}
# First what was tried, then the furthest that the bounds allow.
EXTREMES = (
    {
        "integer": "2147483647", "bigint": "9223372036854775807", "double": "1.7e308",
        "confidence": "1.7e308",
        "early": "'-infinity'::timestamptz", "late": "'infinity'::timestamptz",
        "day": "'-infinity'", "json": "'[1]'",
    },
    {
        "integer": "-2147483648", "bigint": "-1", "double": "'NaN'", "confidence": "'NaN'",
        "early": "'4713-01-01 BC'::timestamptz", "late": "'294276-01-01'::timestamptz", "day": "'infinity'",
        "json": "'null'",
    },
    {
        "integer": "1000000000", "bigint": "1000000000000000000", "double": "1e12", "confidence": "1",
        "early": "'0001-01-03 00:00+00'::timestamptz", "late": "'9999-12-29 00:00+00'::timestamptz",
        "day": "'0001-01-01'", "json": """'{"notify": 7, "queue": [], "asked": "x"}'""",
    },
)  # fmt: skip
QUESTIONS = (
    "SELECT * FROM ims.issue_flow('2026-01-01', '2026-02-01')",
    "SELECT * FROM ims.issue_flow('2020-01-01', now(), 'quarter', 'p')",
    "SELECT * FROM ims.backlog_age()",
    "SELECT * FROM ims.backlog_age('2026-01-01', 'p')",
    "SELECT * FROM ims.time_in_status()",
    "SELECT * FROM ims.time_to_close()",
    "SELECT * FROM ims.first_response_time()",
    "SELECT * FROM ims.issues_as_of('2026-01-01')",
    "SELECT * FROM ims.keyword_trends('2026-01-01')",
    "SELECT * FROM ims.status_spans()",
    "SELECT * FROM ims.search_issues('old open crash')",
    "SELECT * FROM ims.search_issues('')",
    "SELECT s.* FROM ims.issues CROSS JOIN LATERAL ims.similar_issues(issue_pk) AS s LIMIT 5",
    "SELECT r.* FROM ims.crawl_sessions CROSS JOIN LATERAL ims.session_receipt(session_uuid) AS r",
    "SELECT s.* FROM ims.users CROSS JOIN LATERAL ims.get_user_stats(user_id) AS s",
    "SELECT * FROM ims.v_daily_summary",
    "SELECT * FROM ims.v_weekly_summary",
    "SELECT * FROM ims.v_issue_search",
    "SELECT * FROM ims.v_product_stats",
    "SELECT * FROM ims.v_issue_files",
    "SELECT * FROM ims.error_codes('2026-01-01')",
    "SELECT * FROM ims.v_recent_activity",
    "SELECT * FROM ims.v_session_detail",
    "SELECT * FROM ims.v_user_dashboard",
    *(f"SELECT * FROM {table}" for table in Base.metadata.tables if table != "ims.tracker_secrets"),  # noqa: S608
)
WORK = (
    "SELECT ims.aggregate_daily_stats((now() AT TIME ZONE 'UTC')::date)",
    "SELECT ims.aggregate_daily_stats('9999-12-28')",
    "SELECT ims.aggregate_daily_stats('0001-01-03')",
    "SELECT ims.aggregate_monthly_stats(extract(year FROM now())::integer, extract(month FROM "
    "now())::integer)",
    "SELECT ims.refresh_materialized_views()",
)


def test_no_row_of_a_tenant_breaks_the_figures_of_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    with settled(database) as world:
        refused = set()
        with world.login(BOB) as bob:
            for values in EXTREMES:
                for name, statements in ODD_ROWS.items():
                    for statement in statements.format(**values).split("; "):
                        try:
                            bob.execute(statement.encode())
                        except (psycopg.errors.CheckViolation, psycopg.errors.NumericValueOutOfRange):
                            refused.add((name, values["integer"]))
        assert len(refused) >= len(ODD_ROWS) * 2 - 2
        assert not [name for name, integer in refused if integer == "1000000000"]
        with world.login(ROOT) as root:
            for statement in WORK:
                root.execute(statement.encode())
        for user_id in (ROOT, ANA, ALICE, BOB):
            with world.login(user_id) as connection:
                for zone in ("UTC", "Pacific/Kiritimati", "Etc/GMT+12"):
                    connection.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
                    for question in QUESTIONS:
                        connection.execute(question.encode()).fetchall()
        with get_session(user_id=ROOT) as session:
            session.connection().exec_driver_sql("DELETE FROM ims.summary_refreshes")
        assert refresh_figures(ROOT)
        with world.login(ROOT) as root:
            days = root.execute(
                "SELECT stat_date, issues_crawled FROM ims.analytics_daily WHERE user_id = %s", (BOB,)
            ).fetchall()
        assert (datetime.now(UTC).date(), 5_000_000_000) in days


# Of a database that already has what later migrations made, the one that bounds its columns is run by itself.
MENDING = (files("db.migrations.versions") / "v0004_bounds.sql").read_text("utf-8")


def test_an_upgrade_brings_odd_rows_into_range(database: Database) -> None:
    with settled(database) as world:
        with database.superuser() as connection:
            connection.execute(
                """
                DO $$ DECLARE one record; BEGIN
                    FOR one IN SELECT conrelid::regclass AS target, conname FROM pg_constraint
                               WHERE contype = 'c' AND connamespace = 'ims'::regnamespace
                                 AND conname NOT LIKE '%role_check' AND conname NOT LIKE '%status_check'
                                 AND conname NOT LIKE '%state_check' LOOP
                        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.target, one.conname);
                    END LOOP;
                    FOR one IN SELECT oid::regclass AS target FROM pg_class  -- the upgrade makes them
                               WHERE relkind = 'v' AND relnamespace = 'ims'::regnamespace LOOP
                        EXECUTE format('DROP VIEW %s', one.target);
                    END LOOP;
                    DROP TABLE ims_private.refresh_locks;
                    DELETE FROM ims_private.applied_sql;
                END $$
                """
            )
        with world.login(BOB) as bob:
            for values in EXTREMES[:2]:
                for statements in ODD_ROWS.values():
                    for statement in statements.format(**values).split("; "):
                        bob.execute(statement.encode())
            bob.execute("UPDATE ims.trackers SET rate = 1e-9, concurrency = -5")
            bob.execute(
                "INSERT INTO ims.saved_searches (name, query, cron, next_run_at) "
                "SELECT repeat('n', 3000) || g, '*', '* * * * *', '-infinity' FROM "
                "generate_series(1, 3) AS g"
            )
            bob.execute(
                "INSERT INTO ims.runs (saved_search_id, due_at) SELECT saved_search_id, due "
                "FROM ims.saved_searches CROSS JOIN unnest('{infinity,-infinity,4713-01-01 "
                "BC}'::timestamptz[]) AS due"
            )
            bob.execute("INSERT INTO ims.analytics_daily (stat_date) VALUES ('4713-01-02 BC')")
        with database.superuser() as connection:
            connection.execute("INSERT INTO ims_private.hosts (host, next_at) VALUES ('h', '2090-04-12')")
        with database.superuser() as connection, connection.transaction():
            connection.execute("SET LOCAL ROLE ims_owner")
            connection.execute(MENDING.encode())
        upgrade(database.superuser_url)
        with database.superuser() as connection:
            unvalidated = connection.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated")
            assert unvalidated.fetchall() == []
            counted = connection.execute(
                "SELECT (SELECT count(*) FROM ims.saved_searches WHERE user_id = %(bob)s AND "
                "next_run_at > now() - "
                "        interval '1 minute' AND char_length(name) <= 200), "
                "       (SELECT count(*) FROM ims.runs WHERE user_id = %(bob)s), "
                "       (SELECT count(*) FROM ims.trackers WHERE user_id = %(bob)s AND rate = "
                "0.000277 AND concurrency = 1), "
                "       (SELECT count(*) FROM ims_private.hosts WHERE next_at <= now()), "
                "       (SELECT count(*) FROM ims.issues WHERE user_id = %(bob)s)",
                {"bob": BOB},
            ).fetchone()
            assert counted == (3, 1, 1, 1, 1 + 2 * 303)
            forced = (
                "SELECT bool_and(relforcerowsecurity) FROM pg_class "
                "WHERE relnamespace = 'ims'::regnamespace AND relkind = 'r'"
            )
            assert connection.execute(forced).fetchone() == (True,)
        with world.login(ROOT) as root:
            for statement in (*WORK, *QUESTIONS):
                root.execute(statement.encode())
        with world.login(BOB) as bob:
            assert bob.execute("SELECT count(*) FROM ims.audit_log WHERE action = 'update'").fetchone()


def test_numbers_of_trackers_are_not_used_up(world: World) -> None:
    keys = (
        "SELECT t.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid "
        "WHERE t.relnamespace = 'ims'::regnamespace AND t.relkind = 'r' AND a.atttypid <> "
        "'bigint'::regtype "
        "AND (a.attidentity <> '' OR a.attname = 'tracker_id') AND t.relname <> 'users'"  # made by admins
    )
    with world.database.superuser() as connection:
        assert connection.execute(keys.encode()).fetchall() == []
        sequence = "SELECT max_value FROM pg_sequences WHERE sequencename = 'trackers_tracker_id_seq'"
        assert connection.execute(sequence.encode()).fetchone() == (2**63 - 1,)
        assert CreateTable(Base.metadata.tables["ims.trackers"]).compile(dialect=postgresql.dialect())
