"""Everything a database stores of crawls, in a form in which two databases can be compared.

Row for row and column for column, but for what differs between two runs of the same: serial numbers, times,
and what the network took. A row that belongs to an issue is told with that issue's number.
"""

from __future__ import annotations

from collections import Counter

import psycopg

Rows = dict[str, Counter[str]]  # by table: each row as JSON, with how often it is there

_NOT_OF_CRAWLS = {"audit_log", "users", "schema_version", "tracker_secrets", "alembic_version"}
_SERIAL = (
    "session_id session_uuid tracker_id issue_pk comment_id history_id attachment_id relation_id raw_page_id"
    " query_id error_id fence"
)
_OF_THE_RUN = (
    "first_crawled_at last_crawled_at fetched_at updated_at created_at heartbeat_at started_at completed_at"
    " queried_at occurred_at duration_seconds search_time_ms crawl_time_ms avg_issue_time_ms"
    " crawl_duration_ms requests retries bytes_received wait_seconds search_cursor"
)
_TABLES = """
    SELECT c.relname, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'issue_pk')
    FROM pg_class c
    WHERE c.relnamespace = 'ims'::regnamespace AND c.relkind = 'r'
    ORDER BY c.relname
"""


def stored_rows(connection: psycopg.Connection) -> Rows:
    """Read all rows of all crawl tables, past row security."""
    left_out = f"{_SERIAL} {_OF_THE_RUN}".split()
    rows: Rows = {}
    for table, of_an_issue in connection.execute(_TABLES).fetchall():
        if table in _NOT_OF_CRAWLS:
            continue
        number = (
            "(SELECT i.issue_id FROM ims.issues i WHERE i.issue_pk = t.issue_pk)" if of_an_issue else "''"
        )
        query = f"SELECT (to_jsonb(t) - %s::text[])::text || ' of ' || {number} FROM ims.{table} t"  # noqa: S608 - names from the catalogue
        found = connection.execute(query.encode(), (left_out,)).fetchall()
        rows[table] = Counter(row[0] for row in found)
    return rows


def count(rows: Rows) -> int:
    """How many rows they are."""
    return sum(table.total() for table in rows.values())


def difference(rows: Rows, golden: Rows) -> tuple[list[str], list[str]]:
    """What is lost, and what is there that should not be, each with its table."""
    lost = [f"{table}: {row}" for table in golden for row in (golden[table] - rows[table]).elements()]
    more = [f"{table}: {row}" for table in rows for row in (rows[table] - golden[table]).elements()]
    return lost, more
