"""The tasks of a worker: search for a run, fetch chunks of a session, tell what is new.

A task keeps its word whatever happens: either what it stands for is done or failed for good, or the job is
put back. No error of a tracker, of the database or of ours reaches the queue.
"""

from __future__ import annotations

from collections.abc import Awaitable

from procrastinate import App

from db.errors import FenceLost, IdentityRefused
from db.in_thread import in_thread
from db.log_library import structlog
from pipeline.jobs.alerts import tell_new_hits
from pipeline.jobs.chunks import ChunkBusy, take_chunk
from pipeline.jobs.context import WorkerContext
from pipeline.jobs.retry import (
    FIRST_PAUSE,
    RetryLater,
    RetryOnRequest,
    as_crawl_error,
    may_pass,
    pause_after,
)
from pipeline.jobs.runs import ALERT, CHUNK, SEARCH, TELL
from pipeline.jobs.searches import attempts_so_far, fail_run, take_search
from pipeline.jobs.shared_session import fail_session
from pipeline.jobs.tell import tell

log = structlog.get_logger(__name__)


def add_tasks(app: App, context: WorkerContext) -> None:
    """Tell the queue what to do with each kind of job."""

    @app.task(name=SEARCH, retry=RetryOnRequest())
    async def search(user_id: int, run_id: int) -> None:
        await _guarded(search_for_run(context, user_id, run_id))

    @app.task(name=CHUNK, retry=RetryOnRequest())
    async def chunk(user_id: int, session_id: int, chunk_number: int) -> None:
        await _guarded(fetch_chunk(context, user_id, session_id, chunk_number))

    @app.task(name=TELL, retry=RetryOnRequest())
    async def news(user_id: int, run_id: int) -> None:
        await _guarded(tell(context, user_id, run_id))

    @app.task(name=ALERT, retry=RetryOnRequest())
    async def alert(user_id: int, saved_search_id: int) -> None:
        await _guarded(tell_new_hits(context, user_id, saved_search_id))


async def search_for_run(context: WorkerContext, user_id: int, run_id: int) -> None:
    """Begin a run's session and fill its frontier, or go on with that; its chunks become jobs on the way."""
    try:
        claim = await in_thread(take_search, user_id, run_id, context)
        if claim is not None:
            await context.conductor.work_on(claim)
    except FenceLost:
        log.info("somebody else goes on with this search", run=run_id)
    except RetryLater:
        raise
    except Exception as raised:
        error = as_crawl_error(raised)
        attempts = await in_thread(attempts_so_far, user_id, run_id) if may_pass(error) else 0
        if attempts and context.retries(attempts):
            log.warning("the search is tried again later", run=run_id, reason=str(error))
            raise RetryLater(pause_after(attempts)) from None
        await in_thread(fail_run, user_id, run_id, error)
        context.failures.append(error)
        log.warning("a run failed", run=run_id, reason=str(error))


async def fetch_chunk(context: WorkerContext, user_id: int, session_id: int, chunk_number: int) -> None:
    """Fetch one chunk of a session, and further ones while there is time."""
    try:
        claim = await in_thread(take_chunk, user_id, session_id, chunk_number, context)
        if claim is not None:
            await context.conductor.work_on(claim)
    except ChunkBusy:
        # Its holder may yet die: this job stays as long as the chunk is not done.
        raise RetryLater(max(1.0, context.lease_timeout / 4)) from None
    except FenceLost:
        log.info("somebody else works on this part", chunk=chunk_number)
    except RetryLater:
        raise
    except Exception as raised:
        error = as_crawl_error(raised)
        await in_thread(fail_session, user_id, session_id, error)
        context.failures.append(error)
        log.warning("a session failed", reason=str(error))


async def _guarded(doing: Awaitable[None]) -> None:
    """Have a job done; where even its failure could not be noted, it is put back."""
    try:
        await doing
    except RetryLater:
        raise
    except IdentityRefused:
        log.warning("a job of a user who is not active is let go")
    except Exception as error:
        log.error("a job is put back", reason=str(as_crawl_error(error)))
        raise RetryLater(FIRST_PAUSE) from None
