"""Limits of a host over all processes that ask it: workers and shells, whoever they work for.

Somebody who knows them all hands out shares: slots for requests at once, and, where there is a rate, moments
at which one may be sent. A share is asked for when it is needed and renewed every second.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Protocol, Self

from crawler.process.messages import Grant

RENEWED_EVERY = 1.0  # seconds
HELD_FOR = 4.0  # seconds after which a share that could not be renewed is not used; the database's own is 5
POLL = 0.1  # seconds between two questions of a process that has no share yet
AGAIN = 1.0  # seconds until a question is asked again that nobody could answer
_LATE = 0.25  # of a spacing: a moment that was missed by more is gone
_JITTER = 0.02  # seconds: one that was missed by less is not, however short the spacing


class Lease(Protocol):
    """A process's lease of a host."""

    async def renew(self, *, active: int, wanted: int, pause: float) -> Grant | None:
        """Say what is under way and what is wanted, and get the share of the next second.

        Args:
            active: requests under way.
            wanted: moments to send one, where there is a rate.
            pause: seconds for which the host asked to be left alone.

        Returns:
            the share; None where nobody could be asked.
        """
        ...

    async def give_back(self) -> None:
        """Give the share back; it may be asked for again."""
        ...


class Turns:
    """Turns at a host, handed out over all processes; an async context manager.

    A :class:`crawler.throttle.Share`.

    Args:
        lease: of the host.
    """

    def __init__(self, lease: Lease) -> None:
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
        self._start_in = 0.0  # as it was told with the last answer
        self._paused_until = float("-inf")
        self._unlimited = False  # nobody shares the host: only this process's own limits hold
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
        await self._lease.give_back()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn to send one request and hold it; gives the seconds that it took."""
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
            self._leave()

    def pause(self, seconds: float) -> None:
        """Let nobody send before that many seconds have passed, in no process."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)
        self._asked_at = float("-inf")  # the others are to know at once

    def renew_soon(self) -> None:
        """Ask for the share anew before the next request: others wait for their part."""
        self._asked_at = min(self._asked_at, time.monotonic() - RENEWED_EVERY)

    @property
    def _is_used(self) -> bool:
        return self._active > 0 or self._waiting > 0

    async def _enter(self) -> None:
        while not self._unlimited:
            now = time.monotonic()
            if now - self._asked_at >= RENEWED_EVERY:
                await self._renew()
            elif now < self._paused_until:
                await asyncio.sleep(min(self._paused_until - now, RENEWED_EVERY))
            elif self._active >= self._slots:
                await self._wait_for_slot()
            elif not self._has_moments(now):
                await self._wait_for_moments()
            elif await self._is_held_until(self._next_moment(now)):
                return
        self._active += 1

    def _leave(self) -> None:
        self._active -= 1
        self._freed.set()

    async def _wait_for_slot(self) -> None:
        """Wait until one of our own requests has ended, or a share may have come free elsewhere."""
        self._freed.clear()
        try:
            async with asyncio.timeout(POLL if self._slots == 0 else RENEWED_EVERY):
                await self._freed.wait()
        except TimeoutError:
            await self._renew()

    async def _wait_for_moments(self) -> None:
        """Ask for moments; where the last answer was that there are none yet, after a part of that time."""
        if self._start_in > 0:
            await asyncio.sleep(max(POLL, min(self._start_in / 2, RENEWED_EVERY)))
        await self._renew()

    async def _is_held_until(self, moment: float) -> bool:
        """Hold a slot until the moment comes; tell whether it may be used then, else give it back."""
        self._active += 1
        used = False
        try:
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
            now = time.monotonic()
            # A process that slept for longer than it was to may have lost its share to others.
            used = now >= self._paused_until and now - self._asked_at < HELD_FOR
        finally:
            if not used:
                self._leave()
        return used

    def _place(self, now: float) -> int:
        assert self._spacing is not None  # noqa: S101 - only asked where there is a rate
        late = max(_LATE * self._spacing, _JITTER)
        return max(self._taken, math.ceil((now - late - self._start) / self._spacing))

    def _has_moments(self, now: float) -> bool:
        return self._spacing is None or self._place(now) < self._moments

    def _next_moment(self, now: float) -> float:
        """Take the next moment to send a request, by this process's clock."""
        if self._spacing is None:
            return now
        place = self._place(now)
        self._taken = place + 1
        return max(now, self._start + place * self._spacing)

    async def _keep(self) -> None:
        """Renew the share while requests are under way or wait, however long they do; else give it back."""
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            if self._unlimited or time.monotonic() - self._asked_at < RENEWED_EVERY:
                continue
            if self._is_used:
                await self._renew()
            elif self._slots:
                self._slots, self._moments = 0, 0
                self._asked_at = float("-inf")
                async with self._asking:
                    await self._lease.give_back()

    async def _renew(self) -> None:
        """Get a share; whoever has none that holds waits here for as long as nobody can be asked."""
        async with self._asking:
            while not self._unlimited:
                now = time.monotonic()
                pause = max(0.0, self._paused_until - now)
                wanted = 0 if self._has_moments(now) else self._waiting + self._active
                grant = await self._lease.renew(active=self._active, wanted=wanted, pause=pause)
                if grant is not None:
                    self._take(grant)
                    return
                if time.monotonic() - self._asked_at > HELD_FOR:
                    self._slots = 0
                await asyncio.sleep(AGAIN)

    def _take(self, grant: Grant) -> None:
        # Counted from when the answer came: a slow answer makes us late, never early.
        now = self._asked_at = time.monotonic()
        self._unlimited = grant.unlimited
        self._slots, self._spacing = grant.slots, grant.spacing
        self._paused_until = max(self._paused_until, now + grant.paused)
        self._start_in = grant.start_in or 0.0
        if grant.moments:
            self._start, self._moments, self._taken = now + self._start_in, grant.moments, 0
            self._start_in = 0.0
