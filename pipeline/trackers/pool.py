"""A session's tracker processes: as many as there are cores to use, once there is enough to do."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from types import TracebackType
from typing import Self

from crawler.errors import ItemError
from crawler.http.stats import ClientStats
from crawler.query import Tree
from crawler.records import AttachmentRecord
from crawler.source import Reference, Rendering, SearchPage
from crawler.sources import find_kind
from pipeline.sessions.watchdog import Wait
from pipeline.trackers.connect import Tracker
from pipeline.trackers.host_share import HostShare
from pipeline.trackers.process import FetchedIssue, TrackerProcess, in_groups

GROWTH = 100  # issues, fetched or told of, for each process before a further one pays its start


class TrackerPool:
    """As a :class:`TrackerProcess`, of several that fetch side by side; an async context manager.

    The first one alone searches, and brings files. The others log in when they first have something to fetch.

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
        self._most = 1 if features.one_login else min(most or cores(), workers, tracker.concurrency)
        self._batch_size = features.batch_size
        self._entered = AsyncExitStack()
        self._processes: list[TrackerProcess] = []
        self._in_hand = Counter[int]()  # references that a process, by its place in the list, is fetching
        self._fetched = 0
        self._told = 0  # hits that the tracker tells of
        self._started = 0
        self._shares: list[HostShare] = []

    async def __aenter__(self) -> Self:
        await self._grow()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    async def download(self, attachment: AttachmentRecord, sink: Callable[[bytes], object]) -> int:
        """As :meth:`TrackerProcess.download`."""
        return await self._processes[0].download(attachment, sink)

    async def fetch(self, references: Sequence[Reference]) -> list[FetchedIssue | ItemError]:
        """As :meth:`TrackerProcess.fetch`."""
        return await in_groups(references, self._batch_size, self._fetch)

    async def _fetch(self, references: Sequence[Reference]) -> list[FetchedIssue | ItemError]:
        if self._is_to_grow():
            await self._grow()
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
        return max(self._fetched, self._told) >= GROWTH * self._started

    async def _grow(self) -> None:
        self._started += 1
        share = await self._entered.enter_async_context(self._share())
        process = TrackerProcess(self._tracker, workers=self._workers, share=share, stats=self.stats)
        self._processes.append(await self._entered.enter_async_context(process))
        self._shares.append(share)


def cores() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
