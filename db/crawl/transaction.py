"""One connection that acts for one user, a transaction at a time, and outlives what passes.

The crawl's own writes go through it instead of the ORM: COPY needs the driver's connection, and a session
keeps its temporary stages for its whole length.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from types import TracebackType
from typing import TypeVar

import psycopg

from db.errors import DatabaseUnreachable, translated
from db.log_library import structlog
from db.transient import is_transient

T = TypeVar("T")
Work = Callable[[psycopg.AsyncConnection], Awaitable[T]]

TRIES = 8  # with the pauses below, a restart of the server is waited for
FIRST_PAUSE = 0.05  # seconds; doubled at each try, up to LONGEST_PAUSE
LONGEST_PAUSE = 5.0
# A process that was stopped in the middle of a transaction must not keep its successor waiting for ever.
IDLE_LIMIT = 15.0  # seconds; between two statements there is only computing, of a batch at most
LOCK_LIMIT = 20.0  # seconds; longer than a stopped process keeps its locks

log = structlog.get_logger(__name__)


class UserTransactions:
    """Runs pieces of work as one user, each in a transaction of its own, one after the other.

    Args:
        conninfo: a libpq connection string or address, of a login that may act for others.
        user_id: whom every transaction acts for.
    """

    def __init__(self, conninfo: str, user_id: int) -> None:
        self._conninfo = conninfo
        self._user_id = user_id
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._began: float | None = None

    @property
    def busy_for(self) -> float:
        """Seconds for which a piece of work has been under way, further tries included; 0: there is none."""
        return 0.0 if self._began is None else monotonic() - self._began

    async def __aenter__(self) -> UserTransactions:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def run(self, work: Work[T]) -> T:
        """Do the work in one transaction and commit it; the whole of it again after a fault that passes.

        Deadlocks, serialization failures and lost connections pass. The work may therefore run more than
        once, and once more although its commit had gone through: repeating it must do no harm.

        Raises:
            DatabaseError: the fault does not pass, or did not in time.
        """
        async with self._turn:
            self._began = monotonic()
            try:
                for attempt in range(1, TRIES + 1):
                    try:
                        return await self._once(work)
                    except psycopg.Error as error:
                        await self._mend(error, attempt)
            finally:
                self._began = None
        raise DatabaseUnreachable("The database did not answer in time: start it, then resume the session.")

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _once(self, work: Work[T]) -> T:
        connection = await self._open()
        async with connection.transaction():
            await connection.execute("SELECT ims.set_current_user(%s)", (self._user_id,))
            return await work(connection)

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, application_name="ims-crawler", connect_timeout=10
            )
            await self._connection.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false),"
                " set_config('lock_timeout', %s, false)",
                (str(round(IDLE_LIMIT * 1000)), str(round(LOCK_LIMIT * 1000))),
            )
        return self._connection

    async def _mend(self, error: psycopg.Error, attempt: int) -> None:
        if not is_transient(error) or attempt == TRIES:
            raise translated(error) from error
        if self._connection is not None and self._connection.broken:
            await self.close()
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
        log.warning("the transaction is tried again", reason=type(error).__name__, seconds=round(pause, 2))
        await asyncio.sleep(pause)
