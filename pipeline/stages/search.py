"""The search stage: the tracker's hits go into the frontier, page by page, with the cursor to go on from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from time import monotonic

import psycopg

from crawler.errors import CrawlError
from crawler.source import SearchPage
from db.crawl.census import add_missing, settle_known
from db.crawl.frontier import Added, Found, add_references
from db.crawl.progress import SessionProgress
from pipeline.stages.state import Plan, RunState

GATHERED = 100  # references in a transaction of the search, where pages are small
LOOK_EVERY = 0.1  # seconds, for the end of the search
GATHERED_SECONDS = 0.5  # that a reference waits at most for others


async def search(plan: Plan, state: RunState) -> None:
    """Fill the frontier until the tracker has no more hits, or until the run stops."""
    lease = plan.lease
    if not lease.search_done:
        pages = plan.tracker.search(
            lease.tree,
            product=lease.product,
            since=lease.since,
            limit=plan.search_limit,
            cursor=lease.search_cursor,
        )
        counts = state.counts
        try:
            async for page in _gathered(pages):
                added = await plan.searching.run(partial(_keep, plan, page))
                counts.found += added.new
                counts.unchanged += added.unchanged
                counts.tracker_total = page.total if page.total is not None else counts.tracker_total
                state.listed += added.new
                state.tell()
                await plan.claim.on_found(counts.found)
                state.keep_within(plan)
                if state.fatal is not None:
                    return
                if state.stop.is_set() and page.cursor is not None:
                    return
        except CrawlError as error:
            state.end(error)
            return
    if lease.census:
        await plan.searching.run(lambda c: add_missing(c, lease.scope, fence=lease.fence))
    state.counts.search_done = True
    state.tell()


async def still_answers(plan: Plan, state: RunState) -> bool:
    """Tell whether the tracker still gives the list that it gave when the session began."""
    # Many a tracker keeps what is searched with the login: two searches at once would mix. Nobody tells
    # when the first one is over.
    while not state.counts.search_done and not state.stop.is_set():  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY)
    if state.fatal is not None:
        return False
    lease = plan.lease
    pages = plan.tracker.search(lease.tree, product=lease.product, since=lease.since, limit=1, cursor=None)
    try:
        async for page in pages:
            return bool(page.references)
    except CrawlError:
        pass
    return False


async def _gathered(pages: AsyncIterator[SearchPage]) -> AsyncIterator[SearchPage]:
    """Put small pages together, since each costs a transaction; the first comes at once, none waits long."""
    waiting: list[SearchPage] = []
    deadline = 0.0
    try:
        async for page in pages:
            waiting.append(page)
            size = sum(len(each.references) for each in waiting)
            if page.cursor is None or size >= GATHERED or monotonic() >= deadline:
                yield _joined(waiting)
                waiting.clear()
                deadline = monotonic() + GATHERED_SECONDS
    except CrawlError:
        if waiting:
            yield _joined(waiting)
        raise


def _joined(pages: list[SearchPage]) -> SearchPage:
    references = tuple(reference for page in pages for reference in page.references)
    return SearchPage(references=references, cursor=pages[-1].cursor, total=pages[-1].total)


async def _keep(plan: Plan, page: SearchPage, connection: psycopg.AsyncConnection) -> Added:
    lease = plan.lease
    added = await add_references(
        connection,
        session_id=lease.session_id,
        user_id=lease.user_id,
        fence=lease.fence,
        references=[Found(ref.issue_id, ref.url, dict(ref.listed), ref.modified) for ref in page.references],
        cursor=page.cursor,
        done=page.cursor is None,
        total=page.total,
        tracker_id=lease.tracker_id,
        settles_after=plan.settles_after,
    )
    if added.unchanged:
        progress = SessionProgress(issues_crawled=added.unchanged, issues_unchanged=added.unchanged)
        await plan.claim.add_progress(connection, progress)
    if lease.census and not plan.features.unseen_changes:
        await settle_known(connection, lease.scope, [ref.issue_id for ref in page.references])
    return added
