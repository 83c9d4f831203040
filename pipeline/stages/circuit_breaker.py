"""A circuit breaker: it stops a run whose tracker refuses everything.

A ban, a captcha, or a login that lost its rights unseen: otherwise each issue that is left would be asked for
in vain, and counted as failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg

from crawler.errors import CrawlError, LayoutChanged, NotFound, PageRejected, TrackerError
from db.crawl.frontier import mark
from pipeline.stages.state import Fetched, Plan

STREAK = 20  # issues that fail one after the other until somebody looks why


class CircuitBreaker:
    """Counts the issues that fail one after the other.

    Args:
        still_answers: asks the tracker for a list, as the session did when it began; true: there is one.
    """

    def __init__(self, still_answers: Callable[[], Awaitable[bool]]) -> None:
        self._still_answers = still_answers
        self._failed: list[Fetched] = []  # since the last one that did not
        self._threshold = STREAK
        self._is_open = False  # nothing more is asked for
        self._asking = asyncio.Lock()

    async def record(self, fetched: Fetched) -> None:
        """Take note of what became of a reference.

        Raises:
            TrackerError: the tracker refuses everything, its list too.
            LayoutChanged: it does not, but none of its pages can be read.
        """
        if fetched.error is None or isinstance(fetched.error, NotFound):
            self._failed.clear()
            self._threshold = STREAK
            return
        self._failed.append(fetched)
        async with self._asking:
            if self._is_open or len(self._failed) < self._threshold:
                return
            answers = await self._still_answers()
            if len(self._failed) < self._threshold:  # meanwhile another worker had one
                return
            unreadable = all(isinstance(failed.error, PageRejected) for failed in self._failed)
            if answers and not unreadable:
                self._threshold *= 2  # issues that this account may not see: it asks ever more rarely
                return
            self._is_open = True
            raise self._reason(answers, str(fetched.error))

    async def release(self, plan: Plan, fatal: CrawlError | None) -> None:
        """Leave what failed last before the run was stopped to be tried again.

        Args:
            plan: of the run.
            fatal: what stopped it; None: nothing did.
        """
        if fatal is None or isinstance(fatal, LayoutChanged) or not self._failed:
            return
        outcomes: dict[str, tuple[str, str | None]] = {
            failed.item.issue_id: ("pending", None) for failed in self._failed
        }

        async def work(connection: psycopg.AsyncConnection) -> None:
            await plan.claim.hold(connection)
            await mark(connection, session_id=plan.lease.session_id, outcomes=outcomes)

        await plan.loading.run(work)

    def _reason(self, answers: bool, latest: str) -> TrackerError:
        number = len(self._failed)
        if answers:
            return LayoutChanged(
                f"None of the last {number} pages can be read: the tracker's layout may have changed, see "
                f"quarantine list. {latest}"
            )
        return TrackerError(
            f"The tracker refused the last {number} issues and does not list any either: it may have locked "
            "this account or address out; wait before you go on."
        )
