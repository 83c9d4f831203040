"""The feed and the fetch workers: pending references become records, or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from crawler.errors import CrawlError, Forbidden, ItemError, NotFound
from crawler.records import IssueRecord
from crawler.source import Reference
from db.crawl.frontier import Pending, take_pending
from db.rows import SameIssueRow
from pipeline.sessions.ending import BEYOND_LIMIT
from pipeline.stages.circuit_breaker import CircuitBreaker
from pipeline.stages.state import Fetched, Plan, RunState
from pipeline.stages.translate import to_row
from pipeline.trackers.process import Outcome, SameIssue

FEED = 200  # references taken from the frontier at a time


async def feed(plan: Plan, state: RunState) -> None:
    """Hand the frontier's pending references to the workers until there are no more to come."""
    first, last = plan.claim.positions
    position = first - 1
    while not state.stop.is_set() and not state.is_full(plan.issue_limit):
        # Asked before the frontier is read: what is added between the two is found in the next round.
        no_more = state.counts.search_done and (state.is_settled or not plan.lease.crawl_related)
        pending = await _take(plan, position, last)
        size = plan.features.batch_size
        for start in range(0, len(pending), size):
            if state.stop.is_set() or state.is_full(plan.issue_limit):
                break
            references = pending[start : start + size]
            await state.hand_out(references)
            position = references[-1].position
        if not pending:
            if no_more:
                break
            await state.wait_for_news()
    for _ in range(state.workers):
        await state.todo.put(None)


async def fetch_worker(plan: Plan, state: RunState, breaker: CircuitBreaker) -> None:
    """Fetch and parse what the feed hands out, until it has nothing more."""
    while (items := await state.todo.get()) is not None:
        if state.fatal is not None:
            continue
        try:
            outcomes = await _fetch(plan, state, items)
            state.keep_within(plan)
            for fetched in outcomes:
                await state.done.put(fetched)
            for fetched in outcomes:
                await breaker.record(fetched)
        except CrawlError as error:
            state.end(error)


async def _take(plan: Plan, after: int, last: int) -> list[Pending]:
    async def take(connection: psycopg.AsyncConnection) -> list[Pending]:
        return await take_pending(
            connection,
            session_id=plan.lease.session_id,
            after_position=after,
            last_position=last,
            limit=FEED,
            compares=plan.compares,
        )

    return await plan.searching.run(take)


async def _fetch(plan: Plan, state: RunState, items: Sequence[Pending]) -> list[Fetched]:
    references = [_reference(item) for item in items]
    outcomes = await plan.tracker.fetch(references)
    return [_judged(plan, state, item, outcome) for item, outcome in zip(items, outcomes, strict=True)]


def _reference(item: Pending) -> Reference:
    return Reference(issue_id=item.issue_id, url=item.url, listed=item.listed, kept=item.kept)


def _judged(plan: Plan, state: RunState, item: Pending, outcome: Outcome) -> Fetched:
    """What the outcome means to this session: something to store, to leave out, or a failure."""
    if isinstance(outcome, ItemError):
        if item.reason == "census" and isinstance(outcome, NotFound | Forbidden):
            return Fetched(item=item, removal="deleted" if isinstance(outcome, NotFound) else "denied")
        return Fetched(item=item, error=outcome)
    if isinstance(outcome, SameIssue):
        same = SameIssueRow(item.issue_id, item.position, crawl_duration_ms=outcome.milliseconds)
        return Fetched(item=item, same=same)
    record = outcome.record
    refusal = _refusal(plan, state, record) if item.reason == "search" else None
    if refusal is not None:
        return Fetched(item=item, refusal=refusal)
    moved = item.reason == "census" and record.issue_id != item.issue_id
    return Fetched(
        item=item,
        removal=f"moved to {record.issue_id}" if moved else None,
        row=to_row(record, outcome.pages, position=item.position, crawl_duration_ms=outcome.milliseconds),
        warnings=record.warnings,
        comments_announced=record.comments_announced or 0,
        history_announced=record.history_announced or 0,
    )


def _refusal(plan: Plan, state: RunState, record: IssueRecord) -> str | None:
    if (refusal := plan.selection.refusal(record)) is not None:
        return refusal
    return None if state.accept(plan.issue_limit) else BEYOND_LIMIT
