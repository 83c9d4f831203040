"""What figures cost: those of one user among a million issues with five million changes, and those of a day.

Twenty users, each with the same number of issues, which came in batches of 500, as crawls bring them. Every
issue has five changes, three of them of its status, and a comment. Each function is asked by the
application's login for one user after another, under row security; the median and the slowest are given.
``aggregates`` are an admin's, over all users, for a day of one batch a user and for a day of ten; ``ratio``
is that of the times.

Run as ``python -m bench.analytics [--issues N] [--users N] [--rounds N] [--home FOLDER]``; prints one JSON
object, in ms, and the processor time of the server beside. A folder keeps the issues for the next run, which
asks the functions as they are then.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench import conninfo
from bench.search import cpu
from db.embedded import EmbeddedServer
from db.setup.bootstrap import ensure_database, initialise

BATCH = 500
ADMIN = 1
# Issue n was registered within five years; two in three are closed by now.
ISSUES = """
INSERT INTO ims.issues (user_id, issue_id, title, product, status, state, reporter, owner, priority,
    registered_date,
                        modified_date, closed_date)
SELECT 2 + (n / %(batch)s) %% %(users)s, n::text,
       (ARRAY['Listener crash on', 'Timeout while loading', '접속 오류가 발생', '接続エラーが発生'])
           [1 + n %% 4]
           || ' module' || n %% 97 || ' after word' || (n * 7919::bigint) %% 5003,
       'product ' || n %% 7, (ARRAY['Closed', 'Closed', 'Assigned'])[1 + n %% 3], (ARRAY['done', 'done',
           'in_progress'])[1 + n %% 3],
       'Kim', 'Lee', 'high', born, born + interval '20 days', CASE WHEN n %% 3 < 2 THEN born + interval '20
           days' END
FROM (SELECT n, timestamptz '2021-01-01Z' + (n * 7919::bigint %% 1826) * interval '1 day' AS born
      FROM generate_series(%(first)s::integer, %(last)s::integer) AS n) AS made
"""
CHANGES = """
INSERT INTO ims.issue_history (user_id, issue_pk, position, changed_by, changed_at, field_name, old_value,
    new_value)
SELECT issue.user_id, issue.issue_pk, place, 'Lee', issue.registered_date + place * interval '4 days',
    name, was,
       CASE WHEN place = 5 AND issue.state <> 'done' THEN 'Assigned' ELSE became END
FROM ims.issues issue
CROSS JOIN (VALUES (1, 'Status', 'New', 'Assigned'), (2, 'Assigned To', 'Park', 'Lee'), (3, 'Priority',
    'low', 'high'),
                   (4, 'Status', 'Assigned', 'Resolved'), (5, 'Status', 'Resolved', 'Closed')) AS told
                       (place, name, was, became)
WHERE issue.issue_pk > %(after)s
"""
COMMENTS = """
INSERT INTO ims.issue_comments (user_id, issue_pk, author, content, commented_at)
SELECT user_id, issue_pk, 'Lee', 'Seen, looked at, and told what to try next', registered_date + interval
    '5 hours'
FROM ims.issues WHERE issue_pk > %(after)s
"""
# A batch a session: the first ten of each user on the first day of March 2026, the next one on the second,
# and so on.
SESSIONS = """
INSERT INTO ims.crawl_sessions (user_id, session_id, status, started_at, completed_at, duration_seconds,
    issues_crawled)
SELECT 2 + batch %% %(users)s, 1 + batch, 'completed', day, day + interval '1 minute', 60, %(batch)s
FROM (SELECT batch, timestamptz '2026-03-01Z' + greatest(batch / %(users)s - 9, 0) * interval '1 day' AS day
      FROM generate_series(0, %(issues)s / %(batch)s - 1) AS batch) AS made
"""
HELD = """
INSERT INTO ims.session_issues (session_id, issue_pk, user_id)
SELECT 1 + issue_id::integer / %(batch)s, issue_pk, user_id FROM ims.issues
"""
FUNCTIONS = {
    "issue_flow": "SELECT * FROM ims.issue_flow('2021-01-01Z', '2026-03-01Z', 'week')",
    "backlog_age": "SELECT * FROM ims.backlog_age('2025-01-01Z')",
    "time_in_status": "SELECT * FROM ims.time_in_status()",
    "time_to_close": "SELECT * FROM ims.time_to_close()",
    "first_response_time": "SELECT * FROM ims.first_response_time()",
    "issues_as_of": "SELECT count(*) FROM ims.issues_as_of('2023-06-01Z')",
    "keyword_trends": "SELECT * FROM ims.keyword_trends('2025-01-01Z', '2026-01-01Z')",
    "get_user_stats": "SELECT * FROM ims.get_user_stats(ims.current_user_id())",
    "refresh_materialized_views": "SELECT ims.refresh_materialized_views()",
    "v_user_dashboard": "SELECT * FROM ims.v_user_dashboard",
    "v_product_stats": "SELECT * FROM ims.v_product_stats",
}
AGGREGATES = {
    "day_of_10_batches": "SELECT ims.aggregate_daily_stats('2026-03-01')",
    "day_of_1_batch": "SELECT ims.aggregate_daily_stats('2026-03-02')",
    "empty_day": "SELECT ims.aggregate_daily_stats('2026-02-01')",
    "month": "SELECT ims.aggregate_monthly_stats(2026, 3)",
}


def main() -> None:
    """Fill a database, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--home", type=Path, help="a folder to keep what was stored in, for further runs")
    options = parser.parse_args()
    with _filled(options.issues, options.users, options.home) as (application, seconds):
        users = [2 + turn % options.users for turn in range(options.rounds)]
        figures = {name: _times(application, query, users) for name, query in FUNCTIONS.items()}
        aggregates = {name: _times(application, query, [ADMIN] * 3) for name, query in AGGREGATES.items()}
    ratio = aggregates["day_of_10_batches"]["median"] / aggregates["day_of_1_batch"]["median"]
    whole = {
        "issues": options.issues,
        "history": options.issues * 5,
        "issues_of_a_user": options.issues // options.users,
        "fill_seconds": round(seconds, 1),
        "functions": figures,
        "aggregates": {**aggregates, "ratio": round(ratio, 1)},
    }
    sys.stdout.write(json.dumps(whole, indent=2) + "\n")


def _times(application: psycopg.Connection, query: str, users: list[int]) -> dict[str, float]:
    """Milliseconds of a query, asked once for each of the users; what it writes is taken back."""
    times, worked = [], []
    for user_id in users:
        with application.transaction(force_rollback=True):
            application.execute("SELECT ims.set_current_user(%s)", (user_id,))
            before, started = cpu(application.info.backend_pid), time.perf_counter()
            application.execute(query.encode()).fetchall()
            times.append((time.perf_counter() - started) * 1000)
            worked.append(cpu(application.info.backend_pid) - before)
    return {
        "median": round(statistics.median(times), 1),
        "slowest": round(max(times), 1),
        "server_cpu": round(statistics.median(worked), 1),
    }


@contextmanager
def _filled(issues: int, users: int, kept: Path | None) -> Iterator[tuple[psycopg.Connection, float]]:
    """The application's connection to a database full of issues, and how long filling it took."""
    with tempfile.TemporaryDirectory() as home, EmbeddedServer(kept or Path(home)) as address:
        ensure_database(address.superuser_url(), "bench")
        url = address.superuser_url("bench")
        login = initialise(url, app_password="bench", first_admin="root")  # noqa: S106 - our own server
        with (
            psycopg.connect(conninfo(url), autocommit=True) as superuser,
            psycopg.connect(conninfo(login.url), autocommit=True) as application,
        ):
            started = time.monotonic()
            if superuser.execute("SELECT FROM ims.issues LIMIT 1").fetchone() is None:
                _fill(superuser, issues, users)
            yield application, time.monotonic() - started


def _fill(superuser: psycopg.Connection, issues: int, users: int) -> None:
    superuser.execute("SET ims.bulk = 'on'")
    superuser.execute("SET synchronous_commit = off")
    superuser.execute("SET session_replication_role = replica")  # no foreign keys: what is made here agrees
    superuser.execute(
        "INSERT INTO ims.users (username) SELECT 'user ' || n FROM generate_series(1, %s::integer) AS n",
        (users,),
    )
    superuser.execute(
        "INSERT INTO ims_private.identities (user_id, username, role, is_active) "
        "SELECT user_id, username, role, true FROM ims.users ON CONFLICT DO NOTHING"
    )
    known = {"batch": BATCH, "users": users, "issues": issues}
    for first in range(0, issues, 50_000):
        row = superuser.execute("SELECT coalesce(max(issue_pk), 0) FROM ims.issues").fetchone()
        known["after"] = row[0] if row else 0
        superuser.execute(ISSUES.encode(), {**known, "first": first, "last": min(first + 50_000, issues) - 1})
        superuser.execute(CHANGES.encode(), known)
        superuser.execute(COMMENTS.encode(), known)
    superuser.execute(SESSIONS.encode(), known)
    superuser.execute(HELD.encode(), known)
    superuser.execute("VACUUM ANALYZE")
    superuser.execute("CHECKPOINT")


if __name__ == "__main__":
    main()
