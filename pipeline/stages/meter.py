"""What a client has cost its tracker, handed out in portions that add up to the whole."""

from __future__ import annotations

from dataclasses import replace

from crawler.http.stats import Stats


class Meter:
    """Reads a client's growing totals; each portion is taken once."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._taken = Stats()

    @property
    def received(self) -> int:
        """Bytes in all, taken or not."""
        return self._stats.bytes

    def take(self) -> Stats:
        """What was added since the last portion was taken."""
        now, before = replace(self._stats), self._taken
        self._taken = now
        return Stats(
            requests=now.requests - before.requests,
            retries=now.retries - before.retries,
            wait_seconds=now.wait_seconds - before.wait_seconds,
            bytes=now.bytes - before.bytes,
        )
