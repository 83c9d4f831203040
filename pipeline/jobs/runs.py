"""Runs: what became of each time that a schedule came due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from db.job_queue import defer
from db.models import CrawlSession, Run, SavedSearch, User
from pipeline.jobs.schedules import database_now
from pipeline.logs import told
from pipeline.owners import with_owner

QUEUE = "crawl"
SEARCH, CHUNK, TELL, ALERT = "search", "chunk", "tell", "alert"  # the tasks
WORKING = ("waiting", "running")
STILL_WORKING = "The run before was still working."
_MINE = Run.user_id == func.ims.current_user_id()

# A schedule whose runs fail waits this long, twice as long after each further failure.
FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(days=1)
MOST_COUNTED = 1000  # failures in a row: more make no difference


def add_run(session: Session, schedule: SavedSearch, *, queue: str = QUEUE) -> Run:
    """Note a run and put its job into the queue, in the caller's transaction.

    A run that is due while the last one still works is noted as skipped and has no job. The caller has locked
    the schedule's row.
    """
    due_at = schedule.next_run_at if queue == QUEUE else database_now(session)
    run = Run(saved_search_id=schedule.saved_search_id, user_id=schedule.user_id, due_at=due_at, queue=queue)
    if working_run(session, schedule) is not None:
        run.status, run.error = "skipped", STILL_WORKING
        run.ended_at = database_now(session)
    session.add(run)
    session.flush()
    if run.status != "skipped":
        defer(session, queue, SEARCH, [{"user_id": run.user_id, "run_id": run.run_id}])
    return run


def settle(session: Session, run: Run, *, error: Exception | None = None) -> None:
    """Write down how a run ended: as its session did, or by an error before there was one.

    Once: a run that has ended stays as it is.
    """
    if run.status not in WORKING:
        return
    row = session.get(CrawlSession, run.session_id) if run.session_id is not None else None
    run.ended_at = database_now(session)
    # A clock that was put back makes no run shorter than nothing.
    run.duration_seconds = max(0.0, (run.ended_at - (run.started_at or run.ended_at)).total_seconds())
    if row is None or row.status == "running":
        run.status = "failed"
    else:
        run.status = "interrupted" if row.status in ("interrupted", "cancelled") else row.status
        run.issues_crawled, run.failed_issues = row.issues_crawled, row.failed_issues
        run.issues_new, run.issues_changed = row.issues_new, row.issues_changed
        if error is None and run.status == "failed" and row.session_errors:
            run.error_type = row.session_errors[-1].error_type
            run.error = row.session_errors[-1].error_message
    if error is not None:
        run.error_type, run.error = type(error).__name__, told(error)
    _count_failures(session, run)
    schedule = run.schedule
    news = run.issues_new + run.issues_changed
    if news and (schedule.options.get("notify") or schedule.options.get("webhook")):
        defer(session, run.queue, TELL, [{"user_id": run.user_id, "run_id": run.run_id}])


def list_runs(
    session: Session, name: str | None, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """One's own runs, or everybody's, the newest first.

    Returns:
        Dictionaries of ``name``, ``session_uuid``, ``status``, ``started_at``, ``duration_seconds``,
        ``issues_crawled``, ``error``, and of ``due_at``, ``attempts``, ``issues_new``, ``issues_changed``,
        ``failed_issues``, ``waits_for`` (None: something moves, or it has ended); of everybody's also
        ``owner_user``.
    """
    listed = (
        _runs(
            SavedSearch.name,
            CrawlSession.session_uuid,
            Run.status,
            Run.started_at,
            Run.duration_seconds,
            Run.issues_crawled,
            Run.error,
            Run.due_at,
            Run.attempts,
            Run.issues_new,
            Run.issues_changed,
            Run.failed_issues,
            CrawlSession.waits_for,
        )
        .outerjoin(CrawlSession, CrawlSession.session_id == Run.session_id)
        .order_by(Run.run_id.desc())
        .limit(limit)
        .offset(offset)
    )
    listed = with_owner(listed, Run.user_id) if everybody else listed.where(_MINE)
    if name is not None:
        listed = listed.where(SavedSearch.name == name)
    return [dict(row) for row in session.execute(listed).mappings()]


def statistics(
    session: Session,
    name: str | None = None,
    *,
    limit: int = 1000,
    offset: int = 0,
    everybody: bool = False,
) -> list[dict[str, Any]]:
    """What one's own schedules did, or everybody's, by their names.

    Returns:
        Dictionaries of ``name``, ``total`` runs that ended and were not skipped, ``success``, ``failed``,
        ``skipped``, ``avg_duration_seconds``, ``p95_duration_seconds``; of everybody's also ``owner_user``.
    """
    ended = Run.status.in_(("completed", "failed", "interrupted"))
    counted = (
        _runs(
            SavedSearch.name,
            func.count().filter(ended).label("total"),
            func.count().filter(Run.status == "completed").label("success"),
            func.count().filter(and_(ended, Run.status != "completed")).label("failed"),
            func.count().filter(Run.status == "skipped").label("skipped"),
            func.avg(Run.duration_seconds).filter(ended).label("avg_duration_seconds"),
            func.percentile_cont(0.95)
            .within_group(Run.duration_seconds)
            .filter(ended)
            .label("p95_duration_seconds"),
        )
        .group_by(SavedSearch.name)
        .order_by(SavedSearch.name)
        .limit(limit)
        .offset(offset)
    )
    if everybody:
        counted = with_owner(counted, Run.user_id).group_by(User.username).order_by(User.username)
    else:
        counted = counted.where(_MINE)
    if name is not None:
        counted = counted.where(SavedSearch.name == name)
    return [dict(row) for row in session.execute(counted).mappings()]


def _runs(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Run)
        .join(SavedSearch, SavedSearch.saved_search_id == Run.saved_search_id)
    )


def working_run(session: Session, schedule: SavedSearch) -> Run | None:
    """The schedule's run that still works; one whose session somebody else ended is settled on the way."""
    for run in session.scalars(
        select(Run).where(
            Run.saved_search_id == schedule.saved_search_id,
            Run.user_id == schedule.user_id,
            Run.status.in_(WORKING),
        )
    ):
        row = session.get(CrawlSession, run.session_id) if run.session_id is not None else None
        if row is None or row.status == "running":
            return run
        settle(session, run)
    return None


def _count_failures(session: Session, run: Run) -> None:
    schedule = run.schedule
    if run.status == "completed":
        schedule.failures = 0
    elif run.status == "failed":
        schedule.failures = min(schedule.failures + 1, MOST_COUNTED)
        rest = min(LONGEST_REST, FIRST_REST * 2 ** min(schedule.failures - 1, 10))
        if schedule.next_run_at is not None:
            schedule.next_run_at = max(schedule.next_run_at, database_now(session) + rest)
