"""What a worker does with a job: search for a run, fetch chunks of a session, tell what is new.

A task keeps its word whatever happens: either what it stands for is done or failed for good, or the job is
put back. No error of a tracker, of the database or of ours reaches the queue.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from crawler.errors import CrawlError, ItemError, LayoutChanged, TooMuch, TrackerError
from crawler.http.reach import Reach
from db.crawl.transaction import Actor
from db.errors import DatabaseError, DatabaseUnreachable, FenceLost, IdentityRefused
from db.transient import is_transient
from pipeline.crawl import count_listed, fetch_and_load, first_of, plan_of
from pipeline.jobs import claims
from pipeline.jobs.claims import Busy, Part
from pipeline.jobs.commands import Commands
from pipeline.jobs.queue import Again
from pipeline.logs import redact
from pipeline.stages.counts import Counts, nobody
from pipeline.stages.meter import Meter
from pipeline.stages.search import search
from pipeline.stages.state import Belt
from pipeline.trackers.connect import Tracker, shared
from pipeline.trackers.pool import TrackerPool
from pipeline.trackers.stored import open_by_id

if TYPE_CHECKING:
    from pipeline.bootstrap import Program

T = TypeVar("T")

log = structlog.get_logger(__name__)

FIRST_PAUSE = 5.0  # seconds before a part is tried again after its tracker failed; then four times as long
LONGEST_PAUSE = 600.0
SOON = FIRST_PAUSE  # what is tried again by then, a worker waits for that does what is due and ends
PAUSES = (0.1, 0.5, 2.0, 5.0)  # between tries of a transaction
MOST_AT_ONCE = 64  # requests of one job, whatever somebody wrote into their tracker's row
TURN = 60.0  # seconds after which a job leaves the session's further chunks to other jobs


class Defect(CrawlError):
    """Something that should not happen, told without its details."""


@dataclass(slots=True)
class Bench:
    """What the tasks of one worker process share."""

    program: Program
    patience: float  # seconds without a sign of life after which others' work is taken over
    belts: list[Belt] = field(default_factory=list)  # of what is being worked on
    once: bool = False  # the worker does not stay: what passes is not waited for, where that takes long
    failures: list[CrawlError | DatabaseError] = field(default_factory=list)  # what runs failed by
    stopping: bool = False
    commands: Commands = field(default_factory=dict)  # that schedules may name, by their names

    @property
    def reach(self) -> Reach:
        """Where others may have us connect to."""
        return Reach(self.program.settings.allow_networks)

    def stop(self) -> None:
        """Finish what is in hand, and leave the rest to others."""
        self.stopping = True
        for belt in self.belts:
            belt.interrupt()

    def tries_again(self, attempts: int) -> bool:
        """Whether what failed so many times by something that passes is tried again later."""
        return attempts < claims.MOST_ATTEMPTS and not (self.once and _pause(attempts) > SOON)

    def open_tracker(self, user_id: int) -> Callable[[Session, int], Tracker]:
        """Opens a user's trackers.

        The account in our environment is our own user's, not everybody's, and so is the network we are in.
        """
        settings, vault = self.program.settings, self.program.vault
        if user_id == self.program.user_id:
            return lambda session, tracker_id: open_by_id(session, tracker_id, settings, vault)
        settings = replace(settings, tracker_username=None, tracker_password=None)
        return lambda session, tracker_id: replace(
            open_by_id(session, tracker_id, settings, vault), reach=self.reach
        )

    @contextmanager
    def belt(
        self, workers: int, counts: Counts, observer: Callable[[Counts], None] = nobody
    ) -> Iterator[Belt]:
        """A belt that stops with the worker."""
        belt = Belt(workers=min(workers, MOST_AT_ONCE), counts=counts, observer=observer)
        self.belts.append(belt)
        if self.stopping:
            belt.interrupt()
        try:
            yield belt
        finally:
            self.belts.remove(belt)


async def search_for_run(bench: Bench, user_id: int, run_id: int) -> None:
    """Begin a run's session and fill its frontier, or go on with that; its chunks become jobs on the way."""
    try:
        part = await _apart(claims.take_search, user_id, run_id, bench.open_tracker(user_id))
        if part is not None:
            with bound_contextvars(session=str(part.handle.session_uuid)):
                await _search(bench, part)
    except FenceLost:
        log.info("somebody else goes on with this search", run=run_id)
    except Again:
        raise
    except Exception as raised:
        error = _told(raised)
        attempts = await _apart(claims.attempts_so_far, user_id, run_id) if _passes(error) else 0
        if attempts and bench.tries_again(attempts):
            log.warning("the search is tried again later", run=run_id, reason=str(error))
            raise Again(_pause(attempts)) from None
        await _apart(claims.fail_run, user_id, run_id, error)
        bench.failures.append(error)
        log.warning("a run failed", run=run_id, reason=str(error))


async def work_on_chunk(bench: Bench, user_id: int, session_id: int, chunk_number: int) -> None:
    """Fetch one chunk of a session, and further ones while there is time."""
    opener = bench.open_tracker(user_id)
    try:
        part = await _apart(claims.take_chunk, user_id, session_id, chunk_number, opener, bench.patience)
        if part is not None:
            with bound_contextvars(session=str(part.handle.session_uuid)):
                await _fetch(bench, part)
    except Busy:
        # Its holder may yet die: this job stays as long as the chunk is not done.
        raise Again(max(1.0, bench.patience / 4)) from None
    except FenceLost:
        log.info("somebody else works on this part", chunk=chunk_number)
    except Again:
        raise
    except Exception as raised:
        error = _told(raised)
        await _apart(claims.fail_session, user_id, session_id, error)
        bench.failures.append(error)
        log.warning("a session failed", reason=str(error))


async def keep_word(doing: Awaitable[None]) -> None:
    """Have a job done; where even its failure could not be noted, it is put back."""
    try:
        await doing
    except Again:
        raise
    except IdentityRefused:
        log.warning("a job of a user who is not active is let go")
    except Exception as error:
        log.error("a job is put back", reason=str(_told(error)))
        raise Again(FIRST_PAUSE) from None


async def _search(bench: Bench, part: Part) -> None:
    handle, began = part.handle, monotonic()
    share = partial(shared, part.tracker, bench.program.conninfo, handle.session_uuid)
    found, upto = asyncio.Event(), 0

    def observe(counts: Counts) -> None:
        if counts.found - upto >= claims.SIZE:
            found.set()

    async def cut() -> None:
        nonlocal upto
        while True:
            await found.wait()
            found.clear()
            upto = belt.counts.found
            await _apart(claims.cut, handle, rest=False)

    error: CrawlError | DatabaseError | None = None
    with bench.belt(1, Counts(search_done=handle.search_done), observe) as belt:
        async with (
            TrackerPool(part.tracker, workers=1, share=share) as source,
            Actor(bench.program.conninfo, handle.user_id) as actor,
        ):
            meter = Meter(source.stats)
            try:
                await source.login()
                async with asyncio.TaskGroup() as group:
                    cutting = group.create_task(cut())
                    plan = replace(
                        await plan_of(handle, source, meter, actor, actor),
                        ceiling=bench.program.settings.ceiling,
                    )
                    belt.listed = await count_listed(plan)
                    await search(plan, belt)
                    cutting.cancel()
            except* (CrawlError, DatabaseError) as errors:
                error = first_of(errors)
    if (stopper := error or belt.fatal) is not None:
        raise stopper
    if not belt.counts.search_done:  # the worker stops
        await _apart(claims.forgive, handle.user_id, handle.session_id)
        raise Again(0)
    await _apart(claims.end_search, handle, seconds=monotonic() - began, spent=meter.take())


async def _fetch(bench: Bench, part: Part) -> None:
    until = monotonic() + TURN
    handle, tracker = part.handle, part.tracker
    share = partial(shared, tracker, bench.program.conninfo, handle.session_uuid)
    opener = bench.open_tracker(handle.user_id)
    async with (
        TrackerPool(tracker, workers=handle.workers, share=share) as source,
        Actor(bench.program.conninfo, handle.user_id) as searching,
        Actor(bench.program.conninfo, handle.user_id) as loading,
    ):
        meter = Meter(source.stats)
        plan = replace(
            await plan_of(handle, source, meter, searching, loading),
            ceiling=bench.program.settings.ceiling,
        )
        chunk: Part | None = part
        while chunk is not None:
            error: CrawlError | DatabaseError | None = None
            with bench.belt(handle.workers, Counts(search_done=True)) as belt:
                try:
                    async with _alive(bench, chunk, belt):
                        if chunk is part:
                            await source.login()
                        if handle.crawl_related:
                            belt.listed = await count_listed(plan)
                        await fetch_and_load(replace(plan, chunk=chunk.chunk), belt)
                except* (CrawlError, DatabaseError) as errors:
                    error = first_of(errors)
            if (stopper := error or belt.fatal) is not None:
                await _give_up(bench, chunk, stopper, counted=chunk is part)
            if belt.stop.is_set():  # the worker stops
                await _apart(claims.give_back, chunk)
                raise Again(0)
            await _apart(claims.end_chunk, chunk, spent=meter.take())
            chunk = None
            if monotonic() < until and not bench.stopping:
                chunk = await _apart(
                    claims.take_chunk, handle.user_id, handle.session_id, None, opener, bench.patience
                )


async def _give_up(
    bench: Bench, chunk: Part, error: CrawlError | DatabaseError, *, counted: bool
) -> NoReturn:
    """Leave a chunk for later where its trouble may pass, else say so."""
    if isinstance(error, FenceLost) or not _passes(error):
        raise error
    # A chunk that was taken besides has a job of its own, which counts for itself.
    attempts = await _apart(claims.give_back, chunk, tried=counted)
    if not bench.tries_again(attempts):
        raise error
    log.warning("a part of the session is tried again later", reason=str(error))
    raise Again(_pause(attempts))


@asynccontextmanager
async def _alive(bench: Bench, part: Part, belt: Belt) -> AsyncIterator[None]:
    """Give signs of life of a chunk, however long its tracker makes us wait."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(bench.patience / 6)
            try:
                if not await asyncio.to_thread(claims.keep_alive, part):
                    belt.interrupt()
            except DatabaseError as error:
                log.warning("no sign of life could be given", reason=str(error))

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _apart(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Do a piece of work with the database in a thread, and again after a fault that passes.

    A thread, since it may wait for a lock that another task of this very process holds.
    """
    for pause in PAUSES:
        try:
            return await asyncio.to_thread(function, *arguments, **named)
        except DatabaseUnreachable as error:
            log.warning("the database is asked again", reason=str(error))
        except DBAPIError as error:
            if error.orig is None or not is_transient(error.orig):
                raise
        await asyncio.sleep(pause)
    return await asyncio.to_thread(function, *arguments, **named)


def _passes(error: Exception) -> bool:
    """Whether the same may go well in a while; a refused login does not, and asking again would lock it."""
    if isinstance(error, DatabaseError):
        return True
    return isinstance(error, TrackerError | ItemError) and not isinstance(error, LayoutChanged | TooMuch)


def _told(raised: Exception) -> CrawlError | DatabaseError:
    """An error with a sentence for the user; a defect's own words may hold what is not theirs to read."""
    if isinstance(raised, CrawlError | DatabaseError):
        return raised
    log.error("a defect", trace=redact("".join(traceback.format_exception(raised))))
    return Defect(f"This is a defect of ims-crawl: {type(raised).__name__}. The worker's log has more.")


def _pause(attempts: int) -> float:
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** max(0, attempts - 1)))
