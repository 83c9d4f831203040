"""Sessions that act for a user, through every transaction within their block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from db.acting import CANNOT_ACT, ONLY_OWN
from db.engine import async_engine_for, engine_for
from db.errors import DatabaseRefused, IdentityRefused, translated
from db.location import configured_url
from db.queries import statements
from db.settings import DatabaseSettings, driver_url, read_settings

# Somebody may lock rows of theirs for as long as they like: who acts for them waits for a while.
_BY_ID = text("SELECT ims.set_current_user(:user_id), set_config('lock_timeout', '20s', true)")
# A personal login is its user already; the application's finds the configured one by name.
_BY_NAME = text(
    "SELECT ims.set_current_user(coalesce(ims.current_user_id(), ims.find_user(:name))),"
    " set_config('lock_timeout', '20s', true)"
)
_OWN_ROWS = "SELECT set_config('ims.own_rows', 'on', true)"
_SEES_EVERYBODY = text("SELECT ims.sees_everybody()")


@contextmanager
def get_session(
    user_id: int | None = None, *, url: str | None = None, everybody: bool | None = None
) -> Iterator[Session]:
    """Act for a user: commit at the end, roll back on an exception.

    The identity is taken anew at the beginning of each transaction: the block may commit as often as it
    likes. What was loaded stays readable after commits and after the block.

    Args:
        user_id: for whom; None: the configured user, or whose personal login the address has.
        url: the database's address; None: the configured one.
        everybody: false: admins and analysts too see their own rows only; true: refuse others than them.

    Raises:
        DatabaseRefused: everybody's rows are asked for, and the user is neither admin nor analyst.
        IdentityRefused: the user is unknown, disabled, or somebody else than a personal login's.
        DatabaseError: the database is unreachable or not what it should be.
    """
    settings = read_settings()
    engine = engine_for(configured_url(settings) if url is None else driver_url(url))
    with Session(engine, expire_on_commit=False) as session:
        _act_for(session, user_id, settings, everybody=everybody)
        yield session
        session.commit()


@asynccontextmanager
async def get_async_session(
    user_id: int | None = None, *, url: str | None = None
) -> AsyncIterator[AsyncSession]:
    """Do what :func:`get_session` does, in an asynchronous application."""
    settings = read_settings()
    engine = await async_engine_for(configured_url(settings) if url is None else driver_url(url))
    async with AsyncSession(engine, expire_on_commit=False) as session:
        _act_for(session.sync_session, user_id, settings)
        yield session
        await session.commit()


def select_rows(session: Session, noun: str, name: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    """Run a statement of ``db/queries`` in a session's transaction and return its rows.

    Args:
        session: acts for somebody.
        noun: the statement's file.
        name: the statement.
        values: what it takes.

    Raises:
        DatabaseError: the statement failed.
    """
    driver = driver_connection(session)
    try:
        with driver.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statements(noun)[name], values).fetchall()
    except psycopg.Error as error:
        raise translated(error) from error


def driver_connection(session: Session) -> psycopg.Connection:
    """The driver's own connection, within a session's transaction."""
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(type(driver))
    return driver


def _act_for(
    session: Session, user_id: int | None, settings: DatabaseSettings, *, everybody: bool | None = None
) -> None:
    @event.listens_for(session, "after_begin")
    def take_identity(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
        if transaction.nested:
            return  # it holds already, and would be lost with the savepoint
        try:
            if user_id is None:
                connection.execute(_BY_NAME, {"name": settings.user})
            else:
                connection.execute(_BY_ID, {"user_id": user_id})
            if everybody is False:
                connection.execute(text(_OWN_ROWS))
            elif everybody and not connection.scalar(_SEES_EVERYBODY):
                raise DatabaseRefused(ONLY_OWN)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                raise IdentityRefused(CANNOT_ACT) from error
            raise
