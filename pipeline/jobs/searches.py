"""The search of a scheduled run: begun or taken over, divided into chunks on the way, and let go of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.errors import TrackerError
from db import get_session
from db.crawl.frontier import hold_fence
from db.crawl.progress import SessionProgress, add_progress
from db.in_thread import in_thread
from db.job_queue import defer
from db.models import CrawlSession, Run, SessionChunk
from db.session import driver_connection
from pipeline.attachments.limits import limits_of
from pipeline.jobs.context import WorkerContext
from pipeline.jobs.retry import MAX_ATTEMPTS, RetryLater
from pipeline.jobs.runs import CHUNK, SEARCH, WORKING, settle
from pipeline.jobs.schedules import asked, database_now
from pipeline.jobs.shared_session import CHUNK_SIZE, end_search, end_shared, fail_session, split_chunks
from pipeline.sessions.claim import Claim, add_files
from pipeline.sessions.crawl_session import CrawlRequest, add_session, read_lease
from pipeline.sessions.ending import Ending, Stopper
from pipeline.sessions.since import since_last, with_since_warning


@dataclass(kw_only=True, slots=True)
class SearchClaim(Claim):
    """The search of a session whose chunks others may fetch meanwhile; it holds the session's fence."""

    name: ClassVar = "search"
    searches: ClassVar = True
    fetches: ClassVar = False
    workers: ClassVar = 1

    context: WorkerContext
    split_up_to: int = 0  # references found when chunks were made last

    @property
    def heartbeat(self) -> float:
        """As other workers expect it."""
        return self.context.heartbeat

    async def hold(self, connection: psycopg.AsyncConnection) -> None:
        """Hold the session's fence."""
        await hold_fence(connection, session_id=self.lease.session_id, fence=self.lease.fence)

    async def add_progress(self, connection: psycopg.AsyncConnection, progress: SessionProgress) -> None:
        """Add to the session's totals, if its fence is still ours."""
        await add_progress(
            connection, session_id=self.lease.session_id, fence=self.lease.fence, progress=progress
        )

    def add_files(self, session: Session, fetched: int) -> None:
        """Count attached files, if the session's fence is still ours."""
        add_files(session, self.lease, fetched)

    async def on_found(self, found: int) -> None:
        """Make chunks, and jobs of them, of what was found."""
        if found - self.split_up_to >= CHUNK_SIZE:
            self.split_up_to = found
            await in_thread(split_chunks, self.lease)

    async def end(self, ending: Ending) -> Stopper | None:
        """Make the last chunks; or leave the search to another worker, in good order.

        Raises:
            CrawlError: what ended it, for the task to judge.
            DatabaseError: likewise.
            RetryLater: the worker stops.
        """
        if ending.error is not None:
            raise ending.error
        if ending.status == "interrupted":
            await in_thread(refund_attempt, self.lease.user_id, self.lease.session_id)
            raise RetryLater(0)
        if ending.status == "completed":  # else a defect is on its way to the task
            failed = await in_thread(end_search, self.lease, seconds=ending.seconds, spent=ending.spent)
            self.context.failed_issues += failed
        return None


def take_search(user_id: int, run_id: int, context: WorkerContext) -> SearchClaim | None:
    """Begin a run's session, or go on with its search; whoever searched before can no longer write.

    Args:
        user_id: whose.
        run_id: which run.
        context: of the worker that takes it.

    Returns:
        None: there is nothing to do any more.

    Raises:
        CrawlError: the session cannot be begun.
    """
    prepared = _prepare(user_id, run_id)
    if prepared is None:
        return None
    with get_session(user_id=user_id) as session:
        run = _locked_run(session, user_id, run_id)
        if run is None or run.status not in WORKING:
            return None
        run.attempts += 1
        run.status, run.started_at = "running", run.started_at or database_now(session)
        if run.attempts > MAX_ATTEMPTS:
            raise TrackerError(f"Each of {MAX_ATTEMPTS} tries ended before it was done.")
        # From here on the attempt counts, whatever comes.
        session.commit()
        run = _locked_run(session, user_id, run_id)
        if run is None:
            return None
        tracker_id = run.schedule.tracker_id
        if tracker_id is None:
            raise TrackerError("The schedule has no tracker any more: add it again.")
        driver = driver_connection(session)
        tracker = context.open_tracker(user_id)(driver, tracker_id)
        if run.session_id is None:
            request = with_since_warning(
                replace(prepared, workers=prepared.workers or tracker.concurrency), tracker.kind
            )
            lease = add_session(driver, user_id, tracker_id, request, queue=run.queue)
            run.session_id = lease.session_id
        else:
            row = session.scalars(
                select(CrawlSession)
                .where(CrawlSession.session_id == run.session_id)
                .with_for_update(key_share=True)
            ).one()
            if row.status != "running":  # somebody else has ended it
                settle(session, run)
                return None
            row.fence += 1
            session.flush()
            lease = read_lease(driver, row.session_id)
        return SearchClaim(lease=lease, tracker=tracker, context=context)


def fail_run(user_id: int, run_id: int, error: Stopper) -> None:
    """End a run that cannot go on, and its session where it has one."""
    with get_session(user_id=user_id) as session:
        run = session.get(Run, run_id)
        session_id = None if run is None else run.session_id
    if session_id is not None:
        fail_session(user_id, session_id, error)
    with get_session(user_id=user_id) as session:
        run = _locked_run(session, user_id, run_id)
        if run is not None:
            settle(session, run, error=error)


def restore_lost(user_id: int, run_id: int) -> None:
    """Put back into the queue what a run has left to do and lost its jobs for; one that is over is settled.

    Where two workers see the same loss there are two jobs, of which the fences let one write.
    """
    with get_session(user_id=user_id) as session:
        run = _locked_run(session, user_id, run_id)
        if run is None or run.status not in WORKING:
            return
        row = session.get(CrawlSession, run.session_id) if run.session_id is not None else None
        if row is not None and row.status != "running":
            settle(session, run)
            return
        chunks = session.scalars(
            select(SessionChunk.chunk_number).where(
                SessionChunk.session_id == run.session_id, SessionChunk.state.in_(("waiting", "working"))
            )
        ).all()
        if row is None or not row.search_done:
            defer(session, run.queue, SEARCH, [{"user_id": user_id, "run_id": run_id}])
        elif not chunks:
            # Somebody resumed it in a shell, and that was killed.
            session.refresh(row, with_for_update={"key_share": True})
            end_shared(session, row, "interrupted", TrackerError("Nobody works on it any more: resume it."))
        if row is not None:
            ids = {"user_id": user_id, "session_id": row.session_id}
            defer(session, run.queue, CHUNK, [{**ids, "chunk_number": number} for number in chunks])


def attempts_so_far(user_id: int, run_id: int) -> int:
    """How often a run was begun; 0: it is gone."""
    with get_session(user_id=user_id) as session:
        run = session.get(Run, run_id)
        return 0 if run is None else run.attempts


def refund_attempt(user_id: int, session_id: int) -> None:
    """Take an attempt back: the search was left in good order."""
    with get_session(user_id=user_id) as session:
        run = session.scalar(select(Run).where(Run.session_id == session_id).with_for_update(key_share=True))
        if run is not None and run.attempts > 0:
            run.attempts -= 1


def _prepare(user_id: int, run_id: int) -> CrawlRequest | None:
    """What a run is to ask its tracker: what changed since the last one, where that can be known."""
    with get_session(user_id=user_id) as session:
        run = session.get(Run, run_id)
        if run is None:
            return None
        schedule = run.schedule
        query = asked(schedule)
        since = query.filters.get("since")
        request = CrawlRequest(
            original=schedule.query,
            query=query,
            product=schedule.product or query.filters.get("product"),
            since=None if since is None else datetime.fromisoformat(since + "T00:00+00:00"),
            attachments=bool(schedule.options.get("attachments")),
            limits=limits_of(schedule.options.get("attachment_limits")),
            workers=schedule.options.get("workers") or 0,
        )
        tracker_id = schedule.tracker_id
    if request.since is not None or tracker_id is None:
        return request
    return since_last(user_id, tracker_id, request)


def _locked_run(session: Session, user_id: int, run_id: int) -> Run | None:
    return session.scalar(
        select(Run)
        .where(Run.run_id == run_id, Run.user_id == user_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
