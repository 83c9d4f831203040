"""The conductor: works on a claim, be it a whole session in a shell or a part of one in a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import psycopg

from crawler.errors import CrawlError, TrackerError
from crawler.http.stats import ClientStats
from crawler.sources import find_kind
from db.crawl.file_texts import Selected
from db.crawl.frontier import tally
from db.crawl.own_states import own_states
from db.crawl.progress import tell_movement
from db.crawl.transaction import UserTransactions
from db.errors import DatabaseError
from db.log_library import structlog
from pipeline.sessions import watchdog
from pipeline.sessions.ceiling import Ceiling
from pipeline.sessions.claim import Claim
from pipeline.sessions.ending import Ending, Stopper
from pipeline.sessions.interruption import Interruption
from pipeline.stages.census import conclude
from pipeline.stages.circuit_breaker import CircuitBreaker
from pipeline.stages.counts import STORED, Observer, RunCounts, ignore_progress
from pipeline.stages.fetch import feed, fetch_worker
from pipeline.stages.load import load
from pipeline.stages.search import search, still_answers
from pipeline.stages.selection import Selection
from pipeline.stages.state import Mark, Plan, RunState
from pipeline.trackers.connect import shared
from pipeline.trackers.pool import TrackerPool

log = structlog.get_logger(__name__)

Interruptible = Callable[[RunState], AbstractContextManager[Interruption]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conductor:
    """Drives login, search, fetch and load for claims, and gives signs of life meanwhile."""

    conninfo: str  # the database, for the crawl's own connections
    home: Path  # the data folder, where attached files are kept
    ceiling: Ceiling  # the most that a session may bring
    interruptible: Interruptible  # what may interrupt a run while it lasts
    observer: Observer = ignore_progress  # is shown the running totals whenever they change

    async def work_on(self, claim: Claim) -> Stopper | None:
        """Work on a claim, and on those that follow it, each until it is done, interrupted or stopped.

        What is done is committed on the way; however it goes, the claim is let go of at its end.

        Returns:
            what is to be told to whoever asked for the work.

        Raises:
            Exception: as the claim's ``end`` raises; or a defect.
        """
        with structlog.contextvars.bound_contextvars(session=str(claim.lease.session_uuid)):
            async with AsyncExitStack() as stack:
                tracker: TrackerPool | None = None
                following: Claim | None = claim
                while following is not None:
                    run = _Run(self, following)
                    if (told := await run.to_its_end(stack, tracker)) is not None:
                        return told
                    tracker, following = run.tracker, await following.following()
        return None


class _Run:
    """The work on one claim."""

    def __init__(self, conductor: Conductor, claim: Claim) -> None:
        self._conductor = conductor
        self._claim = claim
        search_done = claim.lease.search_done or not claim.searches
        self._state = RunState(
            workers=claim.workers,
            counts=RunCounts(search_done=search_done),
            observer=conductor.observer,
        )
        self._began = monotonic()
        self._searched: float | None = None  # when the search ended
        self._bytes_before = 0  # got for the claims before
        self._databases: list[UserTransactions] = []  # its connections
        self._moves = 0  # how often something was seen to have moved
        self.tracker: TrackerPool | None = None  # logged in, from the first claim on

    async def to_its_end(self, stack: AsyncExitStack, tracker: TrackerPool | None) -> Stopper | None:
        """Work on the claim and let go of it.

        Args:
            stack: ends the tracker's process after the last claim.
            tracker: logged in for the claim before; None: there was none.
        """
        claim, state = self._claim, self._state
        log.info(f"{claim.name} begun", tracker=claim.tracker.name, query=claim.lease.text)
        error: Stopper | None = None
        defect = True  # until shown otherwise
        with self._conductor.interruptible(state) as interruption:
            try:
                try:
                    if tracker is not None:
                        self._bytes_before = tracker.stats.bytes
                    self.tracker = tracker or await self._opened(stack)
                    async with self._alive():
                        if tracker is None:
                            await self.tracker.login()
                        await self._stages(self.tracker)
                except* (CrawlError, DatabaseError) as group:
                    error = _first_of(group)
                defect = False
            except asyncio.CancelledError:
                defect = not interruption.take_back()
                if defect:
                    raise
            finally:
                interruption.is_over = True
                ending = self._ending("failed" if defect else self._status(error), error)
                told = await claim.end(ending)
        counts = state.counts
        log.info(
            f"{claim.name} ended",
            status=ending.status,
            found=counts.found,
            issues=counts.crawled,
            failed=counts.failed,
        )
        return told

    async def _opened(self, stack: AsyncExitStack) -> TrackerPool:
        claim = self._claim
        share = partial(shared, claim.tracker, self._conductor.conninfo, claim.lease.session_uuid)
        return await stack.enter_async_context(TrackerPool(claim.tracker, workers=claim.workers, share=share))

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        """Give signs of life, through long pauses too; who lost the claim meanwhile learns it soon.

        Raises:
            CrawlError: nothing has moved for longer than anything that is waited for may take.
        """

        async def keep_beating() -> None:
            told = 0
            async with self._transactions() as transactions:
                while True:
                    moves = self._moves
                    await transactions.run(partial(self._beat, moved=moves != told))
                    told = moves
                    await asyncio.sleep(self._claim.heartbeat)

        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(keep_beating()), tasks.create_task(self._watch())]
            yield
            for task in beside:
                task.cancel()

    async def _beat(self, connection: psycopg.AsyncConnection, *, moved: bool) -> None:
        await self._claim.beat(connection)
        await tell_movement(
            connection,
            session_id=self._claim.lease.session_id,
            moved=moved,
            waits_for=self._state.counts.stall,
            quiet=watchdog.limit(self._claim.tracker.rate),
        )

    async def _watch(self) -> None:
        """Notice that nothing moves, and say so."""
        counts = self._state.counts
        dog = watchdog.Watchdog(watchdog.limit(self._claim.tracker.rate))
        before = None
        while True:
            movement = self._movement()
            self._moves += movement != before
            before = movement
            stall = dog.look(movement, self._waits_for)
            counts.stall = None if stall is None else str(stall)
            if stall is not None:
                if stall.is_news:
                    log.warning("nothing moves", seconds=round(stall.seconds), waits_for=stall.wait.what)
                self._conductor.observer(counts)
                if stall.is_hopeless:
                    raise TrackerError(
                        f"Nothing has moved for {stall.seconds / 60:.0f} minutes while waiting for "
                        f"{stall.wait.what}: look whether that is to be had, then resume the session."
                    )
            await asyncio.sleep(watchdog.LOOK_EVERY)

    def _movement(self) -> tuple[int, ...]:
        counts, stats = self._state.counts, self.tracker.stats if self.tracker is not None else None
        return (
            *(counts.found, counts.related, counts.settled, self._state.listed),
            *(counts.files.bytes_done, counts.files.read),
            0 if stats is None else stats.bytes,
        )

    def _waits_for(self) -> watchdog.Wait:
        if any(database.busy_for > watchdog.LOOK_EVERY for database in self._databases):
            return watchdog.Wait("the database")
        wait = self.tracker.wait if self.tracker is not None else None
        return wait or watchdog.Wait("its own next step")

    async def _stages(self, tracker: TrackerPool) -> None:
        """Run the stages side by side until all of them have ended."""
        claim, state = self._claim, self._state
        async with self._transactions() as searching, self._transactions() as loading:
            plan = await self._plan(tracker, searching, loading)
            async with asyncio.TaskGroup() as stages:
                if claim.searches:
                    stages.create_task(self._search(plan))
                if claim.fetches:
                    stages.create_task(_fetch_and_load(plan, state))
            if state.fatal is not None:
                raise state.fatal
            if claim.lease.census and claim.is_whole and not state.stop.is_set():
                await conclude(plan, state)
        if claim.lease.attachments and claim.fetches and not state.stop.is_set():
            await self._attachments(plan)
            await self._texts(plan)

    async def _search(self, plan: Plan) -> None:
        await search(plan, self._state)
        self._searched = monotonic()

    async def _attachments(self, plan: Plan) -> None:
        from pipeline.attachments.download import Work, download_attachments

        def keep_within() -> None:
            if (excess := plan.excess(0)) is not None:
                raise excess

        counts = self._state.counts
        work = Work(
            claim=self._claim,
            source=plan.tracker,
            home=self._conductor.home,
            stop=self._state.stop,
            within=keep_within,
            largest=self._claim.tracker.largest,
            exact=plan.features.exact_sizes,
            counts=counts.files,
            tell=partial(self._conductor.observer, counts),
        )
        await download_attachments(work)

    async def _texts(self, plan: Plan) -> None:
        from pipeline.attachments.texts import read_texts

        lease, counts = plan.lease, self._state.counts
        selected = Selected(
            user_id=lease.user_id, session_id=lease.session_id, positions=self._claim.positions
        )
        async with self._transactions() as transactions:
            await read_texts(
                transactions,
                selected,
                self._conductor.home,
                stop=self._state.stop,
                counts=counts.files,
                tell=partial(self._conductor.observer, counts),
            )

    async def _words(self, transactions: UserTransactions) -> dict[str, str]:
        """What the owner says of the tracker's status words, where the question is about a state."""
        lease = self._claim.lease
        if "status" not in lease.filters:
            return {}
        return await transactions.run(lambda c: own_states(c, tracker_id=lease.tracker_id))

    async def _plan(
        self, tracker: TrackerPool, searching: UserTransactions, loading: UserTransactions
    ) -> Plan:
        """What the run is to do, and what of the session's question is applied to the fetched issues."""
        claim, lease = self._claim, self._claim.lease
        features = find_kind(claim.tracker.kind).features
        # Since the last session: what was changed without a trace on its page is to be found by comparing.
        checks_since = not (features.tells_changes or lease.since_last)
        selection = Selection(
            tree=None if (await tracker.render(lease.tree)).exact else lease.tree,
            status=lease.filters.get("status"),
            words=await self._words(searching),
            until=_day_after(lease.filters["until"]) if "until" in lease.filters else None,
            reporter=lease.filters.get("reporter"),
            owner=lease.filters.get("owner"),
            since=lease.since if checks_since else None,
            zone=ZoneInfo(claim.tracker.timezone or features.default_zone),
        )
        # Where issues may be left out after a look at them, only the stored ones count towards the limit.
        looked_at = selection.is_needed
        plan = Plan(
            claim=claim,
            tracker=tracker,
            searching=searching,
            loading=loading,
            selection=selection,
            features=features,
            ceiling=self._conductor.ceiling,
            bytes_before=self._bytes_before,
            search_limit=None if looked_at else lease.max_results,
            issue_limit=lease.max_results if looked_at else None,
        )
        # Whoever adds to a frontier that was there before counts what is in it.
        adds = claim.searches or lease.crawl_related
        return await self._continued(plan) if adds and (lease.fence > 1 or not claim.searches) else plan

    async def _continued(self, plan: Plan) -> Plan:
        """Count what was done before: the session goes on from there, its limits hold over all runs."""
        states = await plan.searching.run(lambda c: tally(c, session_id=plan.lease.session_id))
        self._state.listed = sum(states.values())
        if not self._claim.searches:  # it counts what it does, beside others
            return plan
        self._state.counts.restore(states)
        self._state.accepted = sum(states.get(("search", state), 0) for state in STORED)
        if plan.search_limit is None:
            return plan
        return replace(plan, search_limit=max(0, plan.search_limit - self._state.counts.found))

    def _transactions(self) -> UserTransactions:
        transactions = UserTransactions(self._conductor.conninfo, self._claim.lease.user_id)
        self._databases.append(transactions)
        return transactions

    def _status(self, error: Stopper | None) -> str:
        if error is not None:
            return "failed"
        if self._state.stop.is_set():
            return "interrupted"
        return "failed" if self._state.shortfall else "completed"

    def _ending(self, status: str, error: Stopper | None) -> Ending:
        now = monotonic()
        return Ending(
            status=status,
            search_seconds=(self._searched or now) - self._began,
            seconds=now - self._began,
            spent=self.tracker.stats.take() if self.tracker is not None else ClientStats(),
            error=error,
        )


async def _fetch_and_load(plan: Plan, state: RunState) -> None:
    """Work on what is in the frontier, side by side, until nothing is left or the run stops."""

    async def answers() -> bool:
        return await still_answers(plan, state)

    breaker = CircuitBreaker(answers)

    async def fetch() -> None:
        async with asyncio.TaskGroup() as workers:
            workers.create_task(feed(plan, state))
            for _ in range(state.workers):
                workers.create_task(fetch_worker(plan, state, breaker))
        await state.done.put(Mark.END)

    async with asyncio.TaskGroup() as stages:
        stages.create_task(fetch())
        stages.create_task(load(plan, state))
    await breaker.release(plan, state.fatal)


def _day_after(day: str) -> datetime:
    # A question's "until" includes its day.
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


def _first_of(group: BaseExceptionGroup[Stopper]) -> Stopper:
    """The first error of the stages: the others are mostly its consequences."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, CrawlError | DatabaseError):
        raise TypeError(type(error).__name__) from group
    return error
