"""Limits of a host over all processes that ask it: workers and shells, whoever they work for.

The database hands out shares by its own clock (:mod:`db.crawl.host_lease`): slots for requests at once, and,
where there is a rate, moments at which one may be sent. A share is asked for when it is needed and renewed
every second, so a crawl without a rate costs the database one short statement a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import psycopg

from db.crawl.host_lease import Grant, HostLease
from db.errors import DatabaseUnreachable

RENEWED_EVERY = 1.0  # seconds
HELD_FOR = 4.0  # seconds after which a share that could not be renewed is not used; the database's own is 5
POLL = 0.1  # seconds between two questions of a process that has no share yet
OUTAGE = 60.0  # seconds for which a database that is away is waited for
_LATE = 0.25  # of a spacing: a moment that was missed by more is gone


class HostShare:
    """Turns at a host, handed out over all processes; an async context manager.

    Args:
        lease: of the host.
    """

    def __init__(self, lease: HostLease) -> None:
        self._lease = lease
        self._line = asyncio.Lock()  # who stands first in it takes the next turn
        self._asking = asyncio.Lock()
        self._freed = asyncio.Event()
        self._waiting = 0
        self._active = 0
        self._slots = 0
        self._spacing: float | None = None
        self._start = 0.0
        self._asked_at = float("-inf")
        self._moments = self._taken = 0
        self._paused_until = float("-inf")
        self._unlimited = False  # a personal login shares nothing: only this process's own limits hold
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self._lease.end()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn to send one request and hold it; gives the seconds that it took.

        Raises:
            DatabaseUnreachable: the database has been away for too long.
        """
        began = time.monotonic()
        self._waiting += 1
        try:
            async with self._line:
                await self._enter()
        finally:
            self._waiting -= 1
        try:
            yield time.monotonic() - began
        finally:
            self._active -= 1
            self._freed.set()

    def pause(self, seconds: float) -> None:
        """Let nobody send before that many seconds have passed, in no process."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        self._asked_at = float("-inf")  # the others are to know at once

    @property
    def _is_used(self) -> bool:
        return self._active > 0 or self._waiting > 0

    async def _enter(self) -> None:
        while not self._unlimited:
            now = time.monotonic()
            if now - self._asked_at >= RENEWED_EVERY:
                await self._renew(wanted=0)
            elif now < self._paused_until:
                await asyncio.sleep(min(self._paused_until - now, RENEWED_EVERY))
            elif self._active >= self._slots:
                await self._wait_for_slot()
            elif (moment := self._moment(now)) is None:
                await self._renew(wanted=self._waiting + self._active)
            else:
                await asyncio.sleep(max(0.0, moment - now))
                if time.monotonic() >= self._paused_until:
                    break
        self._active += 1

    async def _wait_for_slot(self) -> None:
        """Wait until one of our own requests has ended, or a share may have come free elsewhere."""
        self._freed.clear()
        try:
            async with asyncio.timeout(POLL if self._slots == 0 else RENEWED_EVERY):
                await self._freed.wait()
        except TimeoutError:
            await self._renew(wanted=0)

    def _moment(self, now: float) -> float | None:
        """The next moment to send a request, by this process's clock; None: we have none left."""
        if self._spacing is None:
            return now
        place = max(self._taken, int((now - self._start) / self._spacing + 1 - _LATE))
        if place >= self._moments:
            return None
        self._taken = place + 1
        return max(now, self._start + place * self._spacing)

    async def _keep(self) -> None:
        """Renew the share while requests are under way or wait, however long they do; else give it back."""
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            if self._unlimited or time.monotonic() - self._asked_at < RENEWED_EVERY:
                continue
            if self._is_used:
                try:
                    await self._renew(wanted=0)
                except DatabaseUnreachable:
                    self._slots = 0  # whoever wants a turn will say so
            elif self._slots:
                self._slots, self._moments = 0, 0
                self._asked_at = float("-inf")
                async with self._asking:
                    await self._lease.give_back()

    async def _renew(self, *, wanted: int) -> None:
        async with self._asking:
            sent = time.monotonic()
            while True:
                try:
                    pause = max(0.0, self._paused_until - time.monotonic())
                    grant = await self._lease.renew(active=self._active, wanted=wanted, pause=pause)
                except psycopg.errors.InsufficientPrivilege:
                    self._unlimited = True
                    return
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    now = time.monotonic()
                    if now - self._asked_at > HELD_FOR:
                        self._slots = 0
                    if now - sent > OUTAGE:
                        raise DatabaseUnreachable(
                            "The database did not answer in time: start it, then resume the session."
                        ) from error
                    await asyncio.sleep(1.0)
                else:
                    self._take(grant)
                    return

    def _take(self, grant: Grant) -> None:
        # Counted from when the answer came: a slow answer makes us late, never early.
        now = self._asked_at = time.monotonic()
        self._slots, self._spacing = grant.slots, grant.spacing
        self._paused_until = max(self._paused_until, now + grant.paused)
        if grant.moments and grant.start_in is not None:
            self._start, self._moments, self._taken = now + grant.start_in, grant.moments, 0
