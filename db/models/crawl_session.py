"""One run of a question against a tracker."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import (
    Amount,
    Base,
    BigCount,
    BigInt,
    Count,
    Created,
    Flag,
    Json,
    Key,
    OwnerId,
    json_column,
)

if TYPE_CHECKING:
    from db.models.attachment import Attachment
    from db.models.search_query import SearchQuery
    from db.models.session_error import SessionError
    from db.models.session_frontier import SessionFrontier
    from db.models.session_issue import SessionIssue
    from db.models.tracker import Tracker
    from db.models.user import User


class CrawlSession(Base):
    """A crawl session: what was asked, how far it came, and the figures of its receipt."""

    __tablename__ = "crawl_sessions"
    __table_args__ = (
        CheckConstraint(
            "status IN ('running', 'completed', 'failed', 'cancelled', 'interrupted')", name="status"
        ),
        UniqueConstraint("session_id", "user_id"),
        UniqueConstraint("user_id", "session_uuid"),
        ForeignKeyConstraint(
            ["user_id", "tracker_id"],
            ["ims.trackers.user_id", "ims.trackers.tracker_id"],
            ondelete="RESTRICT",
        ),
        Index("crawl_sessions_user_id_started_at_idx", "user_id", text("started_at DESC")),
    )

    session_id: Mapped[Key]
    session_uuid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"))
    user_id: Mapped[OwnerId]
    tracker_id: Mapped[BigInt | None]
    product: Mapped[str | None]
    original_query: Mapped[str] = mapped_column(server_default=text("''"))
    parsed_query: Mapped[str | None]
    query_language: Mapped[str | None]
    max_results: Mapped[int | None]
    crawl_related: Mapped[Flag]
    status: Mapped[str] = mapped_column(server_default=text("'running'"))
    started_at: Mapped[Created]
    completed_at: Mapped[datetime | None]
    duration_seconds: Mapped[float | None]
    total_issues_found: Mapped[Count]
    issues_crawled: Mapped[Count]
    attachments_downloaded: Mapped[Count]
    failed_issues: Mapped[Count]
    related_issues: Mapped[Count]
    search_time_ms: Mapped[BigInt | None]
    crawl_time_ms: Mapped[BigInt | None]
    avg_issue_time_ms: Mapped[float | None]
    parallel_workers: Mapped[int | None]
    data_path: Mapped[str | None]
    session_metadata: Mapped[Json] = json_column("metadata")

    since: Mapped[datetime | None]  # only issues changed at or after this time were asked for
    search_cursor: Mapped[str | None]  # where the search goes on after the references found so far
    search_done: Mapped[Flag]
    fence: Mapped[Count]  # who holds the session: a process that finds another number has lost it
    heartbeat_at: Mapped[datetime | None]
    moved_at: Mapped[datetime | None]  # when something moved last: a page came, or a batch was stored
    waits_for: Mapped[str | None]  # while it runs and nothing moves
    tracker_total: Mapped[int | None]  # the tracker's own count of hits
    issues_new: Mapped[Count]
    issues_changed: Mapped[Count]
    issues_unchanged: Mapped[Count]
    skipped_issues: Mapped[Count]
    requests: Mapped[BigCount]
    retries: Mapped[BigCount]
    bytes_received: Mapped[BigCount]
    wait_seconds: Mapped[Amount]  # time spent being polite
    comments_announced: Mapped[BigCount]
    comments_stored: Mapped[BigCount]
    history_announced: Mapped[BigCount]
    history_stored: Mapped[BigCount]
    pages_kept: Mapped[BigCount]

    user: Mapped[User] = relationship(back_populates="crawl_sessions")
    # Only tracker_id is filled, so that taking the tracker away leaves the owner.
    tracker: Mapped[Tracker | None] = relationship(
        back_populates="crawl_sessions",
        primaryjoin="foreign(CrawlSession.tracker_id) == Tracker.tracker_id",
    )
    session_issues: Mapped[list[SessionIssue]] = relationship(
        back_populates="session",
        order_by="SessionIssue.crawl_order",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    # The files of the issues that the session brought, to be looked at; an issue is where they hang.
    attachments: Mapped[list[Attachment]] = relationship(
        secondary="ims.session_issues",
        primaryjoin="CrawlSession.session_id == SessionIssue.session_id",
        secondaryjoin="foreign(Attachment.issue_pk) == SessionIssue.issue_pk",
        order_by="Attachment.attachment_id",
        viewonly=True,
    )
    frontier: Mapped[list[SessionFrontier]] = relationship(
        back_populates="crawl_session",
        order_by="SessionFrontier.position",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    search_queries: Mapped[list[SearchQuery]] = relationship(
        back_populates="crawl_session",
        order_by="SearchQuery.query_id",
        passive_deletes="all",
        overlaps="search_queries,user",
    )
    session_errors: Mapped[list[SessionError]] = relationship(
        back_populates="crawl_session",
        order_by="SessionError.error_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    def __repr__(self) -> str:
        return f"CrawlSession(session_uuid={str(self.session_uuid)!r}, status={self.status!r})"
