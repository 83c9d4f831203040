"""A claim on a session: what one process works on, how it shows that it is alive, and how it lets go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import psycopg

from db.crawl.progress import SessionProgress
from db.errors import FenceLost
from db.queries import statements
from db.sanitize import INTEGER_MAX
from pipeline.sessions.crawl_session import SessionLease
from pipeline.sessions.ending import Ending, Stopper
from pipeline.trackers.connect import Tracker

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(kw_only=True, slots=True)
class Claim(ABC):
    """A session, or the part of it that this process works on and nobody else may write.

    Whole sessions, searches and chunks are worked on by the same code (:mod:`pipeline.sessions.conductor`);
    what differs between them is here. A claim that another process took over meanwhile is lost: FenceLost is
    raised, and nothing that was not committed before can be.
    """

    lease: SessionLease
    tracker: Tracker
    positions: tuple[int, int] = (0, INTEGER_MAX)  # the first and the last place in the frontier it covers

    name: ClassVar[str]  # what it is, for the log
    searches: ClassVar[bool]  # fills the frontier
    fetches: ClassVar[bool]  # works on what is in it

    @property
    @abstractmethod
    def heartbeat(self) -> float:
        """Seconds between two signs of life."""

    @property
    def workers(self) -> int:
        """Requests at once."""
        return self.lease.workers

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole session, which has a census and attachments besides."""
        return self.searches and self.fetches

    async def beat(self, connection: psycopg.AsyncConnection) -> None:
        """Give a sign of life, on a connection that stays open for as long as the claim is worked on.

        Raises:
            FenceLost: as :meth:`hold`.
        """
        await self.hold(connection)

    @abstractmethod
    async def hold(self, connection: psycopg.AsyncConnection) -> None:
        """Make sure, up to the commit, that the claim is still ours; a sign of life.

        Raises:
            FenceLost: it is not; the transaction must not be committed.
        """

    @abstractmethod
    async def add_progress(self, connection: psycopg.AsyncConnection, progress: SessionProgress) -> None:
        """Add what a batch brought to the session's totals, in the batch's transaction; a sign of life.

        Raises:
            FenceLost: the claim is not ours any more; the transaction must not be committed.
        """

    @abstractmethod
    def add_files(self, session: Session, fetched: int) -> None:
        """Count attached files that are here now, in the transaction that says so of them.

        Raises:
            FenceLost: as for :meth:`add_progress`.
        """

    async def on_found(self, found: int) -> None:
        """Take note that so many references are in the frontier: after each page of the search."""
        return

    @abstractmethod
    async def end(self, ending: Ending) -> Stopper | None:
        """Let go of the claim: done, failed, or left to others.

        Returns:
            What is to be told to whoever asked for the work.
        """

    async def following(self) -> Claim | None:
        """Claim the next part of the same session, where the same process should go on with that."""
        return None


def add_files(session: Session, lease: SessionLease, fetched: int, *, fenced: bool = True) -> None:
    """Count attached files in a session's row.

    Args:
        session: of the owner.
        lease: of the session.
        fetched: how many.
        fenced: the session's own fence must be held up to the commit; else a chunk's is.

    Raises:
        FenceLost: it is not.
    """
    from db.session import driver_connection

    values = {
        "session_id": lease.session_id,
        "fence": lease.fence if fenced else None,
        "fetched": fetched,
    }
    if driver_connection(session).execute(statements("sessions")["add_files"], values).rowcount != 1:
        raise FenceLost("Another process has taken this session over: this one stops.")
