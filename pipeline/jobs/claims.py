"""A run's session and its chunks: begun, taken, given back, ended; each in one transaction of the owner.

The locks are taken in one order, a chunk before its session, so that workers wait for each other and never in
a circle. Whatever must not be lost is noted together with the job that does it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crawler.errors import TrackerError, UsageError
from crawler.http.stats import Stats
from db import get_session
from db.errors import FenceLost
from db.job_queue import defer
from db.models import CrawlSession, Run, SavedSearch, SessionChunk, SessionFrontier
from db.queries import statements
from pipeline.crawl_session import (
    CrawlRequest,
    Ending,
    Handle,
    add_session,
    add_spent,
    close,
    drop_chunks,
    handle_of,
)
from pipeline.jobs.cron import next_time
from pipeline.jobs.runs import CHUNK, SEARCH, WORKING, add_run, settle
from pipeline.jobs.schedules import asked, database_now
from pipeline.since import since_last, with_since_warning
from pipeline.stages.state import Chunk
from pipeline.trackers.connect import Tracker

SIZE = 100  # references in a chunk: what is lost when a worker dies, and what a worker takes at a time
MOST_ATTEMPTS = 5  # of a run or chunk, before it counts as what kills its workers

Open = Callable[[Session, int], Tracker]  # a user's tracker with its password, by its id


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a session that this process has taken."""

    handle: Handle
    tracker: Tracker
    chunk: Chunk | None = None  # None: the search


class Busy(Exception):
    """Somebody else works on it, or did a moment ago."""


def take_due(user_id: int, saved_search_id: int) -> None:
    """Make a run of a schedule that is due, once however many workers see it, and say when it is due next."""
    with get_session(user_id=user_id) as session:
        now = database_now(session)
        schedule = session.scalar(
            select(SavedSearch)
            .where(
                SavedSearch.saved_search_id == saved_search_id,
                SavedSearch.user_id == user_id,
                SavedSearch.is_active,
                SavedSearch.cron.is_not(None),
                SavedSearch.next_run_at <= now,
            )
            .with_for_update(skip_locked=True, key_share=True)
        )
        if schedule is None:
            return
        try:
            # From now on, not from when it was due: of all that was missed, one is caught up.
            following = next_time(schedule.cron or "", schedule.timezone, now)
        except UsageError as error:  # written by hand
            _put_to_rest(session, schedule, error)
            return
        add_run(session, schedule)
        schedule.next_run_at = following


def put_to_rest(user_id: int, saved_search_id: int, error: Exception) -> None:
    """Let a schedule that cannot be taken rest, with the reason as a failed run: it would be due for ever."""
    with get_session(user_id=user_id) as session:
        schedule = session.scalar(
            select(SavedSearch)
            .where(SavedSearch.saved_search_id == saved_search_id, SavedSearch.user_id == user_id)
            .with_for_update(skip_locked=True, key_share=True)
        )
        if schedule is not None:
            _put_to_rest(session, schedule, error)


def _put_to_rest(session: Session, schedule: SavedSearch, error: Exception) -> None:
    schedule.is_active = False
    run = Run(
        saved_search_id=schedule.saved_search_id, user_id=schedule.user_id, due_at=database_now(session)
    )
    session.add(run)
    session.flush()
    settle(session, run, error=error)


def take_search(user_id: int, run_id: int, open_tracker: Open) -> Part | None:
    """Begin a run's session, or go on with its search; whoever searched before can no longer write.

    Args:
        user_id: whose.
        run_id: which run.
        open_tracker: gives the schedule's tracker.

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
        if run.attempts > MOST_ATTEMPTS:
            raise TrackerError(f"Each of {MOST_ATTEMPTS} tries ended before it was done.")
        # From here on the attempt counts, whatever comes.
        session.commit()
        run = _locked_run(session, user_id, run_id)
        if run is None:
            return None
        tracker_id = run.schedule.tracker_id
        if tracker_id is None:
            raise TrackerError("The schedule has no tracker any more: add it again.")
        tracker = open_tracker(session, tracker_id)
        if run.session_id is None:
            request = with_since_warning(
                replace(prepared, workers=prepared.workers or tracker.concurrency), tracker.kind
            )
            row = add_session(session, user_id, tracker_id, request)
            row.session_metadata = {**row.session_metadata, "queue": run.queue}
            run.session_id = row.session_id
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
        return Part(handle=handle_of(row), tracker=tracker)


def cut(handle: Handle, *, rest: bool) -> None:
    """Make chunks of what the search has found since, and jobs of them.

    Args:
        handle: the session, held by its search.
        rest: the last chunk may be smaller; the search is over.

    Raises:
        FenceLost: another process holds the search.
    """
    with get_session(user_id=handle.user_id) as session:
        _cut(session, _held(session, handle), rest=rest)


def end_search(handle: Handle, *, seconds: float, spent: Stats) -> None:
    """Make the last chunks; the session ends here if there is nothing to fetch.

    Raises:
        FenceLost: another process holds the search.
    """
    with get_session(user_id=handle.user_id) as session:
        row = _held(session, handle)
        row.search_time_ms = (row.search_time_ms or 0) + round(seconds * 1000)
        add_spent(row, spent)
        _cut(session, row, rest=True)
        _end_if_done(session, row)


def take_chunk(
    user_id: int, session_id: int, number: int | None, open_tracker: Open, patience: float
) -> Part | None:
    """Take a chunk; whoever had it before can no longer write.

    Args:
        user_id: whose.
        session_id: of which session.
        number: which one; None: any that waits.
        open_tracker: gives the session's tracker.
        patience: seconds without a sign of life after which a chunk that is being worked on may be taken.

    Returns:
        None: there is nothing to do any more.

    Raises:
        Busy: the chunk's holder is alive.
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
        silent_since = database_now(session) - timedelta(seconds=patience)
        if chunk.state == "working" and chunk.heartbeat_at is not None and chunk.heartbeat_at > silent_since:
            raise Busy
        row = session.get_one(CrawlSession, session_id)
        if row.status != "running":
            return None
        chunk.attempts += 1
        chunk.fence += 1
        chunk.state, chunk.heartbeat_at = "working", func.clock_timestamp()
        session.commit()  # the attempt counts, whatever comes
        if chunk.attempts > MOST_ATTEMPTS:
            raise TrackerError(
                f"Each of {MOST_ATTEMPTS} workers that took references {chunk.first_position} to "
                f"{chunk.last_position} of the session ended before it was done."
            )
        row = session.get_one(CrawlSession, session_id)
        if row.tracker_id is None:
            raise TrackerError("The session has no tracker any more.")
        return Part(
            handle=handle_of(row),
            tracker=open_tracker(session, row.tracker_id),
            chunk=Chunk(
                number=chunk.chunk_number,
                fence=chunk.fence,
                first_position=chunk.first_position,
                last_position=chunk.last_position,
            ),
        )


def keep_alive(part: Part) -> bool:
    """Give a sign of life; false: the part is not ours any more."""
    assert part.chunk is not None  # noqa: S101 - searches show theirs by their pages
    with get_session(user_id=part.handle.user_id) as session:
        chunk = _held_chunk(session, part)
        if chunk is not None:
            chunk.heartbeat_at = func.clock_timestamp()
        return chunk is not None


def give_back(part: Part, *, tried: bool = False) -> int:
    """Leave a chunk to others; what was committed of it stays.

    Args:
        part: a chunk.
        tried: this counts as an attempt.

    Returns:
        How often it was attempted.
    """
    with get_session(user_id=part.handle.user_id) as session:
        chunk = _held_chunk(session, part)
        if chunk is None:
            return 0
        chunk.state = "waiting"
        if not tried:
            chunk.attempts -= 1
        return chunk.attempts


def end_chunk(part: Part, *, spent: Stats) -> None:
    """Note that a chunk is done; with the last one the session ends, by exactly one worker.

    Raises:
        FenceLost: another process holds the chunk.
    """
    with get_session(user_id=part.handle.user_id) as session:
        chunk = _held_chunk(session, part)
        if chunk is None:
            raise FenceLost("Another process has taken this part of the session over: this one stops.")
        chunk.state = "done"
        session.flush()
        row = session.scalars(
            select(CrawlSession)
            .where(CrawlSession.session_id == part.handle.session_id)
            .with_for_update(key_share=True)
        ).one()
        add_spent(row, spent)
        _end_if_done(session, row)


def fail_session(user_id: int, session_id: int, error: Exception) -> None:
    """End a session that cannot go on; nobody works on its chunks any more."""
    with get_session(user_id=user_id) as session:
        drop_chunks(session, session_id)
        row = session.scalar(
            select(CrawlSession)
            .where(CrawlSession.session_id == session_id, CrawlSession.user_id == user_id)
            .with_for_update(key_share=True)
        )
        if row is not None and row.status == "running":
            _end(session, row, "failed", error)


def fail_run(user_id: int, run_id: int, error: Exception) -> None:
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
            _end(session, row, "interrupted", TrackerError("Nobody works on it any more: resume it."))
        if row is not None:
            ids = {"user_id": user_id, "session_id": row.session_id}
            defer(session, run.queue, CHUNK, [{**ids, "chunk_number": number} for number in chunks])


def attempts_so_far(user_id: int, run_id: int) -> int:
    """How often a run was begun; 0: it is gone."""
    with get_session(user_id=user_id) as session:
        run = session.get(Run, run_id)
        return 0 if run is None else run.attempts


def forgive(user_id: int, session_id: int) -> None:
    """A search that was left in good order does not count as an attempt."""
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


def _held(session: Session, handle: Handle) -> CrawlSession:
    row = session.scalar(
        select(CrawlSession)
        .where(
            CrawlSession.session_id == handle.session_id,
            CrawlSession.fence == handle.fence,
            CrawlSession.status == "running",
        )
        .with_for_update(key_share=True)
    )
    if row is None:
        raise FenceLost("Another process has taken this session over: this one stops.")
    return row


def _held_chunk(session: Session, part: Part) -> SessionChunk | None:
    assert part.chunk is not None  # noqa: S101 - it is one
    return session.scalar(
        select(SessionChunk)
        .where(
            SessionChunk.session_id == part.handle.session_id,
            SessionChunk.chunk_number == part.chunk.number,
            SessionChunk.fence == part.chunk.fence,
            SessionChunk.state == "working",
        )
        .with_for_update()
    )


def _cut(session: Session, row: CrawlSession, *, rest: bool) -> None:
    session.flush()
    driver = session.connection().connection.driver_connection
    values = {"session_id": row.session_id, "size": SIZE, "rest": rest}
    numbers = driver.execute(statements("chunks")["cut"], values).fetchall()  # type: ignore[union-attr]
    ids = {"user_id": row.user_id, "session_id": row.session_id}
    defer(
        session,
        row.session_metadata["queue"],
        CHUNK,
        [{**ids, "chunk_number": number} for (number,) in numbers],
    )


def _end_if_done(session: Session, row: CrawlSession) -> None:
    """The session ends when all is found and nothing is left; its row is locked: one process sees it."""
    session.flush()
    undone = select(SessionChunk.chunk_number).where(
        SessionChunk.session_id == row.session_id, SessionChunk.state.in_(("waiting", "working"))
    )
    pending = select(SessionFrontier.position).where(
        SessionFrontier.session_id == row.session_id, SessionFrontier.state == "pending"
    )
    if row.status != "running" or not row.search_done:
        return
    if session.scalar(select(or_(undone.exists(), pending.exists()))):
        return
    _end(session, row, "completed", None)


def _end(session: Session, row: CrawlSession, status: str, error: Exception | None) -> None:
    seconds = (database_now(session) - row.started_at).total_seconds() - (row.duration_seconds or 0)
    seconds = max(0.0, seconds)  # whatever somebody wrote there
    close(
        session,
        row,
        Ending(status=status, seconds=seconds, search_seconds=0.0, spent=Stats(), error=error),
    )
    session.flush()
    run = session.scalar(select(Run).where(Run.session_id == row.session_id).with_for_update(key_share=True))
    if run is not None:
        settle(session, run, error=error)
