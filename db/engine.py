"""Pools of connections to the database, one a process and address; nothing of one user stays in them."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

from db.connections import close_kept
from db.errors import translated
from db.settings import driver_url
from db.setup.role_check import check_login
from db.transient import is_of_the_server

_OPTIONS: dict[str, Any] = {
    "pool_pre_ping": True,  # a restart of the server is not the next user's error
    "pool_reset_on_return": None,  # _forget does more
    "hide_parameters": True,  # an error may be shown or kept, and values may be secrets
    "connect_args": {
        "application_name": "ims-crawler",
        "connect_timeout": 10,
        # What is discarded at check-in must not be remembered as prepared.
        "prepare_threshold": None,
    },
}
_engines: dict[str, Engine] = {}
_lock = threading.Lock()
_async_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AsyncGenerator[AsyncEngine]]] = (
    WeakKeyDictionary()
)
_async_open: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AsyncEngine]] = WeakKeyDictionary()


def engine_for(url: str) -> Engine:
    """Return this process's engine for an address; nothing is connected yet.

    The first connection refuses servers and logins for which row security does not hold.
    """
    address = driver_url(url)
    with _lock:
        if address not in _engines:
            engine = create_engine(address, **_OPTIONS)
            _listen(engine)
            _engines[address] = engine
        return _engines[address]


def dispose_engine(url: str) -> None:
    """Close the engine of an address, if there is one: its login has gone."""
    with _lock:
        engine = _engines.pop(driver_url(url), None)
    if engine is not None:
        engine.dispose()


async def async_engine_for(url: str) -> AsyncEngine:
    """Return the running event loop's engine for an address. It is disposed of when the loop shuts down."""
    address = driver_url(url)
    loop = asyncio.get_running_loop()
    engines = _async_open.setdefault(loop, {})
    if address not in engines:
        keeper = _kept(address)
        engines[address] = await anext(keeper)
        _async_engines.setdefault(loop, {})[address] = keeper
    return engines[address]


def dispose_engines() -> None:
    """Close this process's connections, those of event loops excepted; asked for again, they open again."""
    with _lock:
        for engine in _engines.values():
            engine.dispose()
        _engines.clear()
    close_kept()


async def _kept(address: str) -> AsyncGenerator[AsyncEngine]:
    """Yield an engine once. A loop that shuts down closes its generators: so the engine ends with it."""
    engine = create_async_engine(address, **_OPTIONS)
    _listen(engine.sync_engine)
    try:
        yield engine
    finally:
        await engine.dispose()


def _listen(engine: Engine) -> None:
    event.listen(engine, "first_connect", _check)
    event.listen(engine, "reset", _forget)
    event.listen(engine, "handle_error", _translate)


def _check(connection: Any, record: ConnectionPoolEntry) -> None:  # the event's signature
    try:
        check_login(connection)
    except BaseException:
        connection.close()
        raise


def _forget(connection: Any, record: ConnectionPoolEntry, state: PoolResetState) -> None:
    """Leave no setting, temporary table, held cursor or lock to whoever gets the connection next."""
    if state.terminate_only:
        return
    try:
        connection.rollback()
        connection.autocommit = True  # DISCARD ALL refuses to run in a transaction
        cursor = connection.cursor()
        cursor.execute("DISCARD ALL")
        cursor.close()
        connection.autocommit = False
    except psycopg.Error as error:
        record.invalidate(error)


def _translate(context: ExceptionContext) -> None:
    """Say in our words that a server is gone or refuses a login; errors of statements stay as they are."""
    error = context.original_exception
    if context.is_pre_ping:
        return  # the pool opens another connection
    if isinstance(error, psycopg.Error) and is_of_the_server(error):
        raise translated(error) from error


def _abandon_engines() -> None:
    """A forked child must not speak over its parent's connections, nor close them."""
    for engine in _engines.values():
        engine.dispose(close=False)
    _engines.clear()


os.register_at_fork(after_in_child=_abandon_engines)
atexit.register(dispose_engines)
