"""A session that workers share: divided into chunks, and ended by exactly one of them.

The locks are taken in one order, a chunk before its session, so that workers wait for each other and never in
a circle. Whatever must not be lost is noted together with the job that does it.
"""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crawler.http.stats import ClientStats
from db import get_session
from db.errors import FenceLost
from db.job_queue import defer
from db.models import CrawlSession, Run, SessionChunk, SessionFrontier
from db.queries import statements
from db.session import driver_connection
from pipeline.jobs.runs import CHUNK, settle
from pipeline.jobs.schedules import database_now
from pipeline.sessions.crawl_session import SessionLease, drop_chunks
from pipeline.sessions.ending import Ending, Stopper, add_spent, close

CHUNK_SIZE = 100  # references: what is lost when a worker dies, and what a worker takes at a time


def split_chunks(lease: SessionLease) -> None:
    """Make chunks of what the search has found since, and jobs of them.

    Raises:
        FenceLost: another process holds the search.
    """
    with get_session(user_id=lease.user_id) as session:
        _split(session, _held(session, lease), rest=False)


def end_search(lease: SessionLease, *, seconds: float, spent: ClientStats) -> int:
    """Make the last chunks; the session ends here if there is nothing to fetch.

    Returns:
        As :func:`end_if_done`.

    Raises:
        FenceLost: another process holds the search.
    """
    with get_session(user_id=lease.user_id) as session:
        row = _held(session, lease)
        row.search_time_ms = (row.search_time_ms or 0) + round(seconds * 1000)
        add_spent(row, spent)
        _split(session, row, rest=True)
        return end_if_done(session, row)


def end_if_done(session: Session, row: CrawlSession) -> int:
    """End the session when all is found and nothing is left; its row is locked: one process sees it.

    Returns:
        How many of its issues failed; 0 where it goes on.
    """
    session.flush()
    undone = select(SessionChunk.chunk_number).where(
        SessionChunk.session_id == row.session_id, SessionChunk.state.in_(("waiting", "working"))
    )
    pending = select(SessionFrontier.position).where(
        SessionFrontier.session_id == row.session_id, SessionFrontier.state == "pending"
    )
    if row.status != "running" or not row.search_done:
        return 0
    if session.scalar(select(or_(undone.exists(), pending.exists()))):
        return 0
    end_shared(session, row, "completed", None)
    return row.failed_issues


def end_shared(session: Session, row: CrawlSession, status: str, error: Stopper | None) -> None:
    """Close a session's row, which is locked, and settle its run."""
    seconds = (database_now(session) - row.started_at).total_seconds() - (row.duration_seconds or 0)
    seconds = max(0.0, seconds)  # whatever somebody wrote there
    session.flush()
    close(
        driver_connection(session),
        row.session_id,
        Ending(status=status, seconds=seconds, search_seconds=0.0, spent=ClientStats(), error=error),
    )
    session.refresh(row)
    run = session.scalar(select(Run).where(Run.session_id == row.session_id).with_for_update(key_share=True))
    if run is not None:
        settle(session, run, error=error)


def fail_session(user_id: int, session_id: int, error: Stopper) -> None:
    """End a session that cannot go on; nobody works on its chunks any more."""
    with get_session(user_id=user_id) as session:
        drop_chunks(driver_connection(session), session_id)
        row = session.scalar(
            select(CrawlSession)
            .where(CrawlSession.session_id == session_id, CrawlSession.user_id == user_id)
            .with_for_update(key_share=True)
        )
        if row is not None and row.status == "running":
            end_shared(session, row, "failed", error)


def _held(session: Session, lease: SessionLease) -> CrawlSession:
    row = session.scalar(
        select(CrawlSession)
        .where(
            CrawlSession.session_id == lease.session_id,
            CrawlSession.fence == lease.fence,
            CrawlSession.status == "running",
        )
        .with_for_update(key_share=True)
    )
    if row is None:
        raise FenceLost("Another process has taken this session over: this one stops.")
    return row


def _split(session: Session, row: CrawlSession, *, rest: bool) -> None:
    """Divide the frontier behind the last chunk; with ``rest``, the last chunk may be smaller."""
    session.flush()
    values = {"session_id": row.session_id, "size": CHUNK_SIZE, "rest": rest}
    numbers = driver_connection(session).execute(statements("chunks")["split"], values).fetchall()
    ids = {"user_id": row.user_id, "session_id": row.session_id}
    defer(
        session,
        row.session_metadata["queue"],
        CHUNK,
        [{**ids, "chunk_number": number} for (number,) in numbers],
    )
