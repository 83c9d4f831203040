"""The load stage: what was fetched is committed in batches, each with its place in the frontier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg

from crawler.http.stats import ClientStats
from db.crawl.frontier import Found, add_related, mark, still_pending
from db.crawl.progress import ErrorRow, SessionProgress, add_errors, quarantine
from db.loader import BatchResult, analyze_due, load_batch
from db.queries import statements
from pipeline.logs import told
from pipeline.stages.batch_policy import BatchPolicy
from pipeline.stages.drift import DriftGuard
from pipeline.stages.state import Fetched, Mark, Plan, RunState
from pipeline.stages.translate import to_page_rows

Outcomes = dict[str, tuple[str, str | None]]  # issue_id to (frontier state, why)


async def load(plan: Plan, state: RunState) -> None:
    """Commit batches until the workers have ended."""
    number = 0
    guard = DriftGuard(plan)
    async for batch in _batches(state, guard, BatchPolicy()):
        number += 1
        await guard.check(batch)
        await _Batch(plan, state, batch).store()
        state.settle(len(batch))
        if analyze_due(number):
            await plan.searching.run(_analyze)


async def _batches(
    state: RunState, guard: DriftGuard, policy: BatchPolicy[Fetched]
) -> AsyncIterator[list[Fetched]]:
    clock = asyncio.get_running_loop().time
    got: Fetched | Mark | None = None

    async def is_held(size: int = 0) -> bool:
        """Whether the batch looks odd and should wait for further issues."""
        if not policy.fits(size, held=True) or not await guard.wants_more(policy.items):
            return False
        policy.hold(clock())
        return True

    while got is not Mark.END:
        try:
            async with asyncio.timeout_at(policy.deadline):
                got = await state.done.get()
        except TimeoutError:
            got = None
        if isinstance(got, Fetched):
            size = got.size
            if not policy.fits(size) and not await is_held(size):
                yield policy.take()
            policy.add(got, size, clock())
        is_urgent = isinstance(got, Mark) or state.is_last(len(policy))
        is_due = got is None or policy.is_due(clock())
        if policy.items and (is_urgent or (is_due and not await is_held())):
            yield policy.take()


async def _analyze(connection: psycopg.AsyncConnection) -> None:
    await connection.execute(statements("loading")["analyze"])


class _Batch:
    """One transaction of the loader, which may be run again after a fault that passes."""

    def __init__(self, plan: Plan, state: RunState, batch: list[Fetched]) -> None:
        self._plan = plan
        self._lease = plan.lease
        self._state = state
        self._batch = batch
        self._spent = plan.tracker.stats.take()  # requests since the last batch
        self._tries = 0
        self._tried: tuple[Outcomes, int] = ({}, 0)  # what the latest try came to, its commit left aside

    async def store(self) -> None:
        """Commit the batch, then count it."""
        outcomes, related = await self._plan.loading.run(self._commit)
        counts = self._state.counts
        for state, detail in outcomes.values():
            counts.add(state, detail)
        counts.related += related
        self._state.listed += related
        self._state.keep_within(self._plan)

    async def _commit(self, connection: psycopg.AsyncConnection) -> tuple[Outcomes, int]:
        lease = self._lease
        batch = await self._left(connection)
        if not batch:  # it was committed after all
            return self._tried
        result = await load_batch(
            connection,
            user_id=lease.user_id,
            tracker_id=lease.tracker_id,
            session_id=lease.session_id,
            rows=[fetched.row for fetched in batch if fetched.row is not None],
            same=[fetched.same for fetched in batch if fetched.same is not None],
        )
        outcomes = {fetched.item.issue_id: _outcome(fetched, result) for fetched in batch}
        quarantined = await self._quarantine(connection, batch)
        await add_errors(
            connection,
            user_id=lease.user_id,
            session_id=lease.session_id,
            errors=[error for fetched in batch for error in _errors(fetched, result)],
        )
        related = await self._add_related(connection, batch)
        await mark(connection, session_id=lease.session_id, outcomes=outcomes)
        progress = _progress(batch, outcomes, result, self._spent, related, quarantined)
        await self._plan.claim.add_progress(connection, progress)
        self._tried = outcomes, related
        return self._tried

    async def _left(self, connection: psycopg.AsyncConnection) -> list[Fetched]:
        """The part of the batch that is not committed yet: a commit may have gone through unanswered."""
        self._tries += 1
        if self._tries == 1:
            return self._batch
        pending = await still_pending(
            connection,
            session_id=self._lease.session_id,
            issue_ids=[fetched.item.issue_id for fetched in self._batch],
        )
        return [fetched for fetched in self._batch if fetched.item.issue_id in pending]

    async def _quarantine(self, connection: psycopg.AsyncConnection, batch: list[Fetched]) -> int:
        kept = 0
        for fetched in batch:
            if fetched.error is not None and (pages := fetched.rejected):
                kept += await quarantine(
                    connection,
                    user_id=self._lease.user_id,
                    tracker_id=self._lease.tracker_id,
                    session_id=self._lease.session_id,
                    issue_id=fetched.item.issue_id,
                    pages=to_page_rows(pages),
                    reason=told(fetched.error),
                )
        return kept

    async def _add_related(self, connection: psycopg.AsyncConnection, batch: list[Fetched]) -> int:
        if not self._lease.crawl_related:
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
            session_id=self._lease.session_id,
            user_id=self._lease.user_id,
            references=references,
        )


def _outcome(fetched: Fetched, result: BatchResult) -> tuple[str, str | None]:
    if fetched.error is not None:
        return "failed", told(fetched.error)
    if fetched.refusal is not None:
        return "skipped", fetched.refusal
    issue_id = _stored_as(fetched)
    is_stored = fetched.row is not None or fetched.same is not None
    state = result.outcomes[issue_id] if is_stored else "removed"
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
    spent: ClientStats,
    related: int,
    quarantined: int,
) -> SessionProgress:
    states = [state for state, _ in outcomes.values()]
    # Two numbers may have led to one issue, which is stored once.
    once = {_stored_as(fetched): fetched for fetched in batch}.values()
    return SessionProgress(
        issues_crawled=sum(state in ("new", "changed", "unchanged") for state in states),
        issues_new=states.count("new"),
        issues_changed=states.count("changed"),
        issues_unchanged=states.count("unchanged"),
        failed_issues=states.count("failed"),
        skipped_issues=states.count("skipped"),
        related_issues=related,
        # The pages that announced them are the same: those are here that were announced then.
        comments_announced=result.same_comments + sum(fetched.comments_announced for fetched in once),
        comments_stored=result.comments_stored,
        history_announced=result.same_history + sum(fetched.history_announced for fetched in once),
        history_stored=result.history_stored,
        pages_kept=result.pages_kept + quarantined,
        requests=spent.requests,
        retries=spent.retries,
        bytes_received=spent.bytes,
        wait_seconds=spent.wait_seconds,
    )
