"""The end of a crawl session: its row is closed with figures that are counted again in what is committed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crawler.errors import CrawlError
from crawler.http.stats import ClientStats
from db import get_session
from db.errors import DatabaseError, FenceLost
from db.models import CrawlSession, SearchQuery, SessionError, SessionFrontier
from pipeline.logs import told
from pipeline.sessions.crawl_session import SessionLease, without_holder

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
    with get_session(user_id=lease.user_id) as session:
        row = session.scalar(
            select(CrawlSession)
            .where(CrawlSession.session_id == lease.session_id, CrawlSession.fence == lease.fence)
            .with_for_update()
        )
        if row is None:
            raise FenceLost("Another process has taken this session over: this one stops.")
        if row.status != "running":  # a commit that went through unanswered
            return
        close(session, row, ending)


def leave(lease: SessionLease) -> None:
    """Close the row of a session that was interrupted before its work had begun.

    Raises:
        FenceLost: as in :func:`end`.
    """
    end(lease, Ending(status="interrupted", seconds=0, search_seconds=0, spent=ClientStats()))


def close(session: Session, row: CrawlSession, ending: Ending) -> None:
    """As :func:`end`, within the transaction of a caller who has locked the row and seen it running."""
    if ending.status == "completed":
        _skip_rest(session, row.session_id)
    states = _frontier_states(session, row.session_id)
    _put_counts(row, states)
    row.status = _true_status(ending.status, row, states)
    row.session_metadata = without_holder(row)
    row.completed_at = datetime.now(UTC)
    row.waits_for = None
    row.duration_seconds = (row.duration_seconds or 0) + ending.seconds
    row.search_time_ms = (row.search_time_ms or 0) + round(ending.search_seconds * 1000)
    row.crawl_time_ms = (row.crawl_time_ms or 0) + round(ending.seconds * 1000)
    add_spent(row, ending.spent)
    if row.issues_crawled:
        row.avg_issue_time_ms = row.crawl_time_ms / row.issues_crawled
    if ending.error is not None:
        row.session_errors.append(
            SessionError(error_type=type(ending.error).__name__, error_message=told(ending.error))
        )
    session.execute(
        update(SearchQuery)
        .where(SearchQuery.session_id == row.session_id)
        .values(results_count=row.total_issues_found)
    )


def add_spent(row: CrawlSession, spent: ClientStats) -> None:
    """Add what the tracker was asked to the session's totals."""
    row.requests += spent.requests
    row.retries += spent.retries
    row.bytes_received += spent.bytes
    row.wait_seconds += spent.wait_seconds


def _skip_rest(session: Session, session_id: int) -> None:
    """A session that ended at its limit leaves references that it never looked at."""
    session.execute(
        update(SessionFrontier)
        .where(SessionFrontier.session_id == session_id, SessionFrontier.state == "pending")
        .values(state="skipped", detail=BEYOND_LIMIT)
    )


def _frontier_states(session: Session, session_id: int) -> Counter[tuple[str, str]]:
    rows = session.execute(
        select(SessionFrontier.reason, SessionFrontier.state, func.count())
        .where(SessionFrontier.session_id == session_id)
        .group_by(SessionFrontier.reason, SessionFrontier.state)
    )
    return Counter({(reason, state): number for reason, state, number in rows})


def _put_counts(row: CrawlSession, states: Counter[tuple[str, str]]) -> None:
    by_state: Counter[str] = Counter()
    by_reason: Counter[str] = Counter()
    for (reason, state), number in states.items():
        by_state[state] += number
        by_reason[reason] += number
    row.total_issues_found = by_reason["search"]
    row.related_issues = by_reason["related"]
    row.issues_new = by_state["new"]
    row.issues_changed = by_state["changed"]
    row.issues_unchanged = by_state["unchanged"]
    row.issues_crawled = row.issues_new + row.issues_changed + row.issues_unchanged
    row.failed_issues = by_state["failed"]
    row.skipped_issues = by_state["skipped"]


def _true_status(status: str, row: CrawlSession, states: Counter[tuple[str, str]]) -> str:
    """``completed`` is only said when the numbers add up."""
    if status != "completed":
        return status
    announced = row.tracker_total
    if row.max_results is None and announced is not None and row.total_issues_found < announced:
        row.session_errors.append(
            SessionError(
                error_type="SearchIncomplete",
                error_message=f"The tracker announces {announced} issues but listed {row.total_issues_found}:"
                " crawl again to find the others.",
            )
        )
        return "failed"
    return status
