"""The watchdog of a run: notices that nothing moves, and says what the run waits for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

LOOK_EVERY = 5.0  # seconds
QUIET = 60.0  # seconds without movement that are nothing to speak of
SLOW = 3  # requests that a tracker with a rate may be late by: one in 100 s is no stall
GIVE_UP = 1800.0  # seconds; a wait that nobody knows the end of is long over then, or never will be


def limit(rate: float | None) -> float:
    """Seconds without movement after which a run says so.

    Args:
        rate: requests a second that the tracker is asked at most; None: as many as it answers.
    """
    return QUIET if not rate else max(QUIET, SLOW / rate)


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for."""

    what: str  # to be said after "waiting for"
    ends: bool = False  # somebody knows when: a pause that was asked for, one's turn among others


@dataclass(frozen=True, slots=True)
class Stall:
    """A run in which nothing moves."""

    seconds: float  # since something moved
    wait: Wait
    is_news: bool  # worth a line in the log: new, waiting for something else now, or twice as old
    is_hopeless: bool  # waits whose end nobody knows have lasted for longer than any may, one after another

    def __str__(self) -> str:
        # By the clock, so that it stays true where nobody is left to say it anew.
        since = datetime.now(UTC) - timedelta(seconds=self.seconds)
        return f"nothing has moved since {since:%H:%M:%S} UTC: waiting for {self.wait.what}"


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
        self._since = self._patient = clock()
        self._told: tuple[str, float] | None = None

    def look(self, movement: Hashable, waits_for: Callable[[], Wait]) -> Stall | None:
        """Tell whether the run stands still.

        Args:
            movement: anything that differs from the last look's where something has moved.
            waits_for: what the run waits for; asked only where it stands still.
        """
        now = self._clock()
        if movement != self._seen:
            self._seen, self._since, self._patient, self._told = movement, now, now, None
        seconds = now - self._since
        if seconds < self._quiet:
            return None
        wait = waits_for()
        is_news = self._told is None or self._told[0] != wait.what or seconds >= 2 * self._told[1]
        if is_news:
            self._told = wait.what, seconds
        if wait.ends:  # what comes after it has all its time still
            self._patient = now
        hopeless = now - self._patient >= max(GIVE_UP, 10 * self._quiet)
        return Stall(seconds, wait, is_news, hopeless)
