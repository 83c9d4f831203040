"""Signals that interrupt a run: the first lets it finish what is in hand, the second ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pipeline.stages.state import RunState

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Interruption:
    """A cancellation of a run's task by whoever may interrupt it."""

    task: asyncio.Task[object] | None = field(default_factory=asyncio.current_task)
    asked: bool = False

    def cancel(self) -> None:
        """End what the task does, at once."""
        if self.task is not None and not self.asked:
            self.asked = True
            self.task.cancel()

    def take_back(self) -> bool:
        """Whether it was we who cancelled the task; it goes on then, to let go of its claim."""
        if self.asked and self.task is not None:
            self.task.uncancel()
        return self.asked


@contextmanager
def interrupted_by_signals(state: RunState) -> Iterator[Interruption]:
    """Let SIGINT and SIGTERM interrupt a run."""
    interruption = Interruption()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if state.stop.is_set():
            interruption.cancel()
        log.warning("interrupted: finishing what is in hand")
        state.interrupt()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        yield interruption
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
