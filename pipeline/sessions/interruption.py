"""Signals that interrupt a run: the first lets it finish what is in hand, the second ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.log_library import structlog

if TYPE_CHECKING:
    from pipeline.stages.state import RunState

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Interruption:
    """A cancellation of a run's task by whoever may interrupt it."""

    task: asyncio.Task[object] | None = field(default_factory=asyncio.current_task)
    asked: bool = False
    is_over: bool = False  # nothing is left but to say how the run ended, which must not be cut short

    def cancel(self) -> None:
        """End what the task does, at once."""
        if self.task is not None and not self.asked and not self.is_over:
            self.asked = True
            self.task.cancel()

    def take_back(self) -> bool:
        """Whether it was we who cancelled the task; it goes on then, to let go of its claim."""
        if self.asked and self.task is not None:
            self.task.uncancel()
        return self.asked


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back until something is done as a whole."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def heed_once() -> None:
    """Let the first SIGINT raise KeyboardInterrupt and the next ones do nothing.

    A second one would cut short what is done about the first.
    """

    def interrupt(*_: object) -> None:
        heed_no_more()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def heed_no_more() -> None:
    """Let SIGINT and SIGTERM do nothing: all that is left is to say how the session ended."""
    for number in _SIGNALS:
        # Not SIG_IGN: the interpreter complains about a signal that came just before that.
        signal.signal(number, lambda *_: None)


@contextmanager
def interrupted_by_signals(state: RunState) -> Iterator[Interruption]:
    """Let SIGINT and SIGTERM interrupt a run; they do nothing after it."""
    interruption = Interruption()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if state.stop.is_set():
            interruption.cancel()
        log.warning("interrupted: finishing what is in hand")
        state.interrupt()

    for number in _SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        yield interruption
    finally:
        with held_back():  # between the two a signal would have its usual effect
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
            heed_no_more()
