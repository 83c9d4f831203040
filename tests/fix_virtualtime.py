"""Time that passes only when everybody waits, so that tests of long waits take none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest


class VirtualTime:
    """A clock and a sleep that belong together; ``slept`` keeps every wait, in seconds."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self._ends: list[float] = []

    def clock(self) -> float:
        """Seconds that never go back."""
        return self.seconds

    def now(self) -> datetime:
        """The time of day that goes with the clock."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has come that far; the earliest end comes first."""
        self.slept.append(seconds)
        end = self.seconds + seconds
        self._ends.append(end)
        try:
            await asyncio.sleep(0)
            while self.seconds < end:
                if end == min(self._ends):
                    self.seconds = end
                await asyncio.sleep(0)
        finally:
            self._ends.remove(end)


@pytest.fixture
def virtual_time() -> VirtualTime:
    """A clock of its own for one test."""
    return VirtualTime()
