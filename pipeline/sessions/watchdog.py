"""The watchdog of a run: notices that nothing moves, and says what the run waits for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from time import monotonic

LOOK_EVERY = 5.0  # seconds
QUIET = 60.0  # seconds without movement that are nothing to speak of
SLOW = 3  # requests that a tracker with a rate may be late by: one in 100 s is no stall
GIVE_UP = 1800.0  # seconds; every wait that has an end of its own is long over then


def limit(rate: float | None) -> float:
    """Seconds without movement after which a run says so.

    Args:
        rate: requests a second that the tracker is asked at most; None: as many as it answers.
    """
    return QUIET if not rate else max(QUIET, SLOW / rate)


@dataclass(frozen=True, slots=True)
class Stall:
    """A run in which nothing moves."""

    seconds: float  # since something moved
    waits_for: str
    is_news: bool  # worth a line in the log: new, waiting for something else now, or twice as old

    def __str__(self) -> str:
        return f"nothing has moved for {self.seconds:.0f} s: waiting for {self.waits_for}"


class Watchdog:
    """Looks at a run now and then.

    Args:
        quiet: seconds without movement that are nothing to speak of.
        clock: seconds that never go back.
    """

    def __init__(self, quiet: float, clock: Callable[[], float] = monotonic) -> None:
        self._quiet = quiet
        self._clock = clock
        self._seen: Hashable = None
        self._since = clock()
        self._told: tuple[str, float] | None = None

    def look(self, movement: Hashable, waits_for: Callable[[], str]) -> Stall | None:
        """Tell whether the run stands still.

        Args:
            movement: anything that differs from the last look's where something has moved.
            waits_for: what the run waits for; asked only where it stands still.
        """
        now = self._clock()
        if movement != self._seen:
            self._seen, self._since, self._told = movement, now, None
        seconds = now - self._since
        if seconds < self._quiet:
            return None
        reason = waits_for()
        is_news = self._told is None or self._told[0] != reason or seconds >= 2 * self._told[1]
        if is_news:
            self._told = reason, seconds
        return Stall(seconds, reason, is_news)
