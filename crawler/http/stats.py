"""What a client has cost its tracker so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stats:
    """Running totals of one client; they only grow."""

    requests: int = 0  # sent, every retry and every hop of a redirect counted
    retries: int = 0  # further tries after one that failed
    wait_seconds: float = 0.0  # spent in back-off, in pauses of the host and in its rate
    bytes: int = 0  # of bodies, as they came over the wire
