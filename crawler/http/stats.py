"""Totals of a client: what it has cost its tracker so far."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class ClientStats:
    """Running totals of one client; they only grow."""

    requests: int = 0  # sent, every retry and every hop of a redirect counted
    retries: int = 0  # further tries after one that failed
    wait_seconds: float = 0.0  # spent in back-off, in pauses of the host and in its rate
    bytes: int = 0  # of bodies, as they came over the wire
    _taken: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def take(self) -> ClientStats:
        """Hand out what was added since the last portion; the portions add up to the totals."""
        portion = ClientStats()
        for each in fields(self):
            if each.init:
                total = getattr(self, each.name)
                setattr(portion, each.name, total - self._taken.get(each.name, 0))
                self._taken[each.name] = total
        return portion
