"""A worker: takes jobs from the queue, looks for schedules that are due and for what others left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
from procrastinate.exceptions import ProcrastinateException
from procrastinate.worker import Worker
from sqlalchemy.exc import DBAPIError

from crawler.errors import UsageError
from db import job_queue
from db.errors import DatabaseError, DatabaseUnreachable
from db.log_library import structlog
from db.transient import is_transient
from pipeline.jobs.alerts import take_alert
from pipeline.jobs.commands import read_commands
from pipeline.jobs.context import WorkerContext
from pipeline.jobs.due import put_to_rest, take_due
from pipeline.jobs.queue import open_app
from pipeline.jobs.refresh_analytics import refresh_figures
from pipeline.jobs.searches import restore_lost
from pipeline.jobs.tasks import add_tasks
from pipeline.sessions.crawl_session import SILENCE

if TYPE_CHECKING:
    from pipeline.bootstrap import Program

log = structlog.get_logger(__name__)

LEASE_TIMEOUT = 30.0  # seconds without a sign of life after which a worker's work is taken over
DUE_AT_ONCE = 100
LOST_AT_ONCE = 100
LONGEST_WAIT = 1.0  # seconds between two looks for jobs
LONGEST_TICK = 5.0  # seconds between two looks for what is due
CLEAN_EVERY = 3600.0
FIGURES_EVERY = 300.0  # seconds between two looks whether an hour is over
OUTAGE = 120.0  # seconds for which a worker waits for a database that is away


@dataclass(slots=True)
class _State:
    """What the parts of one worker share."""

    context: WorkerContext
    worker: UUID = field(default_factory=uuid4)
    queue_worker: Worker | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


async def serve(
    program: Program,
    *,
    concurrency: int,
    lease_timeout: float = LEASE_TIMEOUT,
    queues: list[str] | None = None,
    until: Callable[[], bool] | None = None,
    once: bool = False,
) -> WorkerContext:
    """Work until a signal comes: the first lets what is in hand be finished, the second ends it at once.

    Args:
        program: for whose account the process runs; the work itself is done for each job's owner.
        concurrency: jobs at once.
        lease_timeout: seconds without a sign of life after which others' work is taken over.
        queues: only these; None: all.
        until: asked now and then whether that was all; None: it never is.
        once: a run whose tracker is away fails, for nobody may be there to try it again later.

    Returns:
        what the worker worked with, and what failed in it.

    Raises:
        UsageError: the file of commands that schedules may name is wrong.
        DatabaseError: the database was away for too long, or the login is not the application's.
    """
    context = WorkerContext(program, lease_timeout, once=once, commands=read_commands(program.home))
    state = _State(context)
    await asyncio.to_thread(_sign_of_life, state, concurrency)
    async with _signals(state), asyncio.TaskGroup() as group:
        beside = [group.create_task(_look_around(state, concurrency, only_stalled=queues is not None))]
        if queues is None:
            beside.append(group.create_task(_keep_figures(state)))
        if until is not None:
            beside.append(group.create_task(_watch(state, until)))
        try:
            await _work(state, concurrency, queues)
        finally:
            for task in beside:
                task.cancel()
    with suppress(DatabaseError):
        await asyncio.to_thread(job_queue.farewell, state.worker)
    return state.context


def count_workers() -> int:
    """How many workers give signs of life."""
    workers = job_queue.list_workers(lease_timeout=LEASE_TIMEOUT, limit=1000, offset=0)
    return sum(worker["state"] != "lost" for worker in workers)


async def _work(state: _State, concurrency: int, queues: list[str] | None) -> None:
    """Run the queue's worker, and a new one when it fell over because the database was away."""
    away_since: float | None = None
    while not state.stopping.is_set():
        app = open_app(state.context.program.conninfo)
        add_tasks(app, state.context)
        began = monotonic()
        try:
            async with app.open_async():
                state.queue_worker = Worker(
                    app,
                    queues=queues,
                    concurrency=concurrency,
                    # Whoever may connect to the database may notify any channel: jobs are looked for,
                    # and none is ended by what a stranger says there.
                    listen_notify=False,
                    fetch_job_polling_interval=min(LONGEST_WAIT, state.context.lease_timeout / 4),
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=state.context.lease_timeout / 6,
                    # The rows of lost workers stay for as long as somebody may look at their jobs.
                    stalled_worker_timeout=max(3600.0, state.context.lease_timeout),
                )
                await state.queue_worker.run()  # type: ignore[no-untyped-call]
        except (ProcrastinateException, psycopg.Error, OSError, TimeoutError) as error:
            log.warning("the queue cannot be reached", reason=type(error).__name__)
        finally:
            state.queue_worker = None
        if state.stopping.is_set():
            return
        if monotonic() - began > OUTAGE:
            away_since = None
        away_since = away_since or monotonic()
        if monotonic() - away_since > OUTAGE:
            raise DatabaseUnreachable("The database did not come back: start it, then the worker.")
        await asyncio.sleep(1.0)


async def _look_around(state: _State, concurrency: int, *, only_stalled: bool) -> None:
    """Look for schedules that are due and for jobs that a lost worker left, and give a sign of life."""
    cleaned = monotonic()
    while True:
        for look in _ALWAYS if only_stalled else (*_ALWAYS, _take_due, _take_alerts):
            try:
                await asyncio.to_thread(look, state, concurrency)
            except Exception as error:  # one that cannot be read must not keep the others from being done
                log.warning("a look around failed", reason=type(error).__name__)
        if monotonic() - cleaned > CLEAN_EVERY:
            cleaned = monotonic()
            with suppress(DatabaseError):
                await asyncio.to_thread(job_queue.clean)
        await asyncio.sleep(min(LONGEST_TICK, state.context.lease_timeout / 6))


async def _keep_figures(state: _State) -> None:
    """Keep statistics and summaries up to date; in a task of its own, for it may take a while."""
    while True:
        try:
            if await asyncio.to_thread(refresh_figures, state.context.program.user_id):
                log.info("figures are up to date")
        except Exception as error:
            log.warning("the figures were not worked out", reason=type(error).__name__)
        await asyncio.sleep(FIGURES_EVERY)


def _sign_of_life(state: _State, concurrency: int) -> None:
    job_queue.sign_of_life(
        state.worker,
        name=f"{socket.gethostname()}:{os.getpid()}",
        concurrency=concurrency,
        queue_worker_id=state.queue_worker.worker_id if state.queue_worker is not None else None,
        stopping=state.context.stopping,
        waits_for=state.context.waits_for,
    )


def _take_back(state: _State, concurrency: int) -> None:
    if taken := job_queue.take_stalled_back(state.context.lease_timeout):
        log.info("took over what another worker left", jobs=taken)


def _restore_lost(state: _State, concurrency: int) -> None:
    for user_id, run_id in job_queue.lost(LOST_AT_ONCE, silence=SILENCE.total_seconds()):
        try:
            restore_lost(user_id, run_id)
            log.warning("a run had lost its jobs", run=run_id)
        except Exception as error:
            log.warning("what a run lost cannot be put back", run=run_id, reason=type(error).__name__)


_ALWAYS = (_sign_of_life, _take_back, _restore_lost)


def _take_due(state: _State, concurrency: int) -> None:
    for user_id, saved_search_id in job_queue.due(DUE_AT_ONCE):
        try:
            take_due(user_id, saved_search_id)
        except DatabaseError:
            raise  # the database is away, for all of them
        except Exception as error:
            log.warning("a schedule cannot be run", schedule=saved_search_id, reason=type(error).__name__)
            _let_rest(user_id, saved_search_id, error)


def _take_alerts(state: _State, concurrency: int) -> None:
    for user_id, saved_search_id in job_queue.due_alerts(DUE_AT_ONCE):
        try:
            take_alert(user_id, saved_search_id)
        except DatabaseError:
            raise
        except Exception as error:  # one alert must not keep the others from being taken
            log.warning("an alert stays due", favorite=saved_search_id, reason=type(error).__name__)


def _let_rest(user_id: int, saved_search_id: int, error: Exception) -> None:
    if isinstance(error, DBAPIError) and is_transient(error.orig or error):
        return
    try:
        put_to_rest(
            user_id,
            saved_search_id,
            UsageError(f"The schedule could not be run ({type(error).__name__}): remove it and add it anew."),
        )
    except Exception as further:  # one schedule must not keep the others from being taken
        log.warning("a schedule stays due", schedule=saved_search_id, reason=type(further).__name__)


async def _watch(state: _State, until: Callable[[], bool]) -> None:
    while True:
        await asyncio.sleep(0.2)
        if await asyncio.to_thread(until):
            _stop(state)
            return


def _stop(state: _State) -> None:
    state.stopping.set()
    state.context.stop()
    if state.queue_worker is not None:
        state.queue_worker.stop()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def _signals(state: _State) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def received(*_: Any) -> None:
        if state.stopping.is_set() and task is not None:
            task.cancel()
        log.warning("the worker stops: finishing what is in hand")
        _stop(state)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, received)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
