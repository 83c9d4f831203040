"""What the tasks of one worker process share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg

from crawler.http.reach import Reach
from pipeline.jobs.commands import Commands
from pipeline.jobs.retry import MAX_ATTEMPTS, SOON, pause_after
from pipeline.sessions.conductor import Conductor
from pipeline.sessions.ending import Stopper
from pipeline.sessions.interruption import Interruption
from pipeline.stages.state import RunState
from pipeline.trackers.connect import Tracker
from pipeline.trackers.opened import open_by_id

if TYPE_CHECKING:
    from pipeline.bootstrap import Program

OpenTracker = Callable[[psycopg.Connection, int], Tracker]  # a user's tracker with its password, by its id


@dataclass(slots=True)
class WorkerContext:
    """One worker process: its account, its timeout, and what it works on."""

    program: Program
    lease_timeout: float  # seconds without a sign of life after which others' work is taken over
    once: bool = False  # the worker does not stay: what passes is not waited for, where that takes long
    failures: list[Stopper] = field(default_factory=list)  # what runs failed by
    failed_issues: int = 0  # of runs that ended here
    stopping: bool = False
    commands: Commands = field(default_factory=dict)  # that schedules may name, by their names
    _runs: list[RunState] = field(default_factory=list)  # of what is being worked on

    @property
    def heartbeat(self) -> float:
        """Seconds between two signs of life: some may be lost on the way."""
        return self.lease_timeout / 6

    @property
    def conductor(self) -> Conductor:
        """Works on claims until the worker stops."""
        return Conductor(
            conninfo=self.program.conninfo,
            home=self.program.home,
            ceiling=self.program.settings.ceiling,
            interruptible=self._interruptible,
        )

    @property
    def reach(self) -> Reach:
        """Where others may have us connect to."""
        return Reach(self.program.settings.allow_networks)

    @property
    def waits_for(self) -> str | None:
        """That nothing moves in what is being worked on, and why; the first of several."""
        return next(filter(None, (run.counts.stall for run in self._runs)), None)

    def stop(self) -> None:
        """Finish what is in hand, and leave the rest to others."""
        self.stopping = True
        for run in self._runs:
            run.interrupt()

    def retries(self, attempts: int) -> bool:
        """Whether what failed so many times by something that passes is tried again later."""
        return attempts < MAX_ATTEMPTS and not (self.once and pause_after(attempts) > SOON)

    def open_tracker(self, user_id: int) -> OpenTracker:
        """Opens a user's trackers.

        The account in our environment is our own user's, not everybody's, and so are the network we are in
        and the proxy out of it.
        """
        settings, vault = self.program.settings, self.program.vault
        if user_id == self.program.user_id:
            return lambda connection, tracker_id: open_by_id(connection, tracker_id, settings, vault)
        settings = replace(
            settings, tracker_username=None, tracker_password=None, proxies={}, proxy_password=None
        )
        return lambda connection, tracker_id: replace(
            open_by_id(connection, tracker_id, settings, vault), reach=self.reach
        )

    @contextmanager
    def _interruptible(self, run: RunState) -> Iterator[Interruption]:
        self._runs.append(run)
        if self.stopping:
            run.interrupt()
        try:
            yield Interruption()
        finally:
            self._runs.remove(run)
