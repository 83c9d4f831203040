"""The use case: work on one crawl session until it is done, interrupted or stopped by an error."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

import structlog
from structlog.contextvars import bound_contextvars

from crawler.errors import CrawlError
from crawler.http.stats import Stats
from db.crawl.frontier import beat, tally
from db.crawl.transaction import Actor
from db.errors import DatabaseError, DatabaseUnreachable
from pipeline.attachments import download_attachments
from pipeline.ceiling import USUAL, Ceiling
from pipeline.crawl_session import HEARTBEAT, Ending, Handle, end
from pipeline.stages.census import conclude
from pipeline.stages.circuit_breaker import Circuit
from pipeline.stages.counts import STORED, Counts, Observer, nobody
from pipeline.stages.fetch import feed, work
from pipeline.stages.load import load
from pipeline.stages.meter import Meter
from pipeline.stages.search import search
from pipeline.stages.selection import Selection
from pipeline.stages.state import Belt, Mark, Plan
from pipeline.trackers.connect import Tracker, shared
from pipeline.trackers.pool import TrackerPool

log = structlog.get_logger(__name__)

CLOSING_PAUSES = (0.2, 1.0, 3.0)  # seconds between tries to write how a session ended

Stopper = CrawlError | DatabaseError


@dataclass(slots=True)
class _Clock:
    """When a run began and when its search ended, in seconds that never go back."""

    began: float
    searched: float | None = None


async def run_session(
    handle: Handle,
    tracker: Tracker,
    *,
    conninfo: str,
    home: Path,
    observer: Observer = nobody,
    ceiling: Ceiling = USUAL,
) -> Stopper | None:
    """Work on a session and close its row.

    Args:
        handle: the session, begun or taken over.
        tracker: the tracker it crawls, with the account to use.
        conninfo: the database, for the crawl's own connections.
        home: the data folder, where attached files are kept.
        observer: is shown the running totals whenever they change.
        ceiling: the most that the session may bring.

    Returns:
        what ended the session early, or None. What was done until then is committed and can be resumed.
    """
    belt = Belt(workers=handle.workers, counts=Counts(search_done=handle.search_done), observer=observer)
    clock = _Clock(began=monotonic())
    share = partial(shared, tracker, conninfo, handle.session_uuid)
    meter: Meter | None = None
    error: Stopper | None = None
    defect = True  # until shown otherwise
    with bound_contextvars(session=str(handle.session_uuid)):
        log.info("session started", tracker=tracker.name, query=handle.text, resumed=handle.fence > 1)
        async with _interruptible(belt) as interruption:
            try:
                async with (
                    TrackerPool(tracker, workers=handle.workers, share=share) as source,
                    _alive(handle, conninfo),
                ):
                    meter = Meter(source.stats)
                    await source.login()
                    await _crawl(handle, source, meter, belt, clock, conninfo, ceiling)
                    if handle.attachments and not belt.stop.is_set():
                        belt.counts.attachments = await download_attachments(
                            handle, source, home, belt.stop, lambda: _within(ceiling, handle, meter)
                        )
                defect = False
            except* (CrawlError, DatabaseError) as group:
                error, defect = first_of(group), False
            except* asyncio.CancelledError:
                defect = not interruption.take_back()
                if defect:
                    raise
            finally:
                now = monotonic()
                ending = Ending(
                    status="failed" if defect else _status(belt, error),
                    search_seconds=(clock.searched or now) - clock.began,
                    seconds=now - clock.began,
                    spent=meter.take() if meter is not None else Stats(),
                    error=error,
                )
                error = await _close(handle, ending) or error
        log.info("session ended", status=ending.status, issues=belt.counts.crawled, failed=belt.counts.failed)
    return error


def _within(ceiling: Ceiling, handle: Handle, meter: Meter) -> None:
    if (excess := ceiling.excess(0, handle.bytes_received + meter.received)) is not None:
        raise excess


async def _crawl(
    handle: Handle,
    source: TrackerPool,
    meter: Meter,
    belt: Belt,
    clock: _Clock,
    conninfo: str,
    ceiling: Ceiling,
) -> None:
    """Run the stages side by side until all of them have ended."""
    async with Actor(conninfo, handle.user_id) as searching, Actor(conninfo, handle.user_id) as loading:
        plan = replace(await plan_of(handle, source, meter, searching, loading), ceiling=ceiling)
        if handle.fence > 1:
            plan = await _continued(plan, belt)

        async def searched() -> None:
            await search(plan, belt)
            clock.searched = monotonic()

        async with asyncio.TaskGroup() as stages:
            stages.create_task(searched())
            stages.create_task(fetch_and_load(plan, belt))
        if handle.census and not belt.stop.is_set():
            await conclude(plan, belt)
    if belt.fatal is not None:
        raise belt.fatal


async def fetch_and_load(plan: Plan, belt: Belt) -> None:
    """Work on what is in the frontier, side by side, until nothing is left or the belt stops."""

    circuit = Circuit(plan, belt)

    async def fetched() -> None:
        async with asyncio.TaskGroup() as workers:
            workers.create_task(feed(plan, belt))
            for _ in range(belt.workers):
                workers.create_task(work(plan, belt, circuit))
        await belt.done.put(Mark.END)

    async with asyncio.TaskGroup() as stages:
        stages.create_task(fetched())
        stages.create_task(load(plan, belt))
    await circuit.give_back()


async def count_listed(plan: Plan) -> int:
    """How many references are in the session's frontier."""
    states = await plan.searching.run(lambda c: tally(c, session_id=plan.handle.session_id))
    return sum(states.values())


async def _continued(plan: Plan, belt: Belt) -> Plan:
    """Count what earlier runs did: the session goes on from there, its limits hold over all runs."""
    states = await plan.searching.run(lambda c: tally(c, session_id=plan.handle.session_id))
    belt.counts.restore(states)
    belt.listed = sum(states.values())
    belt.accepted = sum(states.get(("search", state), 0) for state in STORED)
    if plan.search_limit is None:
        return plan
    return replace(plan, search_limit=max(0, plan.search_limit - belt.counts.found))


@asynccontextmanager
async def _alive(handle: Handle, conninfo: str) -> AsyncIterator[None]:
    """Give signs of life, through long pauses too; who lost the session meanwhile learns it soon."""

    async def keep_beating() -> None:
        async with Actor(conninfo, handle.user_id) as actor:
            while True:
                await actor.run(lambda c: beat(c, session_id=handle.session_id, fence=handle.fence))
                await asyncio.sleep(HEARTBEAT.total_seconds())

    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(keep_beating())
        yield
        beating.cancel()


async def _close(handle: Handle, ending: Ending) -> DatabaseError | None:
    """Close the session's row; a database that is away for a moment is waited for."""
    for pause in (*CLOSING_PAUSES, None):
        try:
            end(handle, ending)
        except DatabaseUnreachable as error:
            if pause is None:
                return error
            await asyncio.sleep(pause)
        except DatabaseError as error:
            return error
        else:
            break
    return None


async def plan_of(
    handle: Handle, source: TrackerPool, meter: Meter, searching: Actor, loading: Actor
) -> Plan:
    """What a session is to do, and what of its question is applied to the fetched issues."""
    filters = handle.filters
    selection = Selection(
        tree=None if (await source.render(handle.tree)).exact else handle.tree,
        status=filters.get("status"),
        until=_day_after(filters["until"]) if "until" in filters else None,
    )
    # Where issues may be left out after a look at them, only the stored ones count towards the limit.
    looked_at = selection.is_needed
    return Plan(
        handle=handle,
        source=source,
        meter=meter,
        searching=searching,
        loading=loading,
        selection=selection,
        search_limit=None if looked_at else handle.max_results,
        issue_limit=handle.max_results if looked_at else None,
    )


def _day_after(day: str) -> datetime:
    # A question's "until" includes its day.
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


def _status(belt: Belt, error: Stopper | None) -> str:
    if error is not None:
        return "failed"
    if belt.stop.is_set():
        return "interrupted"
    return "failed" if belt.shortfall else "completed"


def first_of(group: BaseExceptionGroup[Stopper]) -> Stopper:
    """The first error of the stages: the others are mostly its consequences."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, CrawlError | DatabaseError):
        raise TypeError(type(error).__name__) from group
    return error


@dataclass(slots=True)
class _Interruption:
    """A second signal's cancellation of the session's task."""

    task: asyncio.Task[object] | None = field(default_factory=asyncio.current_task)
    asked: bool = False

    def cancel(self) -> None:
        """End what the task does, at once."""
        if self.task is not None and not self.asked:
            self.asked = True
            self.task.cancel()

    def take_back(self) -> bool:
        """Whether it was we who cancelled the task; it goes on then, to close the session."""
        if self.asked and self.task is not None:
            self.task.uncancel()
        return self.asked


@asynccontextmanager
async def _interruptible(belt: Belt) -> AsyncIterator[_Interruption]:
    """The first SIGINT or SIGTERM lets the stages finish what is in hand, the second ends them at once."""
    interruption = _Interruption()
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if belt.stop.is_set():
            interruption.cancel()
        log.warning("interrupted: finishing what is in hand")
        belt.interrupt()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        yield interruption
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
