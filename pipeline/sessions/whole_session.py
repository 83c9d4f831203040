"""A whole session as one process works on it: begun or resumed in a shell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import psycopg

from db.crawl.frontier import beat, hold_fence
from db.crawl.progress import SessionProgress, add_progress
from db.errors import DatabaseError
from db.in_thread import in_thread
from pipeline.sessions.ceiling import USUAL, Ceiling
from pipeline.sessions.claim import Claim, add_files
from pipeline.sessions.conductor import Conductor
from pipeline.sessions.crawl_session import HEARTBEAT, SessionLease
from pipeline.sessions.ending import Ending, Stopper, end
from pipeline.sessions.interruption import interrupted_by_signals
from pipeline.stages.counts import Observer, ignore_progress
from pipeline.trackers.connect import Tracker

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(kw_only=True, slots=True)
class WholeSession(Claim):
    """All of a session: its search, its frontier, its census and attachments."""

    searches: ClassVar = True
    fetches: ClassVar = True
    name: ClassVar = "session"

    @property
    def heartbeat(self) -> float:
        """As whoever looks for sessions that were left over expects it."""
        return HEARTBEAT.total_seconds()

    async def beat(self, connection: psycopg.AsyncConnection) -> None:
        """Give a sign of life, and note the connection, which is gone at once with a killed process."""
        await beat(connection, session_id=self.lease.session_id, fence=self.lease.fence)

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

    async def end(self, ending: Ending) -> Stopper | None:
        """Close the session's row; a database that is away for a moment is waited for."""
        try:
            await in_thread(end, self.lease, ending)
        except DatabaseError as error:
            return error
        return ending.error


async def run_session(
    lease: SessionLease,
    tracker: Tracker,
    *,
    conninfo: str,
    home: Path,
    observer: Observer = ignore_progress,
    ceiling: Ceiling = USUAL,
) -> Stopper | None:
    """Work on a session until it is done, interrupted by a signal or stopped, and close its row.

    Args:
        lease: of the session, begun or taken over.
        tracker: the tracker it crawls, with the account to use.
        conninfo: the database, for the crawl's own connections.
        home: the data folder, where attached files are kept.
        observer: is shown the running totals whenever they change.
        ceiling: the most that the session may bring.

    Returns:
        what ended the session early, or None. What was done until then is committed and can be resumed.
    """
    conductor = Conductor(
        conninfo=conninfo,
        home=home,
        ceiling=ceiling,
        interruptible=interrupted_by_signals,
        observer=observer,
    )
    return await conductor.work_on(WholeSession(lease=lease, tracker=tracker))
