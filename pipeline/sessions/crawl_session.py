"""A crawl session, begun or taken over: what it is asked for, and the lease of whoever works on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from crawler.errors import UsageError
from crawler.query import ParsedQuery, Tree, parse_direct
from db.acting import acting_for
from db.crawl.census import Scope
from db.queries import statements
from pipeline.attachments.limits import Limits, limits_of

HEARTBEAT = timedelta(seconds=15)
SILENCE = 4 * HEARTBEAT  # after so long without a sign of life, a process is taken for dead


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
    limits: Limits = field(default_factory=Limits)  # which of them
    workers: int = 4
    since_last: bool = False  # since stands for the last session's start
    census: bool = False  # look for stored issues that the tracker no longer lists
    allow_mass_removal: bool = False  # a census may remove any number of them
    allow_empty: tuple[str, ...] = ()  # fields that may be empty though they were mostly filled
    notes: tuple[str, ...] = ()  # what else to say of how the question was understood


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionLease:
    """A lease of a session: every writer must still hold its fence."""

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
    limits: Limits = field(default_factory=Limits)  # of attached files
    search_cursor: str | None = None
    search_done: bool = False
    census: bool = False
    allow_mass_removal: bool = False
    allow_empty: tuple[str, ...] = ()
    since_last: bool = False  # since stands for the last session's start
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


def begin(user_id: int, tracker_id: int, request: CrawlRequest) -> SessionLease:
    """Open a session and write down what it is going to search."""
    with acting_for(user_id) as acting:
        return add_session(acting.connection, user_id, tracker_id, request)


def add_session(
    connection: psycopg.Connection,
    user_id: int,
    tracker_id: int,
    request: CrawlRequest,
    **metadata: object,
) -> SessionLease:
    """As :func:`begin`, within the caller's transaction and with more of it noted."""
    query = request.query
    values = {
        "user_id": user_id,
        "tracker_id": tracker_id,
        "product": request.product,
        "original": request.original,
        "text": query.text,
        "language": query.language,
        "method": query.method,
        "confidence": query.confidence,
        "max_results": request.max_results,
        "related": request.related,
        "since": request.since,
        "workers": request.workers,
        "metadata": Jsonb(
            {
                "nl_parsing": {
                    "method": query.method,
                    "confidence": query.confidence,
                    "language": query.language,
                    "explanation": " ".join(filter(None, (query.explanation, *request.notes))),
                    "filters": dict(query.filters),
                },
                "attachments": request.attachments,
                "attachment_limits": request.limits.as_json(),
                "since_last": request.since_last,
                "census": request.census,
                "remove_many": request.allow_mass_removal,
                "allow_empty": list(request.allow_empty),
                **metadata,
            }
        ),
    }
    return _lease(connection, "begin", values)


def take_over(user_id: int, session_uuid: UUID, *, allow_empty: Sequence[str] = ()) -> SessionLease:
    """Continue a session that was interrupted, failed or killed; its former holder can no longer write.

    Args:
        user_id: whose session.
        session_uuid: which one.
        allow_empty: further fields that may be empty from now on.

    Raises:
        UsageError: there is no such session for this user, or nothing is left to do in it.
    """
    with acting_for(user_id) as acting:
        wanted = {"session_uuid": session_uuid, "user_id": user_id}
        session_id = acting.value("sessions", "find", wanted)
        if session_id is None:
            raise UsageError(f"There is no session {session_uuid}: see sessions.")
        drop_chunks(acting.connection, session_id)  # workers that share it stop: it is one process's now
        (row,) = acting.rows("sessions", "lock", {"session_id": session_id})
        if row["status"] == "completed":
            raise UsageError(f"Session {session_uuid} is complete: there is nothing to resume.")
        if row["tracker_id"] is None:
            raise UsageError(f"Session {session_uuid} has no tracker any more: crawl anew.")
        allowed = dict.fromkeys((*row["metadata"].get("allow_empty", ()), *allow_empty))
        values = {"session_id": session_id, "allow_empty": Jsonb(list(allowed))}
        return _lease(acting.connection, "take_over", values)


def read_lease(connection: psycopg.Connection, session_id: int) -> SessionLease:
    """The session as whoever has just locked its row holds it."""
    return _lease(connection, "lease", {"session_id": session_id})


def drop_chunks(connection: psycopg.Connection, session_id: int) -> None:
    """Let nobody work on the session's chunks any more; before its row is locked, as their holders do."""
    connection.execute(statements("sessions")["drop_chunks"], {"session_id": session_id})


def _lease(connection: psycopg.Connection, statement: str, values: Mapping[str, object]) -> SessionLease:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statements("sessions")[statement], values).fetchone()
    assert row is not None  # noqa: S101 - it was just made, or seen
    metadata: dict[str, Any] = row["metadata"]
    return SessionLease(
        session_id=row["session_id"],
        session_uuid=row["session_uuid"],
        user_id=row["user_id"],
        tracker_id=row["tracker_id"],
        fence=row["fence"],
        text=row["parsed_query"] or "",
        tree=parse_direct(row["parsed_query"] or ""),
        filters=metadata.get("nl_parsing", {}).get("filters", {}),
        product=row["product"],
        since=row["since"],
        max_results=row["max_results"],
        crawl_related=row["crawl_related"],
        attachments=bool(metadata.get("attachments")),
        limits=limits_of(metadata.get("attachment_limits")),
        workers=row["parallel_workers"] or 1,
        search_cursor=row["search_cursor"],
        search_done=row["search_done"],
        census=bool(metadata.get("census")),
        allow_mass_removal=bool(metadata.get("remove_many")),
        allow_empty=tuple(metadata.get("allow_empty", ())),
        since_last=bool(metadata.get("since_last")),
        bytes_received=row["bytes_received"] or 0,
    )
