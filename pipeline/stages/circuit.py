"""Stops a session whose tracker refuses everything: a ban, a captcha, a login that lost its rights unseen.

Otherwise each issue that is left would be asked for in vain, and counted as failed.
"""

from __future__ import annotations

import asyncio

import psycopg

from crawler.errors import CrawlError, LayoutChanged, NotFound, PageRejected, TrackerError
from db.frontier import hold_fence, mark
from pipeline.stages.belt import Belt, Fetched, Plan

STREAK = 20  # issues that fail one after the other until somebody looks why


class Circuit:
    """Watches what the workers bring."""

    def __init__(self, plan: Plan, belt: Belt) -> None:
        self._plan = plan
        self._belt = belt
        self._failed: list[Fetched] = []  # since the last one that did not
        self._patience = STREAK
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
            if len(self._failed) < self._patience:
                return
            if not await self._answers():
                self._belt.refused = [failed.item.issue_id for failed in self._failed]
                raise TrackerError(
                    f"The tracker refused the last {len(self._failed)} issues and does not list any either: "
                    "it may have locked this account or address out; wait before you go on."
                )
            if all(isinstance(failed.error, PageRejected) for failed in self._failed):
                raise LayoutChanged(
                    f"None of the last {len(self._failed)} pages can be read: the tracker's layout may have "
                    f"changed, see quarantine list. {fetched.error}"
                )
            self._patience *= 2  # issues that this account may not see: it is looked at ever more rarely

    async def _answers(self) -> bool:
        """Whether the tracker still does what it did when the session began."""
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


async def give_back(plan: Plan, belt: Belt) -> None:
    """What was refused because everything was has not failed: it is left to be tried again."""
    if not belt.refused:
        return
    handle = plan.handle
    outcomes: dict[str, tuple[str, str | None]] = dict.fromkeys(belt.refused, ("pending", None))

    async def work(connection: psycopg.AsyncConnection) -> None:
        await hold_fence(connection, session_id=handle.session_id, fence=handle.fence)
        await mark(connection, session_id=handle.session_id, outcomes=outcomes)

    await plan.loading.run(work)
