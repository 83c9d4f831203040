"""The end of a crawl session: its row is closed with figures that are counted again in what is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from crawler.errors import CrawlError
from crawler.http.stats import ClientStats
from db.acting import acting_for
from db.errors import DatabaseError, FenceLost
from db.queries import statements
from pipeline.logs import told
from pipeline.sessions.crawl_session import SessionLease

if TYPE_CHECKING:
    from db.models import CrawlSession

Stopper = CrawlError | DatabaseError  # an error that ends a run; any other is a defect

BEYOND_LIMIT = "is beyond the number of issues that was asked for"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How a run of a session ended."""

    status: str  # completed, failed, interrupted, cancelled
    seconds: float  # of this run
    search_seconds: float
    spent: ClientStats  # what the tracker was asked after the last batch
    error: Stopper | None = None  # what ended it early


def end(lease: SessionLease, ending: Ending) -> None:
    """Close the session's row with its final figures. Done again, it does no harm.

    The counts of issues are counted again in the frontier: it is what was committed, however often a session
    was killed and resumed.

    Raises:
        FenceLost: another process has taken the session over meanwhile.
    """
    with acting_for(lease.user_id) as acting:
        held = {"session_id": lease.session_id, "fence": lease.fence}
        status = acting.value("sessions", "hold", held)
        if status is None:
            raise FenceLost("Another process has taken this session over: this one stops.")
        if status == "running":  # else a commit went through unanswered
            close(acting.connection, lease.session_id, ending)


def leave(lease: SessionLease) -> None:
    """Close the row of a session that was interrupted before its work had begun.

    Raises:
        FenceLost: as in :func:`end`.
    """
    end(lease, Ending(status="interrupted", seconds=0, search_seconds=0, spent=ClientStats()))


def close(connection: psycopg.Connection, session_id: int, ending: Ending) -> None:
    """As :func:`end`, within the transaction of a caller who has locked the row and seen it running."""
    session = {"session_id": session_id}
    if ending.status == "completed":
        connection.execute(statements("sessions")["skip_rest"], {**session, "detail": BEYOND_LIMIT})
    values = {
        **session,
        "status": ending.status,
        "seconds": ending.seconds,
        "search_ms": round(ending.search_seconds * 1000),
        "crawl_ms": round(ending.seconds * 1000),
        "requests": ending.spent.requests,
        "retries": ending.spent.retries,
        "bytes": ending.spent.bytes,
        "wait_seconds": ending.spent.wait_seconds,
        "error_type": None if ending.error is None else type(ending.error).__name__,
        "error": None if ending.error is None else told(ending.error),
    }
    connection.execute(statements("sessions")["close"], values)


def add_spent(row: CrawlSession, spent: ClientStats) -> None:
    """Add what the tracker was asked to the session's totals."""
    row.requests += spent.requests
    row.retries += spent.retries
    row.bytes_received += spent.bytes
    row.wait_seconds += spent.wait_seconds
