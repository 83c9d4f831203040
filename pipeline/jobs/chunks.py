"""Chunks of a session's frontier: taken, fetched, given back, ended; each in one transaction of the owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import ClassVar

import psycopg
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawler.errors import TrackerError
from crawler.http.stats import ClientStats
from db import get_session
from db.crawl.chunks import hold_chunk
from db.crawl.progress import SessionProgress, add_progress
from db.errors import FenceLost
from db.in_thread import in_thread
from db.log_library import structlog
from db.models import CrawlSession, SessionChunk
from db.session import driver_connection
from pipeline.jobs.context import WorkerContext
from pipeline.jobs.retry import MAX_ATTEMPTS, RetryLater, may_pass, pause_after
from pipeline.jobs.schedules import database_now
from pipeline.jobs.shared_session import end_if_done
from pipeline.sessions.claim import Claim, add_files
from pipeline.sessions.crawl_session import read_lease
from pipeline.sessions.ending import Ending, Stopper, add_spent

MOST_AT_ONCE = 64  # requests of one job, whatever somebody wrote into their tracker's row
TURN = 60.0  # seconds after which a job leaves the session's further chunks to other jobs

log = structlog.get_logger(__name__)


class ChunkBusy(Exception):
    """Somebody else works on the chunk, or did a moment ago."""


@dataclass(kw_only=True, slots=True)
class ChunkClaim(Claim):
    """A chunk of a session's frontier; its own fence tells who works on it."""

    name: ClassVar = "chunk"
    searches: ClassVar = False
    fetches: ClassVar = True

    context: WorkerContext
    number: int
    fence: int  # every batch of the chunk must still hold it
    until: float  # when the worker's turn at the session is over, by the monotonic clock
    has_job: bool  # a job asked for it; else it was taken besides and has a job that counts for itself

    @property
    def heartbeat(self) -> float:
        """As other workers expect it."""
        return self.context.heartbeat

    @property
    def workers(self) -> int:
        """As many requests at once as the session has workers, within reason."""
        return min(self.lease.workers, MOST_AT_ONCE)

    async def hold(self, connection: psycopg.AsyncConnection) -> None:
        """Hold the chunk's fence."""
        await hold_chunk(
            connection, session_id=self.lease.session_id, chunk_number=self.number, fence=self.fence
        )

    async def add_progress(self, connection: psycopg.AsyncConnection, progress: SessionProgress) -> None:
        """Add to the session's totals, if the chunk is still ours."""
        await self.hold(connection)
        await add_progress(connection, session_id=self.lease.session_id, fence=None, progress=progress)

    def add_files(self, session: Session, fetched: int) -> None:
        """Count attached files, if the chunk is still ours."""
        if _held(session, self) is None:
            raise FenceLost("Another process has taken this part of the session over: this one stops.")
        add_files(session, self.lease, fetched, fenced=False)

    async def end(self, ending: Ending) -> Stopper | None:
        """Note that the chunk is done; or give it back, to be tried again later or by another worker.

        Raises:
            CrawlError: what ended it does not pass, or came too often.
            DatabaseError: likewise.
            RetryLater: it may pass, or the worker stops.
        """
        if ending.error is not None:
            await self._give_up(ending.error)
        elif ending.status == "interrupted":
            await in_thread(give_back, self)
            raise RetryLater(0)
        elif ending.status == "completed":  # else a defect is on its way to the task
            await in_thread(end_chunk, self, spent=ending.spent)
        return None

    async def following(self) -> ChunkClaim | None:
        """Claim a further chunk of the session, while there is time."""
        if monotonic() >= self.until or self.context.stopping:
            return None
        lease = self.lease
        return await in_thread(
            take_chunk, lease.user_id, lease.session_id, None, self.context, until=self.until
        )

    async def _give_up(self, error: Stopper) -> None:
        if isinstance(error, FenceLost) or not may_pass(error):
            raise error
        attempts = await in_thread(give_back, self, tried=self.has_job)
        if not self.context.retries(attempts):
            raise error
        log.warning("a part of the session is tried again later", reason=str(error))
        raise RetryLater(pause_after(attempts))


def take_chunk(
    user_id: int, session_id: int, number: int | None, context: WorkerContext, *, until: float | None = None
) -> ChunkClaim | None:
    """Take a chunk; whoever had it before can no longer write.

    Args:
        user_id: whose.
        session_id: of which session.
        number: which one; None: any that waits.
        context: of the worker that takes it.
        until: when the worker's turn at this session is over, by the monotonic clock; None: it begins now.

    Returns:
        None: there is nothing to do any more.

    Raises:
        ChunkBusy: the chunk's holder is alive.
        CrawlError: the chunk has killed too many workers, or the tracker cannot be opened.
    """
    with get_session(user_id=user_id) as session:
        wanted = select(SessionChunk).where(
            SessionChunk.session_id == session_id, SessionChunk.user_id == user_id
        )
        if number is None:
            wanted = (
                wanted.where(SessionChunk.state == "waiting").order_by(SessionChunk.chunk_number).limit(1)
            )
        else:
            wanted = wanted.where(
                SessionChunk.chunk_number == number, SessionChunk.state.in_(("waiting", "working"))
            )
        chunk = session.scalar(wanted.with_for_update(skip_locked=number is None))
        if chunk is None:
            return None
        silent_since = database_now(session) - timedelta(seconds=context.lease_timeout)
        if chunk.state == "working" and chunk.heartbeat_at is not None and chunk.heartbeat_at > silent_since:
            raise ChunkBusy
        row = session.get_one(CrawlSession, session_id)
        if row.status != "running":
            return None
        chunk.attempts += 1
        chunk.fence += 1
        chunk.state, chunk.heartbeat_at = "working", func.clock_timestamp()
        session.commit()  # the attempt counts, whatever comes
        if chunk.attempts > MAX_ATTEMPTS:
            raise TrackerError(
                f"Each of {MAX_ATTEMPTS} workers that took references {chunk.first_position} to "
                f"{chunk.last_position} of the session ended before it was done."
            )
        row = session.get_one(CrawlSession, session_id)
        if row.tracker_id is None:
            raise TrackerError("The session has no tracker any more.")
        return ChunkClaim(
            lease=read_lease(driver_connection(session), session_id),
            tracker=context.open_tracker(user_id)(driver_connection(session), row.tracker_id),
            context=context,
            number=chunk.chunk_number,
            fence=chunk.fence,
            positions=(chunk.first_position, chunk.last_position),
            until=monotonic() + TURN if until is None else until,
            has_job=number is not None,
        )


def give_back(claim: ChunkClaim, *, tried: bool = False) -> int:
    """Leave a chunk to others; what was committed of it stays.

    Args:
        claim: of the chunk.
        tried: this counts as an attempt.

    Returns:
        How often it was attempted.
    """
    with get_session(user_id=claim.lease.user_id) as session:
        chunk = _held(session, claim)
        if chunk is None:
            return 0
        chunk.state = "waiting"
        if not tried:
            chunk.attempts -= 1
        return chunk.attempts


def end_chunk(claim: ChunkClaim, *, spent: ClientStats) -> None:
    """Note that a chunk is done; with the last one the session ends, by exactly one worker.

    Raises:
        FenceLost: another process holds the chunk.
    """
    with get_session(user_id=claim.lease.user_id) as session:
        chunk = _held(session, claim)
        if chunk is None:
            raise FenceLost("Another process has taken this part of the session over: this one stops.")
        chunk.state = "done"
        session.flush()
        row = session.scalars(
            select(CrawlSession)
            .where(CrawlSession.session_id == claim.lease.session_id)
            .with_for_update(key_share=True)
        ).one()
        add_spent(row, spent)
        claim.context.failed_issues += end_if_done(session, row)


def _held(session: Session, claim: ChunkClaim) -> SessionChunk | None:
    return session.scalar(
        select(SessionChunk)
        .where(
            SessionChunk.session_id == claim.lease.session_id,
            SessionChunk.chunk_number == claim.number,
            SessionChunk.fence == claim.fence,
            SessionChunk.state == "working",
        )
        .with_for_update()
    )
