"""A session's tracker processes: as many as there are cores to use, once there is enough to do."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from types import TracebackType
from typing import Self

from crawler.errors import CrawlError
from crawler.http.stats import ClientStats
from crawler.query import Tree
from crawler.records import AttachmentRecord
from crawler.source import Reference, Rendering, SearchPage
from crawler.sources import find_kind
from db.errors import DatabaseError
from db.log_library import structlog
from pipeline.logs import told
from pipeline.sessions.watchdog import Wait
from pipeline.trackers.connect import Tracker
from pipeline.trackers.host_share import HostShare
from pipeline.trackers.process import FileStore, Outcome, TrackerProcess, in_groups

log = structlog.get_logger(__name__)

GROWTH = 150  # issues that are still to be fetched, for each process, before a further one pays its start


class TrackerPool:
    """As a :class:`TrackerProcess`, of several that fetch side by side; an async context manager.

    The first one alone searches, and brings files. Another one gets something to fetch when it has logged in:
    until then it may wait for its part of the host, which the others have.

    Args:
        tracker: with the account to use.
        workers: requests at once; never more than the tracker allows.
        share: makes a share of what all processes together may ask, not entered; one for each process.
        most: how many processes; None: one for each core that may be used.
    """

    def __init__(
        self,
        tracker: Tracker,
        *,
        workers: int,
        share: Callable[[], HostShare],
        most: int | None = None,
    ) -> None:
        features = find_kind(tracker.kind).features
        self.stats = ClientStats()  # live totals of all of them
        self._tracker = tracker
        self._workers = workers
        self._share = share
        is_alone = features.one_login or features.lists_whole_issues
        self._most = 1 if is_alone else min(most or cores(), workers, tracker.concurrency)
        self._batch_size = features.batch_size
        self._entered = AsyncExitStack()
        self._processes: list[TrackerProcess] = []  # those that fetch
        self._in_hand = Counter[int]()  # references that a process, by its place in the list, is fetching
        self._fetched = 0
        self._told = 0  # hits that the tracker tells of
        self._started = 1
        self._starting: set[asyncio.Task[None]] = set()
        self._shares: list[HostShare] = []

    async def __aenter__(self) -> Self:
        self._processes.append(await self._grown())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await self._entered.aclose()

    @property
    def wait(self) -> Wait | None:
        """As :attr:`TrackerProcess.wait`, of the first that waits."""
        return next(filter(None, (process.wait for process in self._processes)), None)

    async def login(self) -> None:
        """As :meth:`TrackerProcess.login`."""
        await self._processes[0].login()

    async def render(self, query: Tree) -> Rendering:
        """As :meth:`TrackerProcess.render`."""
        return await self._processes[0].render(query)

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """As :meth:`TrackerProcess.search`."""
        pages = self._processes[0].search(query, product=product, since=since, limit=limit, cursor=cursor)
        async with aclosing(pages):
            async for page in pages:
                told = page.total or 0
                self._told = told if limit is None else min(told, limit)
                yield page

    async def download(self, attachment: AttachmentRecord, store: FileStore, *, limit: int) -> None:
        """As :meth:`TrackerProcess.download`."""
        await self._processes[0].download(attachment, store, limit=limit)

    async def fetch(self, references: Sequence[Reference]) -> list[Outcome]:
        """As :meth:`TrackerProcess.fetch`."""
        return await in_groups(references, self._batch_size, self._fetch)

    async def _fetch(self, references: Sequence[Reference]) -> list[Outcome]:
        if self._is_to_grow():
            self._started += 1
            task = asyncio.create_task(self._grow())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)
        place = min(range(len(self._processes)), key=self._in_hand.__getitem__)
        self._in_hand[place] += len(references)
        try:
            return await self._processes[place].fetch(references)
        finally:
            self._in_hand[place] -= len(references)
            self._fetched += len(references)

    def _is_to_grow(self) -> bool:
        # Without a share that all have a part of, each would go to the tracker's limits.
        if self._started >= self._most or any(share.is_unlimited for share in self._shares):
            return False
        # Where the tracker tells no total, a session is taken to have as much before it as behind it.
        left = self._told - self._fetched if self._told else self._fetched
        return left >= GROWTH * self._started

    async def _grow(self) -> None:
        """Have one process more; without it, where it cannot log in, the others go on."""
        process = await self._grown()
        try:
            await process.login(await self._processes[0].learnt())
        except (CrawlError, DatabaseError, RuntimeError) as error:
            log.warning("a further tracker process is not used", reason=told(error))
            return
        self._processes.append(process)

    def _spread(self) -> None:
        """Let those that fetch leave a part of the host to the one that has none."""
        for process in self._processes:
            process.renew_soon()

    async def _grown(self) -> TrackerProcess:
        share = await self._entered.enter_async_context(self._share())
        share.on_nothing = self._spread
        process = TrackerProcess(self._tracker, workers=self._workers, share=share, stats=self.stats)
        self._shares.append(share)
        return await self._entered.enter_async_context(process)


def cores() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
