"""What EXPLAIN says tells nobody what others have: a value of theirs is like one that nobody has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql as composing

from db.setup.bootstrap import upgrade
from tests.fixtures.database import Server, on_every_server_long
from tests.fixtures.rls_identities import World, settled
from tests.fixtures.schema import ALICE, BOB, fresh_database

pytestmark = [on_every_server_long, pytest.mark.xdist_group("estimates")]

ROWS = 600  # of alice in every table: enough that each of her values is among the most common ones
SECRET = "Hanbit Secret Bank"
# By type: what many of alice's rows have, what nobody has, and how to ask for either.
VALUES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "text": (f"'{SECRET}'", "'Nobody at all Inc.'", ("=", "<", ">", "^@")),
    "integer": ("7777", "8888", ("=", "<", ">")),
    "bigint": ("7777", "8888", ("=", "<", ">")),
    "smallint": ("7777", "8888", ("=", "<", ">")),
    "double precision": ("7777.5", "8888.5", ("=", "<", ">")),
    "boolean": ("true", "false", ("=",)),
    "timestamp with time zone": ("'2031-07-07Z'", "'2032-08-08Z'", ("=", "<", ">")),
    "date": ("'2031-07-07'", "'2032-08-08'", ("=", "<", ">")),
    "uuid": (f"'{'7' * 32}'", f"'{'8' * 32}'", ("=", "<", ">")),
    "bytea": (r"'\x7777'", r"'\x8888'", ("=", "<", ">")),
    "jsonb": ("""'{"a": 7777}'""", """'{"a": 8888}'""", ("=", "@>", "<")),
    "tsvector": ("'planted'", "'unplanted'", ("=", "@@", "<")),
    "text[]": (f"ARRAY['{SECRET}']", "ARRAY['Nobody at all Inc.']", ("=", "@>", "<")),
    "integer[]": ("ARRAY[7777]", "ARRAY[8888]", ("=", "@>", "<")),
    "inet": ("'203.0.113.7'", "'203.0.113.8'", ("=", "<", "<<=")),
}
LOOKING = (
    "bob's login",
    "an unmapped login",
    "the application",
    "the application as bob",
    "ana's login",
)
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL), a.attidentity <> ''
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'ims'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""


@pytest.fixture(scope="module")
def crowded(server: Server, template: str) -> Iterator[World]:
    """A world where alice has many rows in every table, all of the same values."""
    with fresh_database(server, template) as database, settled(database) as world:
        with world.database.superuser() as connection:
            _loosen(connection, "cfup")
            columns = connection.execute(COLUMNS.encode()).fetchall()
            for table in world.tables:
                _crowd(connection, table, [row[1:] for row in columns if row[0] == table], ROWS)
        yield world


def _loosen(connection: psycopg.Connection, kinds: str) -> None:
    """Let any values in: constraints have no part in what statistics tell."""
    connection.execute("SET session_replication_role = replica")
    for table, name in connection.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint "
        "WHERE connamespace = 'ims'::regnamespace AND conrelid <> 0 "
        "AND contype = ANY (string_to_array(%s, NULL)) "
        "ORDER BY contype = 'p', contype = 'u'",
        (kinds,),
    ).fetchall():
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE".encode())


def _crowd(
    connection: psycopg.Connection, table: str, columns: list[tuple[str, str, bool]], rows: int
) -> None:
    # A user's login is looked after by the upgrade, which would take these for strangers.
    columns = [one for one in columns if not one[2] and one[0] != "db_login"]
    names = [name for name, *_ in columns]
    values = [str(ALICE) if name == "user_id" else VALUES[kind][0] for name, kind, _ in columns]
    connection.execute(
        composing.SQL(
            "INSERT INTO ims.{} ({}) SELECT {} FROM generate_series(1, {}) ON CONFLICT DO NOTHING"
        ).format(
            composing.Identifier(table),
            composing.SQL(", ").join(map(composing.Identifier, names)),
            composing.SQL(", ".join(values)),  # type: ignore[arg-type]  # the test's own
            rows,
        )
    )


def _analyse(world: World) -> None:
    """Everything that ever makes statistics: what autovacuum does, and what a crawl asks for."""
    with world.database.superuser() as connection:
        connection.execute("VACUUM ANALYZE")
    with world.database.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        connection.execute("SELECT ims.analyze_tables()")
    connection.close()


def _as_before(world: World) -> None:
    """A database of a version that kept statistics."""
    with world.database.superuser() as connection:
        for table, name, *_ in connection.execute(COLUMNS.encode()).fetchall():
            connection.execute(
                composing.SQL("ALTER TABLE ims.{} ALTER COLUMN {} SET STATISTICS -1").format(
                    composing.Identifier(table), composing.Identifier(name)
                )
            )
        connection.execute("CREATE STATISTICS ims.together ON product, customer FROM ims.issues")
    _analyse(world)


def _estimates(connection: psycopg.Connection, question: str) -> list[tuple[object, ...]]:
    """What a plan says of itself, the texts of its conditions left aside."""
    row = connection.execute(f"EXPLAIN (FORMAT json) {question}".encode()).fetchone()
    assert row is not None

    def walk(node: dict[str, Any]) -> Iterator[tuple[object, ...]]:
        yield tuple(
            node[key] for key in ("Node Type", "Startup Cost", "Total Cost", "Plan Rows", "Plan Width")
        )
        for below in node.get("Plans", ()):
            yield from walk(below)

    return list(walk(row[0][0]["Plan"]))


def _questions(world: World, *, keys: bool = True) -> Iterator[tuple[str, str]]:
    """The same question for a value that alice has and for one that nobody has."""
    with world.database.superuser() as connection:
        columns = connection.execute(COLUMNS.encode()).fetchall()
    assert len({table for table, *_ in columns}) == len(world.tables)
    for table, column, kind, identity in columns:
        # How many rows others have, and a user's name, is no secret; of these kinds bob has values too.
        if not keys and (identity or column in {"user_id", "username"} or kind in {"boolean", "uuid"}):
            continue
        having, nobody, operators = VALUES[kind]
        if column == "user_id":
            having, nobody = str(ALICE), "99"
        for operator in operators:
            asking = f'SELECT FROM ims."{table}" WHERE "{column}" {operator} '
            yield asking + having, asking + nobody


def _told(world: World) -> list[tuple[str, str]]:
    """Who is told what by estimates."""
    told = []
    for name in LOOKING:
        with world.identities[name].transaction() as connection:
            for having, nobody in _questions(world):
                if _estimates(connection, having) != _estimates(connection, nobody):
                    told.append((name, having))
    return told


def _spelled(estimate: Callable[[str], object]) -> str:
    """The least value of a column, letter by letter: below it the estimate is another than above it."""
    word, below = "", estimate(" ")
    while estimate(word + "\x7f") != below:
        letters = [chr(code) for code in range(32, 127) if estimate(word + chr(code)) == below]
        if not letters:
            break
        word += letters[-1]
    return word


def _bob_spells(world: World) -> str:
    with contextlib.closing(world.login(BOB)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM ims.issues WHERE customer IS NOT NULL"
        ).fetchone() == (0,)
        return _spelled(
            lambda word: _estimates(
                connection, "SELECT FROM ims.issues WHERE customer < '{}'".format(word.replace("'", "''"))
            )
        )


def test_estimates_tell_nothing_of_others_values(crowded: World) -> None:
    _analyse(crowded)
    assert _told(crowded) == []
    assert _bob_spells(crowded) == ""


def test_statistics_of_an_earlier_version_tell_all_and_are_gone_after_the_upgrade(crowded: World) -> None:
    _as_before(crowded)
    assert _bob_spells(crowded) == SECRET
    told = {question.split()[4] for who, question in _told(crowded) if who == "bob's login"}
    assert {'"customer"', '"original_query"', '"session_uuid"', '"registered_date"', '"position"'} <= told
    upgrade(crowded.database.superuser_url)
    _analyse(crowded)
    assert _told(crowded) == []
    assert _bob_spells(crowded) == ""
    with crowded.database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM pg_statistic_ext").fetchone() == (0,)


def test_explain_analyze_counts_no_others_rows_by_their_values(server: Server, template: str) -> None:
    """What a scan passes over is counted: an index over everybody's values would count out who has one."""
    with fresh_database(server, template) as database, settled(database) as world:
        with database.superuser() as connection:
            _loosen(connection, "cf")
            columns = connection.execute(COLUMNS.encode()).fetchall()
            for table in world.tables:
                if table != "users":
                    connection.execute(
                        composing.SQL("DELETE FROM ims.{} WHERE user_id = %s").format(
                            composing.Identifier(table)
                        ),
                        (ALICE,),
                    )
                _crowd(connection, table, [row[1:] for row in columns if row[0] == table], 1)
            connection.execute("VACUUM")  # what was there before leaves traces until then
        told = []
        with world.identities["bob's login"].transaction() as connection:
            for setting in ("enable_seqscan", "enable_bitmapscan"):
                connection.execute(f"SET LOCAL {setting} = off".encode())
                for having, nobody in _questions(world, keys=False):
                    if _counts(connection, having) != _counts(connection, nobody):
                        told.append(having)
        assert told == []


def _counts(connection: psycopg.Connection, question: str) -> list[object]:
    """What was read, passed over and touched for a question."""
    options = "ANALYZE, TIMING off, SUMMARY off, COSTS off, BUFFERS off, FORMAT json"
    row = connection.execute(f"EXPLAIN ({options}) {question}".encode()).fetchone()
    assert row is not None

    def walk(node: dict[str, Any]) -> Iterator[object]:
        texts = ("Filter", "Index Cond", "Recheck Cond", "Plans")
        yield {key: value for key, value in node.items() if key not in texts}
        for below in node.get("Plans", ()):
            yield from walk(below)

    return list(walk(row[0][0]["Plan"]))
