"""Stops a session whose tracker refuses everything: a ban, a captcha, a login that lost its rights unseen.

Otherwise each issue that is left would be asked for in vain, and counted as failed.
"""

from __future__ import annotations

import asyncio

import psycopg

from crawler.errors import CrawlError, LayoutChanged, NotFound, PageRejected, TrackerError
from db.crawl.chunks import hold_chunk
from db.crawl.frontier import hold_fence, mark
from pipeline.stages.state import Belt, Fetched, Plan

LOOK_EVERY = 0.1  # seconds, for the end of the search
STREAK = 20  # issues that fail one after the other until somebody looks why


class Circuit:
    """Watches what the workers bring."""

    def __init__(self, plan: Plan, belt: Belt) -> None:
        self._plan = plan
        self._belt = belt
        self._failed: list[Fetched] = []  # since the last one that did not
        self._patience = STREAK
        self._open = False  # nothing more is asked for
        self._looking = asyncio.Lock()

    async def pass_on(self, fetched: Fetched) -> None:
        """Take note of what became of a reference.

        Raises:
            TrackerError: the tracker refuses everything, its list too.
            LayoutChanged: it does not, but none of its pages can be read.
        """
        if fetched.error is None or isinstance(fetched.error, NotFound):
            self._failed.clear()
            self._patience = STREAK
            return
        self._failed.append(fetched)
        async with self._looking:
            if self._open or len(self._failed) < self._patience:
                return
            answers = await self._answers()
            if len(self._failed) < self._patience:  # meanwhile another worker had one
                return
            unreadable = all(isinstance(failed.error, PageRejected) for failed in self._failed)
            if answers and not unreadable:
                self._patience *= 2  # issues that this account may not see: it is looked at ever more rarely
                return
            self._open = True
            if answers:
                raise LayoutChanged(
                    f"None of the last {len(self._failed)} pages can be read: the tracker's layout may have "
                    f"changed, see quarantine list. {fetched.error}"
                )
            raise TrackerError(
                f"The tracker refused the last {len(self._failed)} issues and does not list any either: "
                "it may have locked this account or address out; wait before you go on."
            )

    async def _answers(self) -> bool:
        """Whether the tracker still does what it did when the session began."""
        # Many a tracker keeps what is searched with the login: two searches at once would mix. Nobody tells
        # when the first one is over.
        while not self._belt.counts.search_done and not self._belt.stop.is_set():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY)
        if self._belt.fatal is not None:
            return False
        handle = self._plan.handle
        pages = self._plan.source.search(
            handle.tree, product=handle.product, since=handle.since, limit=1, cursor=None
        )
        try:
            async for page in pages:
                return bool(page.references)
        except CrawlError:
            pass
        return False

    async def give_back(self) -> None:
        """What failed last before the tracker refused everything is left to be tried again."""
        if self._belt.fatal is None or isinstance(self._belt.fatal, LayoutChanged) or not self._failed:
            return
        handle, chunk = self._plan.handle, self._plan.chunk
        outcomes: dict[str, tuple[str, str | None]] = {
            failed.item.issue_id: ("pending", None) for failed in self._failed
        }

        async def work(connection: psycopg.AsyncConnection) -> None:
            if chunk is None:
                await hold_fence(connection, session_id=handle.session_id, fence=handle.fence)
            else:
                await hold_chunk(
                    connection, session_id=handle.session_id, chunk_number=chunk.number, fence=chunk.fence
                )
            await mark(connection, session_id=handle.session_id, outcomes=outcomes)

        await self._plan.loading.run(work)
