"""A visit: a login of minutes that is one user, whoever asked for it and whatever it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.acting import acting_for
from db.statement import StatementRefused, run_statement
from db.users import disable_user, enable_user
from db.visit import open_visit
from tests.fixtures.database import libpq_url, on_every_server
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database, fresh_database

pytestmark = on_every_server
VERIFIER = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"


@contextmanager
def visit(database: Database, user_id: int) -> Iterator[psycopg.Connection]:
    with acting_for(user_id, url=database.app_url) as acting:
        connection = open_visit(acting, database.app_url)
    with connection:
        yield connection


@pytest.fixture
def filled(database: Database) -> Iterator[Database]:
    """Everybody has an issue that names them; the visits are gone afterwards."""
    with database.superuser() as connection:
        connection.execute(
            "INSERT INTO ims.issues (user_id, issue_id, title) SELECT user_id, '1', username FROM ims.users"
        )
        yield database
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(usename, 'ims_visit_')"
        )
        for (login,) in connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE "
            "'ims\\_visit\\_' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '\\_%'"
        ).fetchall():
            connection.execute(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(login)))


def one(connection: psycopg.Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("user_id", [ROOT, ALICE, ANA])
def test_a_visit_sees_its_users_own_rows_whatever_their_role(filled: Database, user_id: int) -> None:
    with visit(filled, user_id) as connection:
        assert one(connection, "SELECT ims.current_user_id()") == user_id
        assert one(connection, "SELECT ims.current_user_role()") == "user"
        for _ in range(2):
            assert one(connection, "SELECT array_agg(user_id) FROM ims.issues") == [user_id]
            assert one(connection, "SELECT count(*) FROM ims.users") == 1
            connection.execute("SET ims.own_rows = 'off'")
        for other in {ROOT, ALICE, BOB} - {user_id}:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT ims.set_current_user(%s)", (other,))


@pytest.mark.parametrize(
    "attack",
    [
        "SET ROLE ims_app",
        "SET ROLE ims_admin",
        "SET ROLE ims_readonly",
        "SET ROLE ims_acting_user",
        "SET ROLE ims_login_maker",
        "SET SESSION AUTHORIZATION ims_app",
        f"SELECT ims.open_visit('{VERIFIER}')",
        f"SELECT ims.create_login(2, 'x', '{VERIFIER}')",
        "TABLE ims_private.identities",
        "SELECT ims_private.visits_of(2)",
        "CREATE ROLE ims_visit_1_2_000000000000000000000000 LOGIN",
        "ALTER ROLE {self} RENAME TO ims_visit_1_2_000000000000000000000000",
        "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
        "GRANT ims_admin TO CURRENT_USER",
    ],
)
def test_a_visit_becomes_nobody_else(filled: Database, attack: str) -> None:
    with visit(filled, BOB) as connection:
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)):
            connection.execute(attack.replace("{self}", connection.info.user).encode())
        assert one(connection, "SELECT array_agg(user_id) FROM ims.issues") == [BOB]


def test_only_the_program_opens_one_and_only_for_whom_it_acts(filled: Database) -> None:
    with filled.app() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT ims.open_visit(%s)", (VERIFIER,))
    with filled.app() as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (BOB,))
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute("SELECT ims.open_visit('plain text')")
        connection.rollback()
        connection.execute("SELECT ims.set_current_user(%s)", (BOB,))
        name = connection.execute("SELECT ims.open_visit(%s)", (VERIFIER,)).fetchone()
        assert name is not None
        assert str(name[0]).split("_")[3] == str(BOB)
        connection.rollback()


def test_a_visit_lets_in_for_a_minute_and_is_swept_away_afterwards(filled: Database) -> None:
    with visit(filled, BOB) as kept, visit(filled, BOB) as left, filled.superuser() as superuser:
        names = [str(one(connection, "SELECT session_user")) for connection in (kept, left)]
        within = "SELECT rolvaliduntil - now() < interval '1 minute' FROM pg_roles WHERE rolname = %s"
        for name in names:
            assert superuser.execute(within, (name,)).fetchone() == (True,)
            superuser.execute(
                psycopg.sql.SQL("ALTER ROLE {} VALID UNTIL '2020-01-01'").format(psycopg.sql.Identifier(name))
            )
        left.close()
        with visit(filled, ALICE) as third:
            there = "SELECT array_agg(rolname ORDER BY rolname) FROM pg_roles WHERE rolname = ANY (%s)"
            newest = str(one(third, "SELECT session_user"))
            found = superuser.execute(there, ([*names, newest],)).fetchone()
            assert found == (sorted([names[0], newest]),)
        assert one(kept, "SELECT array_agg(user_id) FROM ims.issues") == [BOB]


def test_a_disabled_users_visit_is_cut_off_and_nobody(filled: Database) -> None:
    with visit(filled, BOB) as connection, visit(filled, ALICE) as other:
        with filled.session(ROOT) as session:
            disable_user(session, "bob")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT")
        assert one(other, "SELECT ims.current_user_id()") == ALICE
        with filled.session(ROOT) as session:
            enable_user(session, "bob")


def test_a_visit_is_of_its_database_only(filled: Database, template: str) -> None:
    with fresh_database(filled.server, template) as another, visit(filled, BOB) as connection:
        password = connection.info.password
        address = filled.server.url(user=connection.info.user, password=password, dbname=another.name)
        with psycopg.connect(libpq_url(address), autocommit=True) as elsewhere:
            assert one(elsewhere, "SELECT ims.current_user_id()") is None
            assert one(elsewhere, "SELECT count(*) FROM ims.users") == 0


PIECES = st.sampled_from(
    [
        *("SELECT ", "title", "*", " FROM ims.issues", " FROM ims.users", "1", ", ", "(", ")", ";", "--"),
        *("set_config('role', 'none', true)", "ims.set_current_user(2)", " AS asked", " OFFSET 0", "/*"),
        *("'", '"', "$$", "\\", "\n", "{most}", "{statement}", "%s", "$1", "WITH a AS (", " UNION ALL "),
        *("DELETE FROM ims.issues", "UPDATE ims.issues SET title = 'x'", "COPY ims.issues TO STDOUT", "E'"),
        *("ROLLBACK", "BEGIN", "COMMIT", "SET ROLE ims_app", "DISCARD ALL", "VALUES (1)", "TABLE ims.issues"),
        *(" INTO x", " FOR UPDATE", " LIMIT 1"),
    ]
)


def test_no_statement_sees_others_writes_or_leaves_its_transaction(filled: Database) -> None:
    with visit(filled, BOB) as connection:

        @settings(max_examples=150, deadline=None)
        @given(st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=40)))
        def hold(statement: str) -> None:
            try:
                told = repr(run_statement(connection, statement, most=50, seconds=5, own_rows=True))
            except StatementRefused as refused:
                told = str(refused)
            assert "alice" not in told
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            assert one(connection, "SELECT string_agg(title, ',') FROM ims.issues") == "bob"
            assert one(connection, "SELECT current_user = session_user") is True

        hold()


def test_what_an_assistant_is_told_of_a_failing_statement_is_nothing_stored(filled: Database) -> None:
    with visit(filled, BOB) as connection:
        for failing in ("title::integer", "query_to_xml(title, true, true, '')"):
            statement = f"SELECT {failing} FROM ims.issues"  # noqa: S608 - one of the two above
            with pytest.raises(StatementRefused) as refused:
                run_statement(connection, statement, most=1, seconds=5, own_rows=True)
            assert "bob" not in str(refused.value)


def test_a_connection_that_is_lost_is_said_to_be(filled: Database) -> None:
    with visit(filled, BOB) as connection, filled.superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            run_statement(connection, "SELECT 1", most=1, seconds=5, own_rows=True)
