"""Transactions that act for a user on the driver's own connection: a question needs no mapper of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from db.connections import keep, open_checked, take_kept
from db.errors import DatabaseRefused, IdentityRefused, translated
from db.location import configured_url
from db.queries import statements
from db.settings import driver_url, libpq_url, read_settings
from db.transient import is_of_the_server

ONLY_OWN = "Only admins and analysts see everybody's rows: leave --everybody out."
NO_PERSON = "This login is no person's: take one that users add --login made."
CANNOT_ACT = "You cannot act as this user: ask an admin."


@dataclass(frozen=True, slots=True)
class Acting:
    """A connection within one transaction of a user."""

    connection: psycopg.Connection
    user_id: int

    def rows(self, noun: str, name: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        """Run a statement of ``db/queries`` and return its rows.

        Args:
            noun: the statement's file.
            name: the statement.
            values: what it takes.

        Raises:
            psycopg.Error: the statement failed.
        """
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statements(noun)[name], values).fetchall()

    def value(self, noun: str, name: str, values: Mapping[str, object]) -> Any:
        """Run a statement of ``db/queries`` and return the first value of its first row.

        Raises:
            psycopg.Error: the statement failed.
        """
        row = self.connection.execute(statements(noun)[name], values).fetchone()
        return row[0] if row is not None else None

    def do(self, noun: str, name: str, values: Mapping[str, object]) -> None:
        """Run a statement of ``db/queries`` that returns no rows.

        Raises:
            psycopg.Error: the statement failed.
        """
        self.connection.execute(statements(noun)[name], values)

    def cancel(self) -> None:
        """Ask the server, from another thread, to end the statement that is running."""
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=1)


@contextmanager
def acting_for(
    user_id: int | None = None,
    *,
    url: str | None = None,
    everybody: bool | None = None,
    only_reads: bool = False,
    seconds: int | None = None,
) -> Iterator[Acting]:
    """Act for a user in one transaction: commit at the end, roll back on an exception.

    Args:
        user_id: for whom; None: the configured user, or whose personal login the address has.
        url: the database's address; None: the configured one.
        everybody: false: admins and analysts too see their own rows only; true: refuse others than them.
        only_reads: all that is asked is of one moment, and the server refuses to write.
        seconds: the server ends a statement that takes longer; None: it may take as long as it does.

    Raises:
        DatabaseRefused: everybody's rows are asked for, and the user is neither admin nor analyst.
        IdentityRefused: the user is unknown, disabled, or somebody else than a personal login's.
        DatabaseError: the database is unreachable or not what it should be.
    """
    settings = read_settings()
    conninfo = libpq_url(configured_url(settings) if url is None else driver_url(url))
    wanted = _wanted(user_id, settings.user, everybody=everybody, seconds=seconds)
    acting: Acting | None = None
    try:
        acting = _begun(conninfo, wanted, only_reads=only_reads)
        if everybody and not acting.value("asking", "sees_everybody", {}):
            raise DatabaseRefused(ONLY_OWN)
        yield acting
        acting.connection.commit()
    except BaseException as error:
        if acting is not None:
            acting.connection.close()
        if isinstance(error, psycopg.Error) and is_of_the_server(error):
            raise translated(error) from error
        raise
    keep(conninfo, acting.connection, user_id=acting.user_id)


@contextmanager
def acting_as_person(
    url: str, *, everybody: bool = False, only_reads: bool = False, seconds: int | None = None
) -> Iterator[Acting]:
    """Act as whose personal login an address has, on a connection that ends with the transaction.

    Nothing is kept: who comes with the same address has to be let in by the server again.

    Args:
        url: the address, with the login and its password.
        everybody: whether admins and analysts see everybody's rows; others see their own all the same.
        only_reads: as for :func:`acting_for`.
        seconds: likewise.

    Raises:
        IdentityRefused: the login is nobody's, or may act for others.
        DatabaseError: the database is unreachable, or refuses the login.
    """
    try:
        with open_checked(libpq_url(driver_url(url))) as connection:
            row = connection.execute(statements("asking")["login_user"]).fetchone()
            if row is None or row[0] is None:
                raise IdentityRefused(NO_PERSON)
            connection.rollback()
            wanted = _wanted(row[0], "", everybody=everybody, seconds=seconds)
            yield _identified(connection, wanted, only_reads=only_reads)
    except psycopg.Error as error:
        if is_of_the_server(error):
            raise translated(error) from error
        raise


@contextmanager
def user_connection(conninfo: str, user_id: int, *, everybody: bool = False) -> Iterator[psycopg.Connection]:
    """Give a connection of its own, in one transaction of a user, for rows that are streamed.

    Raises:
        DatabaseRefused: as for :func:`acting_for`.
        psycopg.Error: the database cannot be used.
    """
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
        if not everybody:
            connection.execute("SELECT set_config('ims.own_rows', 'on', true)")
        elif connection.execute("SELECT ims.sees_everybody()").fetchone() != (True,):
            raise DatabaseRefused(ONLY_OWN)
        yield connection


def login_user(url: str) -> int:
    """Whose personal login an address has; the program's own login, which may be anybody, is nobody's.

    Raises:
        IdentityRefused: it is nobody's.
        DatabaseError: as for :func:`acting_for`.
    """
    conninfo = libpq_url(driver_url(url))
    try:
        connection = open_checked(conninfo)
        with connection:
            row = connection.execute(statements("asking")["login_user"]).fetchone()
    except psycopg.Error as error:
        raise translated(error) from error
    if row is None or row[0] is None:
        raise IdentityRefused(CANNOT_ACT)
    return int(row[0])


def _wanted(
    user_id: int | None, name: str, *, everybody: bool | None, seconds: int | None
) -> dict[str, object]:
    """What the first statement of a transaction takes."""
    limit = None if seconds is None else f"{seconds}s"
    return {"user_id": user_id, "name": name, "own_rows": everybody is False, "limit": limit}


def _begun(conninfo: str, wanted: Mapping[str, object], *, only_reads: bool) -> Acting:
    """Begin a transaction of a user, on the kept connection where it is theirs and still there."""
    if (kept := take_kept(conninfo, wanted["user_id"])) is not None:
        with suppress(psycopg.OperationalError):  # the server went away meanwhile; nothing was done yet
            return _identified(kept, wanted, only_reads=only_reads)
    return _identified(open_checked(conninfo), wanted, only_reads=only_reads)


def _identified(connection: psycopg.Connection, wanted: Mapping[str, object], *, only_reads: bool) -> Acting:
    try:
        connection.read_only = only_reads or None
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ if only_reads else None
        row = connection.execute(statements("asking")["identity"], wanted).fetchone()
    except BaseException as error:
        connection.close()
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise IdentityRefused(CANNOT_ACT) from error
        raise
    assert row is not None  # noqa: S101 - a function's result is one row
    return Acting(connection, row[-1])
