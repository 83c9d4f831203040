"""Limits of a host within this process: how many requests at once, how many a second, and pauses.

One ``Throttle`` is made where things are wired and given to every client, so that all sessions that crawl the
same host share its limits; where they differ, the strictest of those that are in use holds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import Protocol

from msgspec import Struct

Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]


class Limits(Struct, frozen=True):
    """What one client asks for."""

    concurrency: int  # requests at once, from 1 on
    rate: float | None = None  # requests a second, evenly spaced; None: as fast as they come


class Share(Protocol):
    """Limits of one host that other processes share; whoever makes a client may give it one."""

    def turn(self) -> AbstractAsyncContextManager[float]:
        """Wait for a turn to send one request and hold it; gives the seconds that it took."""

    def pause(self, seconds: float) -> None:
        """Let nobody send before that many seconds have passed."""


class Throttle:
    """The limits of all hosts.

    Args:
        sleep: waits for that many seconds.
        clock: seconds that never go back.
    """

    def __init__(self, *, sleep: Sleep = asyncio.sleep, clock: Clock = time.monotonic) -> None:
        self._sleep = sleep
        self._clock = clock
        self._hosts: dict[str, HostThrottle] = {}

    def host(self, name: str) -> HostThrottle:
        """The limits of one host; the same object for the same name."""
        if name not in self._hosts:
            self._hosts[name] = HostThrottle(sleep=self._sleep, clock=self._clock)
        return self._hosts[name]


class HostThrottle:
    """The limits of one host.

    Args:
        sleep: waits for that many seconds.
        clock: seconds that never go back.
    """

    def __init__(self, *, sleep: Sleep = asyncio.sleep, clock: Clock = time.monotonic) -> None:
        self._sleep = sleep
        self._clock = clock
        self._members: list[Limits] = []
        self._concurrency = 1
        self._spacing = 0.0
        self._active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next = float("-inf")
        self._paused_until = float("-inf")

    @contextmanager
    def member(self, limits: Limits) -> Iterator[None]:
        """Take part with these limits, which bind everybody as long as the block lasts."""
        self._members.append(limits)
        self._tighten()
        try:
            yield
        finally:
            self._members.remove(limits)
            self._tighten()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn to send one request and hold it; gives the seconds of pause and rate."""
        await self._enter()
        try:
            yield await self._ready()
        finally:
            self._leave()

    def pause(self, seconds: float) -> None:
        """Let nobody send before that many seconds have passed; the longest pause holds."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _tighten(self) -> None:
        self._concurrency = max(1, min((one.concurrency for one in self._members), default=1))
        self._spacing = max((1 / one.rate for one in self._members if one.rate), default=0.0)
        self._wake()

    async def _enter(self) -> None:
        if self._active < self._concurrency and not self._waiting:
            self._active += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()  # the turn had just been given
            else:
                with suppress(ValueError):  # a turn that was given back has already passed it over
                    self._waiting.remove(place)
            raise

    def _leave(self) -> None:
        self._active -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._active < self._concurrency:
            place = self._waiting.popleft()
            if not place.done():
                self._active += 1
                place.set_result(None)

    async def _ready(self) -> float:
        began = now = self._clock()
        # A pause may come, or another may take the moment, while this one sleeps: hence looked at again.
        while (start := max(self._next, self._paused_until)) > now:
            await self._sleep(start - now)
            now = self._clock()
        self._next = now + self._spacing
        return now - began
