"""``--since last``: from when on changes are asked for, so that session after session nothing is missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from crawler.sources import find_kind
from db.log_library import structlog
from pipeline.sessions.crawl_session import CrawlRequest

CANNOT_TELL = "The tracker cannot tell what changed since a time: every hit is fetched and compared."
LOOKED_AT = (
    "The tracker cannot tell what changed since a time: every hit is fetched, and left out where its page "
    "tells of nothing since then."
)

log = structlog.get_logger(__name__)


def since_last(user_id: int, tracker_id: int, request: CrawlRequest) -> CrawlRequest:
    """The request for what changed since the last session of the same; for everything where there is none."""
    moment = last_start(user_id, tracker_id, request)
    if moment is None:
        note = "There is no complete session of the same yet: everything is asked for."
    else:
        note = f"Asked for what changed since {moment:%Y-%m-%d %H:%M} UTC."
    return replace(request, since=moment, since_last=True, notes=(*request.notes, note))


def with_since_warning(request: CrawlRequest, kind: str) -> CrawlRequest:
    """The request, with a word about it where this kind of tracker does not know times of change."""
    if request.since is None or find_kind(kind).features.tells_changes:
        return request
    note = CANNOT_TELL if request.since_last else LOOKED_AT
    log.info(note)
    return replace(request, notes=(*request.notes, note))


def last_start(user_id: int, tracker_id: int, request: CrawlRequest) -> datetime | None:
    """When the user's last session that answered the same question began, less an overlap.

    A session counts that is completed, left nothing out (no failed issue, no limit), asked for at least as
    much, and itself saw either everything or everything since such a session: otherwise a change between the
    two would be in neither.

    Args:
        user_id: whose sessions.
        tracker_id: of which tracker.
        request: what is asked for now.

    Returns:
        An aware time; None: there was no such session.
    """
    from sqlalchemy import ColumnElement, func, literal, or_, select
    from sqlalchemy.dialects.postgresql import JSONB

    from db import get_session
    from db.models import CrawlSession, Tracker

    metadata = CrawlSession.session_metadata
    conditions: list[ColumnElement[bool]] = [
        CrawlSession.user_id == user_id,
        CrawlSession.tracker_id == tracker_id,
        CrawlSession.parsed_query == request.query.text,
        CrawlSession.product.is_not_distinct_from(request.product),
        CrawlSession.status == "completed",
        CrawlSession.failed_issues == 0,
        CrawlSession.max_results.is_(None),
        metadata["nl_parsing"]["filters"] == request.query.filters,
        or_(CrawlSession.since.is_(None), metadata["since_last"].as_boolean()),
        metadata["census"].as_boolean().is_not(True),
    ]
    if request.related:
        conditions.append(CrawlSession.crawl_related.is_(True))
    if request.attachments:
        limits = request.limits.as_json()
        conditions += [
            metadata["attachments"].as_boolean(),
            func.coalesce(metadata["attachment_limits"], literal({}, JSONB)) == literal(limits, JSONB),
        ]
    newest = (
        select(CrawlSession.started_at, Tracker.kind)
        .join(Tracker, Tracker.tracker_id == CrawlSession.tracker_id)
        .where(*conditions)
        .order_by(CrawlSession.started_at.desc())
    )
    with get_session(user_id=user_id) as session:
        row = session.execute(newest.limit(1)).first()
    return None if row is None else row.started_at - find_kind(row.kind).features.since_overlap
