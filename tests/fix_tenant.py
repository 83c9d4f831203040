"""Users with a tracker and a session of their own, who load issues as the pipeline does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest_asyncio

from db.loader import BatchResult, load_batch
from db.rows import IssueRow
from tests.fix_database import libpq_url
from tests.fix_schema import ALICE, BOB, Database


@dataclass
class Tenant:
    """A user, seen through the application's login and held by row security."""

    conninfo: str = field(repr=False)
    connection: psycopg.AsyncConnection = field(repr=False)
    stack: AsyncExitStack = field(repr=False)  # closes what is opened
    user_id: int
    tracker_id: int
    session_id: int

    @asynccontextmanager
    async def acting(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """One transaction as this user."""
        async with self.connection.transaction():
            await self.connection.execute("SELECT ims.set_current_user(%s)", (self.user_id,))
            yield self.connection

    async def load(self, *rows: IssueRow, **options: Any) -> BatchResult:
        """Load and commit a batch; options as of ``load_batch``."""
        ids = {"user_id": self.user_id, "tracker_id": self.tracker_id, "session_id": self.session_id}
        async with self.acting() as connection:
            return await load_batch(connection, **{**ids, "rows": rows, **options})

    async def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query gives to this user."""
        async with self.acting() as connection:
            return await (await connection.execute(query.encode(), values or None)).fetchall()

    async def value(self, query: str, *values: object) -> Any:
        """The one value that a query gives to this user."""
        ((value,),) = await self.rows(query, *values)
        return value

    async def begin_session(self) -> int:
        """A further session of this user."""
        return int(
            await self.value(
                "INSERT INTO ims.crawl_sessions (tracker_id, fence) VALUES (%s, 1) RETURNING session_id",
                self.tracker_id,
            )
        )

    async def again(self) -> Tenant:
        """The same user on another connection, with another session."""
        connection = await _connect(self.conninfo, self.stack)
        return replace(self, connection=connection, session_id=await self.begin_session())


MakeTenant = Callable[[int], Awaitable[Tenant]]


async def _connect(conninfo: str, stack: AsyncExitStack) -> psycopg.AsyncConnection:
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True)
    stack.push_async_callback(connection.close)
    return connection


@pytest_asyncio.fixture
async def make_tenant(database: Database) -> AsyncIterator[MakeTenant]:
    """Gives a user a connection, a tracker and a session."""
    async with AsyncExitStack() as stack:

        async def make(user_id: int) -> Tenant:
            conninfo = libpq_url(database.app_url)
            connection = await _connect(conninfo, stack)
            tenant = Tenant(conninfo, connection, stack, user_id, 0, 0)
            tenant.tracker_id = await tenant.value(
                "INSERT INTO ims.trackers (name, kind, base_url) VALUES ('t', 'ims', 'http://localhost')"
                " RETURNING tracker_id"
            )
            tenant.session_id = await tenant.begin_session()
            return tenant

        yield make


@pytest_asyncio.fixture
async def tenant(make_tenant: MakeTenant) -> Tenant:
    """A user."""
    return await make_tenant(ALICE)


@pytest_asyncio.fixture
async def other_tenant(make_tenant: MakeTenant) -> Tenant:
    """Somebody else."""
    return await make_tenant(BOB)
