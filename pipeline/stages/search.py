"""The search stage: the tracker's hits go into the frontier, page by page, with the cursor to go on from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from time import monotonic

import psycopg

from crawler.errors import CrawlError
from crawler.source import SearchPage
from db.crawl.census import add_missing, settle_known
from db.crawl.frontier import Found, add_references
from pipeline.crawl_session import Handle
from pipeline.stages.state import Belt, Plan

GATHERED = 100  # references in a transaction of the search, where pages are small
GATHERED_SECONDS = 0.5  # that a reference waits at most for others


async def search(plan: Plan, belt: Belt) -> None:
    """Fill the frontier until the tracker has no more hits, or until the belt stops."""
    handle = plan.handle
    if not handle.search_done:
        pages = plan.source.search(
            handle.tree,
            product=handle.product,
            since=handle.since,
            limit=plan.search_limit,
            cursor=handle.search_cursor,
        )
        try:
            async for page in _gathered(pages):
                added = await plan.searching.run(partial(_keep, handle, page))
                belt.counts.found += added
                belt.listed += added
                belt.counts.tracker_total = (
                    page.total if page.total is not None else belt.counts.tracker_total
                )
                belt.tell()
                belt.keep_within(plan)
                if belt.fatal is not None:
                    return
                if belt.stop.is_set() and page.cursor is not None:
                    return
        except CrawlError as error:
            belt.end(error)
            return
    if handle.census:
        await plan.searching.run(lambda c: add_missing(c, handle.scope, fence=handle.fence))
    belt.counts.search_done = True
    belt.tell()


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


async def _keep(handle: Handle, page: SearchPage, connection: psycopg.AsyncConnection) -> int:
    added = await add_references(
        connection,
        session_id=handle.session_id,
        user_id=handle.user_id,
        fence=handle.fence,
        references=[Found(ref.issue_id, ref.url, dict(ref.listed)) for ref in page.references],
        cursor=page.cursor,
        done=page.cursor is None,
        total=page.total,
    )
    if handle.census:
        await settle_known(connection, handle.scope, [ref.issue_id for ref in page.references])
    return added
