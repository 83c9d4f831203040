"""A process's share of what a host may be asked, as the database hands it out."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg

from db.queries import statements


class Grant(NamedTuple):
    """What may be asked until the lease is renewed; see ``sql/functions/renew_host_lease.sql``."""

    slots: int  # requests at once
    start_in: float | None  # seconds to the first of the moments
    moments: int  # at each of which one request may be sent
    spacing: float | None  # seconds between two of them; None: there is no rate
    paused: float  # seconds that the host wants to be left alone


class HostLease:
    """One process's lease of a host, on a connection of its own that acts for no user.

    Args:
        conninfo: the application's login.
        host: what is shared: an address's origin.
        party: all leases of one party together get as much as another party.
        concurrency: requests at once that this process would allow.
        rate: requests a second; None: no limit.
    """

    def __init__(self, conninfo: str, *, host: str, party: str, concurrency: int, rate: float | None) -> None:
        self._conninfo = conninfo
        self._lease: UUID = uuid4()
        self._terms = {"host": host, "party": party, "at_once": concurrency, "a_second": rate}
        self._connection: psycopg.AsyncConnection | None = None

    async def renew(self, *, active: int, wanted: int, pause: float) -> Grant:
        """Say what is under way and what is wanted, and get the share of the next second.

        Args:
            active: requests under way.
            wanted: moments to send one, where there is a rate.
            pause: seconds for which the host asked to be left alone.

        Raises:
            psycopg.Error: the database is away; or, InsufficientPrivilege, the login is a user's own.
        """
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, application_name="ims-crawler", connect_timeout=5
            )
        values = {**self._terms, "lease": self._lease, "active": active, "wanted": wanted, "pause": pause}
        cursor = await self._connection.execute(statements("hosts")["renew"], values)
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - the function gives one row
        return Grant._make(row)

    async def give_back(self) -> None:
        """Give the share back; it may be asked for again."""
        if self._connection is not None:
            # Where the database is away, the lease ends by itself.
            with suppress(psycopg.Error):
                await self._connection.execute(statements("hosts")["end"], {"lease": self._lease})

    async def end(self) -> None:
        """Give the share back, and the connection."""
        await self.give_back()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
