"""The load stage: what was fetched is committed in batches, each with its place in the frontier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg

from crawler.errors import PageRejected
from crawler.http.stats import Stats
from db.crawl.chunks import hold_chunk
from db.crawl.frontier import Found, add_related, mark, still_pending
from db.crawl.progress import ErrorRow, Progress, add_errors, add_progress, quarantine
from db.loader import BatchResult, analyze_due, load_batch
from db.queries import statements
from pipeline.logs import told
from pipeline.stages.drift import DriftGuard
from pipeline.stages.state import Belt, Fetched, Mark, Plan
from pipeline.stages.translate import to_page_rows

BATCH_ISSUES = 400  # more gains nothing measurable and holds locks and memory longer
BATCH_BYTES = 6 * 2**20  # of raw pages: what a batch may hold of memory, whatever the pages are
HELD_BYTES = 5 * BATCH_BYTES  # likewise, of a batch that looks odd and waits for further issues
BATCH_SECONDS = 2.0  # a slow tracker's issues show up in the database this soon

Outcomes = dict[str, tuple[str, str | None]]  # issue_id to (frontier state, why)


async def load(plan: Plan, belt: Belt) -> None:
    """Commit batches until the workers have ended."""
    number = 0
    guard = DriftGuard(plan)
    async for batch in _batches(belt, guard):
        number += 1
        await guard.check(batch)
        await _Batch(plan, belt, batch).store()
        belt.in_flight -= len(batch)
        belt.tell()
        if analyze_due(number):
            await plan.searching.run(_analyze)


async def _batches(belt: Belt, guard: DriftGuard) -> AsyncIterator[list[Fetched]]:
    batch: list[Fetched] = []
    size = 0
    deadline = 0.0
    got: Fetched | Mark | None = None
    while got is not Mark.END:
        try:
            async with asyncio.timeout_at(deadline if batch else None):
                got = await belt.done.get()
        except TimeoutError:
            got = None
        if isinstance(got, Fetched):
            if not batch:
                deadline = asyncio.get_running_loop().time() + BATCH_SECONDS
            batch.append(got)
            size += sum(len(page.body) for page in got.row.pages) if got.row else 0
        full = len(batch) >= BATCH_ISSUES or size >= BATCH_BYTES or got is None
        waited_for = belt.idle and len(batch) == belt.in_flight
        urgent = waited_for or isinstance(got, Mark)
        if full and not urgent and size < HELD_BYTES and await guard.wants_more(batch):
            deadline = asyncio.get_running_loop().time() + BATCH_SECONDS
        elif batch and (full or urgent):
            yield batch
            batch, size = [], 0


async def _analyze(connection: psycopg.AsyncConnection) -> None:
    await connection.execute(statements("loading")["analyze"])


class _Batch:
    """One transaction of the loader, which may be run again after a fault that passes."""

    def __init__(self, plan: Plan, belt: Belt, batch: list[Fetched]) -> None:
        self._plan = plan
        self._handle = plan.handle
        self._belt = belt
        self._batch = batch
        self._spent = plan.meter.take()  # requests since the last batch
        self._tries = 0
        self._tried: tuple[Outcomes, int] = ({}, 0)  # what the latest try came to, its commit left aside

    async def store(self) -> None:
        """Commit the batch, then count it."""
        outcomes, related = await self._plan.loading.run(self._commit)
        counts = self._belt.counts
        for state, detail in outcomes.values():
            counts.add(state, detail)
        counts.related += related
        self._belt.listed += related
        self._belt.keep_within(self._plan)

    async def _commit(self, connection: psycopg.AsyncConnection) -> tuple[Outcomes, int]:
        handle, chunk = self._handle, self._plan.chunk
        if chunk is not None:
            await hold_chunk(
                connection, session_id=handle.session_id, chunk_number=chunk.number, fence=chunk.fence
            )
        batch = await self._left(connection)
        if not batch:  # it was committed after all
            return self._tried
        result = await load_batch(
            connection,
            user_id=handle.user_id,
            tracker_id=handle.tracker_id,
            session_id=handle.session_id,
            rows=[fetched.row for fetched in batch if fetched.row is not None],
        )
        outcomes = {fetched.item.issue_id: _outcome(fetched, result) for fetched in batch}
        quarantined = await self._quarantine(connection, batch)
        await add_errors(
            connection,
            user_id=handle.user_id,
            session_id=handle.session_id,
            errors=[error for fetched in batch for error in _errors(fetched, result)],
        )
        related = await self._add_related(connection, batch)
        await mark(connection, session_id=handle.session_id, outcomes=outcomes)
        progress = _progress(batch, outcomes, result, self._spent, related, quarantined)
        fence = handle.fence if chunk is None else None
        await add_progress(connection, session_id=handle.session_id, fence=fence, progress=progress)
        self._tried = outcomes, related
        return self._tried

    async def _left(self, connection: psycopg.AsyncConnection) -> list[Fetched]:
        """The part of the batch that is not committed yet: a commit may have gone through unanswered."""
        self._tries += 1
        if self._tries == 1:
            return self._batch
        pending = await still_pending(
            connection,
            session_id=self._handle.session_id,
            issue_ids=[fetched.item.issue_id for fetched in self._batch],
        )
        return [fetched for fetched in self._batch if fetched.item.issue_id in pending]

    async def _quarantine(self, connection: psycopg.AsyncConnection, batch: list[Fetched]) -> int:
        kept = 0
        for fetched in batch:
            if isinstance(fetched.error, PageRejected) and fetched.error.pages:
                kept += await quarantine(
                    connection,
                    user_id=self._handle.user_id,
                    tracker_id=self._handle.tracker_id,
                    session_id=self._handle.session_id,
                    issue_id=fetched.item.issue_id,
                    pages=to_page_rows(fetched.error.pages),
                    reason=told(fetched.error),
                )
        return kept

    async def _add_related(self, connection: psycopg.AsyncConnection, batch: list[Fetched]) -> int:
        if not self._handle.crawl_related:
            return 0
        # One step away only: relations of relations would soon be the whole tracker.
        references = [
            Found(relation.related_issue_id, None, {})
            for fetched in batch
            if fetched.row is not None and fetched.item.reason == "search"
            for relation in fetched.row.relations
        ]
        return await add_related(
            connection,
            session_id=self._handle.session_id,
            user_id=self._handle.user_id,
            references=references,
        )


def _outcome(fetched: Fetched, result: BatchResult) -> tuple[str, str | None]:
    if fetched.error is not None:
        return "failed", told(fetched.error)
    if fetched.refusal is not None:
        return "skipped", fetched.refusal
    issue_id = _stored_as(fetched)
    state = result.outcomes[issue_id] if fetched.row is not None else "removed"
    if fetched.removal is not None and state != "failed":
        return "removed", fetched.removal
    return state, result.details.get(issue_id) if state == "failed" else None


def _stored_as(fetched: Fetched) -> str:
    """The number under which an issue is stored: a moved one's page has its new one."""
    return fetched.item.issue_id if fetched.row is None else fetched.row.issue_id


def _errors(fetched: Fetched, result: BatchResult) -> list[ErrorRow]:
    issue_id = _stored_as(fetched)
    if fetched.error is not None:
        return [
            ErrorRow(error_type=type(fetched.error).__name__, message=told(fetched.error), issue_id=issue_id)
        ]
    errors = [
        ErrorRow(error_type="ParseWarning", severity="warning", message=warning, issue_id=issue_id)
        for warning in fetched.warnings
    ]
    if issue_id in result.details:
        failed = result.outcomes.get(issue_id) == "failed"
        errors.append(
            ErrorRow(
                error_type="RowRefused" if failed else "CellMended",
                severity="error" if failed else "warning",
                message=result.details[issue_id],
                issue_id=issue_id,
            )
        )
    return errors


def _progress(
    batch: list[Fetched],
    outcomes: Outcomes,
    result: BatchResult,
    spent: Stats,
    related: int,
    quarantined: int,
) -> Progress:
    states = [state for state, _ in outcomes.values()]
    # Two numbers may have led to one issue, which is stored once.
    once = {_stored_as(fetched): fetched for fetched in batch}.values()
    return Progress(
        issues_crawled=sum(state in ("new", "changed", "unchanged") for state in states),
        issues_new=states.count("new"),
        issues_changed=states.count("changed"),
        issues_unchanged=states.count("unchanged"),
        failed_issues=states.count("failed"),
        skipped_issues=states.count("skipped"),
        related_issues=related,
        comments_announced=sum(fetched.comments_announced for fetched in once),
        comments_stored=result.comments_stored,
        history_announced=sum(fetched.history_announced for fetched in once),
        history_stored=result.history_stored,
        pages_kept=result.pages_kept + quarantined,
        requests=spent.requests,
        retries=spent.retries,
        bytes_received=spent.bytes,
        wait_seconds=spent.wait_seconds,
    )
