"""Which sessions were left over by processes that ended or died, and which are still worked on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    case,
    column,
    exists,
    func,
    null,
    or_,
    select,
    table,
)

from db import get_session
from db.models import CrawlSession, SessionChunk
from pipeline.sessions.crawl_session import SILENCE


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOver:
    """The sessions of a user that are not complete."""

    resumable: list[UUID]  # that nobody works on, the oldest first
    alive: list[UUID]  # that some process works on
    silent: dict[UUID, float]  # that a process may still work on: in how many seconds it is taken for dead


def left_over(user_id: int) -> LeftOver:
    """Tell which of the user's sessions can be resumed, and what of the others.

    A process is dead when its connection to the database is gone, or when it has given no sign of life for
    long. What workers share is theirs as long as there is work for them.
    """
    shared = exists().where(
        SessionChunk.session_id == CrawlSession.session_id, SessionChunk.state.in_(("waiting", "working"))
    )
    ended = CrawlSession.status.in_(("interrupted", "failed"))
    listed = (
        select(CrawlSession.session_uuid, ended.label("ended"), _connected(), _silence())
        .where(CrawlSession.user_id == user_id, or_(ended, and_(CrawlSession.status == "running", ~shared)))
        .order_by(CrawlSession.started_at, CrawlSession.session_id)
    )
    left = LeftOver(resumable=[], alive=[], silent={})
    with get_session(user_id=user_id) as session:
        for session_uuid, has_ended, connected, silence in session.execute(listed):
            remaining = (SILENCE - silence).total_seconds()
            if has_ended or connected is False or remaining <= 0:
                left.resumable.append(session_uuid)
            elif connected:
                left.alive.append(session_uuid)
            else:
                left.silent[session_uuid] = remaining
    return left


def _connected() -> ColumnElement[bool | None]:
    """Whether a running session's holder has its connection; NULL: not known, or the server was restarted."""
    backend = CrawlSession.session_metadata["backend"].as_integer()
    activity = table("pg_stat_activity", column("pid", Integer), schema="pg_catalog")
    known = and_(backend.is_not(None), func.pg_postmaster_start_time() < CrawlSession.heartbeat_at)
    return case((known, exists().where(activity.c.pid == backend)), else_=null()).label("connected")


def _silence() -> ColumnElement[timedelta]:
    last = func.coalesce(CrawlSession.heartbeat_at, CrawlSession.started_at)
    return (func.clock_timestamp() - last).label("silence")
