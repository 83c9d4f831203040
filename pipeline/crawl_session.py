"""The life of a crawl session: begun, taken over, ended. Its row tells the truth at every moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.http.stats import Stats
from crawler.query import ParsedQuery, Tree, parse_direct
from db import get_session
from db.crawl.census import Scope
from db.errors import FenceLost
from db.models import CrawlSession, SearchQuery, SessionChunk, SessionError, SessionFrontier, Tracker
from pipeline.logs import told

HEARTBEAT = timedelta(seconds=15)
SILENCE = 4 * HEARTBEAT  # after so long without a sign of life, a process is taken for dead

BEYOND_LIMIT = "is beyond the number of issues that was asked for"


@dataclass(frozen=True, kw_only=True, slots=True)
class CrawlRequest:
    """What somebody wants crawled."""

    original: str  # as it was asked
    query: ParsedQuery
    product: str | None = None
    max_results: int | None = None
    related: bool = False  # also fetch the issues that the hits point to
    since: datetime | None = None  # only what changed at or after this time
    attachments: bool = False  # also download the attached files
    workers: int = 4
    since_last: bool = False  # since stands for the last session's start
    census: bool = False  # look for stored issues that the tracker no longer lists
    remove_many: bool = False  # a census may remove any number of them
    allow_empty: tuple[str, ...] = ()  # fields that may be empty though they were mostly filled
    notes: tuple[str, ...] = ()  # what else to say of how the question was understood


@dataclass(frozen=True, kw_only=True, slots=True)
class Handle:
    """A session that this process holds: every writer must still hold its fence."""

    session_id: int
    session_uuid: UUID
    user_id: int
    tracker_id: int | None
    fence: int
    text: str  # the query, canonical
    tree: Tree
    filters: dict[str, str]
    product: str | None
    since: datetime | None
    max_results: int | None
    crawl_related: bool
    attachments: bool
    workers: int
    search_cursor: str | None = None
    search_done: bool = False
    census: bool = False
    remove_many: bool = False
    allow_empty: tuple[str, ...] = ()
    bytes_received: int = 0  # before this run

    @property
    def scope(self) -> Scope:
        """What a census of this session asks about."""
        return Scope(
            session_id=self.session_id,
            user_id=self.user_id,
            tracker_id=self.tracker_id,
            text=self.text,
            product=self.product,
        )


def begin(user_id: int, tracker_id: int, request: CrawlRequest) -> Handle:
    """Open a session and write down what it is going to search."""
    with get_session(user_id=user_id) as session:
        return handle_of(add_session(session, user_id, tracker_id, request))


def add_session(session: Session, user_id: int, tracker_id: int, request: CrawlRequest) -> CrawlSession:
    """As :func:`begin`, within the caller's transaction."""
    query = request.query
    row = CrawlSession(
        user_id=user_id,
        tracker_id=tracker_id,
        product=request.product,
        original_query=request.original,
        parsed_query=query.text,
        query_language=query.language,
        max_results=request.max_results,
        crawl_related=request.related,
        since=request.since,
        parallel_workers=request.workers,
        status="running",
        fence=1,
        session_metadata={
            "nl_parsing": {
                "method": query.method,
                "confidence": query.confidence,
                "language": query.language,
                "explanation": " ".join(filter(None, (query.explanation, *request.notes))),
                "filters": dict(query.filters),
            },
            "attachments": request.attachments,
            "since_last": request.since_last,
            "census": request.census,
            "remove_many": request.remove_many,
            "allow_empty": list(request.allow_empty),
        },
    )
    session.add(row)
    session.flush()
    session.add(
        SearchQuery(
            user_id=user_id,
            session_id=row.session_id,
            original_query=request.original,
            parsed_query=query.text,
            query_language=query.language,
            product=request.product,
            parsing_method=query.method,
            parsing_confidence=query.confidence,
        )
    )
    session.flush()
    return row


def take_over(user_id: int, session_uuid: UUID, *, allow_empty: Sequence[str] = ()) -> Handle:
    """Continue a session that was interrupted, failed or killed; its former holder can no longer write.

    Args:
        user_id: whose session.
        session_uuid: which one.
        allow_empty: further fields that may be empty from now on.

    Raises:
        UsageError: there is no such session for this user, or nothing is left to do in it.
    """
    with get_session(user_id=user_id) as session:
        mine = (CrawlSession.session_uuid == session_uuid, CrawlSession.user_id == user_id)
        session_id = session.scalar(select(CrawlSession.session_id).where(*mine))
        if session_id is None:
            raise UsageError(f"There is no session {session_uuid}: see sessions.")
        drop_chunks(session, session_id)  # workers that share it stop: it is one process's now
        row = session.scalars(select(CrawlSession).where(*mine).with_for_update(key_share=True)).one()
        if row.status == "completed":
            raise UsageError(f"Session {session_uuid} is complete: there is nothing to resume.")
        row.fence += 1
        row.status = "running"
        row.completed_at = None
        row.heartbeat_at = func.clock_timestamp()  # nobody works on it but we, from the first moment on
        allowed = dict.fromkeys((*row.session_metadata.get("allow_empty", ()), *allow_empty))
        row.session_metadata = _without_holder(row) | {"allow_empty": list(allowed)}
        session.flush()
        return handle_of(row)


def handle_of(row: CrawlSession) -> Handle:
    """The session as whoever has just locked its row holds it."""
    parsing = row.session_metadata.get("nl_parsing", {})
    return Handle(
        session_id=row.session_id,
        session_uuid=row.session_uuid,
        user_id=row.user_id,
        tracker_id=row.tracker_id,
        fence=row.fence,
        text=row.parsed_query or "",
        tree=parse_direct(row.parsed_query or ""),
        filters=parsing.get("filters", {}),
        product=row.product,
        since=row.since,
        max_results=row.max_results,
        crawl_related=row.crawl_related,
        attachments=bool(row.session_metadata.get("attachments")),
        workers=row.parallel_workers or 1,
        search_cursor=row.search_cursor,
        search_done=row.search_done,
        census=bool(row.session_metadata.get("census")),
        remove_many=bool(row.session_metadata.get("remove_many")),
        allow_empty=tuple(row.session_metadata.get("allow_empty", ())),
        bytes_received=row.bytes_received or 0,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How a run of a session ended."""

    status: str  # completed, failed, interrupted, cancelled
    seconds: float  # of this run
    search_seconds: float
    spent: Stats  # what the tracker was asked after the last batch
    error: Exception | None = None  # what ended it early


def end(handle: Handle, ending: Ending) -> None:
    """Close the session's row with its final figures. Done again, it does no harm.

    The counts of issues are counted again in the frontier: it is what was committed, however often a session
    was killed and resumed.

    Raises:
        FenceLost: another process has taken the session over meanwhile.
    """
    with get_session(user_id=handle.user_id) as session:
        row = session.scalar(
            select(CrawlSession)
            .where(CrawlSession.session_id == handle.session_id, CrawlSession.fence == handle.fence)
            .with_for_update()
        )
        if row is None:
            raise FenceLost("Another process has taken this session over: this one stops.")
        if row.status != "running":  # a commit that went through unanswered
            return
        close(session, row, ending)


def leave(handle: Handle) -> None:
    """Close the row of a session that was interrupted before its work had begun.

    Raises:
        FenceLost: as in :func:`end`.
    """
    end(handle, Ending(status="interrupted", seconds=0, search_seconds=0, spent=Stats()))


def close(session: Session, row: CrawlSession, ending: Ending) -> None:
    """As :func:`end`, within the transaction of a caller who has locked the row and seen it running."""
    if ending.status == "completed":
        _skip_rest(session, row.session_id)
    states = _frontier_states(session, row.session_id)
    _put_counts(row, states)
    row.status = _true_status(ending.status, row, states)
    row.session_metadata = _without_holder(row)
    row.completed_at = datetime.now(UTC)
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


def add_spent(row: CrawlSession, spent: Stats) -> None:
    """Add what the tracker was asked to the session's totals."""
    row.requests += spent.requests
    row.retries += spent.retries
    row.bytes_received += spent.bytes
    row.wait_seconds += spent.wait_seconds


def drop_chunks(session: Session, session_id: int) -> None:
    """Let nobody work on the session's chunks any more; before its row is locked, as their holders do."""
    session.execute(
        update(SessionChunk)
        .where(SessionChunk.session_id == session_id, SessionChunk.state.in_(("waiting", "working")))
        .values(state="dropped", fence=SessionChunk.fence + 1)
    )


def _without_holder(row: CrawlSession) -> dict[str, Any]:
    """What is said of a session apart from the connection of whoever held it."""
    return {name: value for name, value in row.session_metadata.items() if name != "backend"}


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


def list_sessions(user_id: int, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return crawl sessions, the newest first.

    Returns:
        ``session_uuid``, ``status``, ``tracker``, ``product``, ``original_query``, ``started_at``,
        ``duration_seconds``, ``total_issues_found``, ``issues_crawled``, ``failed_issues``.
    """
    listed = (
        select(
            CrawlSession.session_uuid,
            CrawlSession.status,
            Tracker.name.label("tracker"),
            CrawlSession.product,
            CrawlSession.original_query,
            CrawlSession.started_at,
            CrawlSession.duration_seconds,
            CrawlSession.total_issues_found,
            CrawlSession.issues_crawled,
            CrawlSession.failed_issues,
        )
        .outerjoin(Tracker, Tracker.tracker_id == CrawlSession.tracker_id)
        .order_by(CrawlSession.started_at.desc(), CrawlSession.session_id.desc())
        .limit(limit)
        .offset(offset)
    )
    with get_session(user_id=user_id) as session:
        return [dict(row) for row in session.execute(listed).mappings()]
