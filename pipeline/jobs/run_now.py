"""A schedule's run that somebody asks for and waits for, in their own process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import select

from db import get_session
from db.job_queue import unfinished
from db.models import Run, SavedSearch
from db.session import driver_connection
from pipeline.jobs.runs import WORKING, add_run, working_run
from pipeline.jobs.schedules import find_schedule
from pipeline.reports.session_summary import session_summary
from pipeline.sessions.crawl_session import read_lease

if TYPE_CHECKING:
    from pipeline.bootstrap import Program


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a run ended, or how far it is."""

    status: str
    error_type: str | None
    error: str | None
    figures: dict[str, Any] | None  # as crawl prints them; None: there was no session


def run_now(program: Program, name: str) -> Ended:
    """Run a schedule now and wait for the end; where a run is at work already, help with that one.

    The work is done as a worker does it: if this process is killed, a worker goes on with it.

    Raises:
        UsageError: there is no such schedule.
    """
    from pipeline.jobs.worker import serve

    run_id, queue = _ask(program.user_id, name)

    def is_over() -> bool:
        with get_session(user_id=program.user_id) as session:
            status = session.scalar(select(Run.status).where(Run.run_id == run_id))
        return status not in WORKING and unfinished(0, queue) == 0

    asyncio.run(serve(program, concurrency=2, queues=[queue], until=is_over))
    return _ended(program.user_id, run_id)


def _ask(user_id: int, name: str) -> tuple[int, str]:
    with get_session(user_id=user_id) as session:
        schedule = find_schedule(session, name)
        session.scalar(
            select(SavedSearch.saved_search_id)
            .where(SavedSearch.saved_search_id == schedule.saved_search_id)
            .with_for_update(key_share=True)
        )
        run = working_run(session, schedule) or add_run(
            session, schedule, queue=f"by-hand-{uuid4().hex[:12]}"
        )
        return run.run_id, run.queue


def _ended(user_id: int, run_id: int) -> Ended:
    with get_session(user_id=user_id) as session:
        run = session.get_one(Run, run_id)
        lease = None if run.session_id is None else read_lease(driver_connection(session), run.session_id)
        status, error_type, error = run.status, run.error_type, run.error
    figures = session_summary(lease) if lease is not None else None
    return Ended(status=status, error_type=error_type, error=error, figures=figures)
