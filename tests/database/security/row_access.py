"""What an identity can do with a table's rows, tried out: what the matrix and the mutations measure by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql as composing

from tests.fixtures.rls_identities import Identity, World
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT

OTHERS_KEEP_THEIR_SECRETS = {"tracker_secrets"}  # not even an admin or analyst looks
WRITTEN_BY_TRIGGERS = {"audit_log"}
MADE_BY_ADMINS = {"users"}  # one's own row is there to be changed in part, never made or deleted


def check(world: World, identity: Identity, table: str) -> None:
    """Assert all of it."""
    check_reading(world, identity, table)
    check_writing(world, identity, table)


def check_reading(world: World, identity: Identity, table: str) -> None:
    """An identity reads exactly the rows that are its to read, with SELECT and with COPY."""
    wide = identity.sees_all and table not in OTHERS_KEEP_THEIR_SECRETS
    for user_id in (ROOT, ALICE, BOB, ANA):
        there = world.count(table, user_id)
        if user_id in (ROOT, ALICE, BOB):
            assert there, f"nothing of user {user_id} in {table}: that none is seen would prove nothing"
        expected = there if wide or identity.user_id == user_id else 0
        with identity.transaction() as connection:
            assert seen(connection, table, user_id) == expected, (identity.name, table, user_id)
    with identity.transaction() as connection:
        copied = seen_by_copy(connection, table, identity)
        assert copied == {row for row in copied if wide or row == identity.user_id}, (identity.name, table)


def check_writing(world: World, identity: Identity, table: str) -> None:
    """An identity writes its own rows where the table allows it, and nobody else's."""
    for victim in (ALICE, BOB):
        if identity.user_id == victim:
            continue
        may = identity.writes_all and table not in OTHERS_KEEP_THEIR_SECRETS | WRITTEN_BY_TRIGGERS
        with identity.transaction() as connection:
            assert changed(connection, _update(table), victim) == (world.count(table, victim) if may else 0)
        with identity.transaction() as connection:
            touched = changed(connection, _delete(table), victim)
            assert touched == (world.count(table, victim) if may else 0) or (may and touched == RESTRICTED)
        # The owner writes the audit log for the triggers; it is nobody's login.
        if not may and not (identity.role == "ims_owner" and table in WRITTEN_BY_TRIGGERS):
            with identity.transaction() as connection, refused():
                _insert_copy(world, connection, table, victim)
            with identity.transaction() as connection, refused():
                _insert_copy(world, connection, table, victim, b"ON CONFLICT DO NOTHING")
            if identity.user_id is not None and table not in MADE_BY_ADMINS:
                with identity.transaction() as connection, refused():
                    query = composing.SQL("UPDATE ims.{} SET user_id = %s WHERE user_id = %s")
                    cursor = connection.execute(
                        query.format(composing.Identifier(table)), (victim, identity.user_id)
                    )
                    if cursor.rowcount == 0:
                        raise psycopg.errors.InsufficientPrivilege("there was none to give away")
    for statement in (
        b"TRUNCATE ims.%b CASCADE",
        b"COPY ims.%b FROM STDIN",
        b"CREATE TRIGGER t AFTER DELETE ON ims.%b "
        b"FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ):
        if identity.role == "ims_owner":
            continue  # owns the table: it is nobody's login, and its rows are closed to it all the same
        with identity.transaction() as connection, pytest.raises(psycopg.Error) as refusal:
            connection.execute(statement.replace(b"%b", table.encode()))
        assert refusal.value.sqlstate in {"42501", "0A000"}, (identity.name, table, refusal.value)


RESTRICTED = -1  # somebody may delete a row, but other rows need it
REFUSED = 0


def seen(connection: psycopg.Connection, table: str, user_id: int) -> int:
    """How many of a user's rows a connection sees."""
    query = composing.SQL("SELECT count(*) FROM ims.{} WHERE user_id = %s").format(
        composing.Identifier(table)
    )
    try:
        row = connection.execute(query, (user_id,)).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return 0
    assert row is not None
    return int(row[0])


def seen_by_copy(connection: psycopg.Connection, table: str, identity: Identity) -> set[int]:
    """Whose rows COPY gives out."""
    query = composing.SQL("COPY (SELECT user_id FROM ims.{}) TO STDOUT").format(composing.Identifier(table))
    try:
        with connection.cursor().copy(query) as rows:
            return {int(bytes(row)) for row in rows}
    except psycopg.errors.InsufficientPrivilege:
        assert identity.user_id is None
        return set()


def changed(connection: psycopg.Connection, statement: composing.Composed, user_id: int) -> int:
    """How many rows a statement changed; 0 where it may change none."""
    try:
        return connection.execute(statement, (user_id,)).rowcount
    except psycopg.errors.InsufficientPrivilege:
        return REFUSED
    except (psycopg.errors.RestrictViolation, psycopg.errors.ForeignKeyViolation):
        return RESTRICTED


@contextmanager
def refused() -> Iterator[None]:
    """The server says that this may not be."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        yield


def _update(table: str) -> composing.Composed:
    column = "preferences" if table == "users" else "user_id"
    return composing.SQL("UPDATE ims.{0} SET {1} = {1} WHERE user_id = %s").format(
        composing.Identifier(table), composing.Identifier(column)
    )


def _delete(table: str) -> composing.Composed:
    return composing.SQL("DELETE FROM ims.{} WHERE user_id = %s").format(composing.Identifier(table))


def _insert_copy(
    world: World, connection: psycopg.Connection, table: str, victim: int, ending: bytes = b""
) -> None:
    """Try to store a row like the victim's, in the victim's name."""
    columns = world.tables[table].columns
    row = world.tables[table].rows[victim][0]
    connection.execute(
        composing.SQL("INSERT INTO ims.{} ({}) VALUES ({}) {}").format(
            composing.Identifier(table),
            composing.SQL(", ").join(map(composing.Identifier, columns)),
            composing.SQL(", ").join([composing.Literal(value) for value in row]),
            composing.SQL(ending.decode()),
        )
    )
