"""The feed and the workers: pending references become records, or the reason why not."""

from __future__ import annotations

import psycopg

from crawler.errors import CrawlError, Forbidden, ItemError, NotFound
from crawler.records import IssueRecord
from crawler.source import Reference
from db.crawl.frontier import Pending, take_pending
from db.sanitize import INTEGER_MAX
from pipeline.crawl_session import BEYOND_LIMIT
from pipeline.stages.circuit_breaker import Circuit
from pipeline.stages.state import Belt, Fetched, Mark, Plan
from pipeline.stages.translate import to_row

FEED = 200  # references taken from the frontier at a time


async def feed(plan: Plan, belt: Belt) -> None:
    """Hand the frontier's pending references to the workers until there are no more to come."""
    position = plan.chunk.first_position - 1 if plan.chunk is not None else -1
    while not belt.stop.is_set() and not _is_full(plan, belt):
        # Asked before the frontier is read: what is added between the two is found in the next round.
        no_more = belt.counts.search_done and (belt.in_flight == 0 or not plan.handle.crawl_related)
        pending = await _take(plan, position)
        for item in pending:
            if belt.stop.is_set() or _is_full(plan, belt):
                break
            belt.in_flight += 1
            await belt.todo.put(item)
            position = item.position
        if not pending:
            if no_more:
                break
            await _wait(belt)
    for _ in range(belt.workers):
        await belt.todo.put(None)


async def _wait(belt: Belt) -> None:
    """Wait until the frontier may have grown: by the search, or by related issues that are committed."""
    belt.idle = belt.counts.search_done
    if belt.idle:
        await belt.done.put(Mark.FLUSH)
    await belt.news.wait()
    belt.news.clear()
    belt.idle = False


async def work(plan: Plan, belt: Belt, circuit: Circuit) -> None:
    """Fetch and parse one reference after the other."""
    while (item := await belt.todo.get()) is not None:
        if belt.fatal is not None:
            continue
        try:
            fetched = await _fetch(plan, belt, item)
            belt.keep_within(plan)
            await belt.done.put(fetched)
            await circuit.pass_on(fetched)
        except CrawlError as error:
            belt.end(error)


def _is_full(plan: Plan, belt: Belt) -> bool:
    return plan.issue_limit is not None and belt.accepted >= plan.issue_limit


def _refusal(plan: Plan, belt: Belt, record: IssueRecord) -> str | None:
    if (refusal := plan.selection.refusal(record)) is not None:
        return refusal
    if _is_full(plan, belt):
        return BEYOND_LIMIT
    belt.accepted += 1
    return None


async def _take(plan: Plan, position: int) -> list[Pending]:
    async def take(connection: psycopg.AsyncConnection) -> list[Pending]:
        return await take_pending(
            connection,
            session_id=plan.handle.session_id,
            after_position=position,
            last_position=plan.chunk.last_position if plan.chunk is not None else INTEGER_MAX,
            limit=FEED,
        )

    return await plan.searching.run(take)


async def _fetch(plan: Plan, belt: Belt, item: Pending) -> Fetched:
    reference = Reference(issue_id=item.issue_id, url=item.url, listed=item.listed)
    (outcome,) = await plan.source.fetch([reference])
    if isinstance(outcome, NotFound | Forbidden) and item.reason == "census":
        return Fetched(item=item, removal="deleted" if isinstance(outcome, NotFound) else "denied")
    if isinstance(outcome, ItemError):
        return Fetched(item=item, error=outcome)
    record = outcome.record
    refusal = _refusal(plan, belt, record) if item.reason == "search" else None
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
