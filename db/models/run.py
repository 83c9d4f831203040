"""One time that a schedule came due."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Count, Created, Key, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession
    from db.models.saved_search import SavedSearch


class Run(Base):
    """What became of one period of a schedule, the skipped ones included."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("user_id", "saved_search_id", "due_at"),
        ForeignKeyConstraint(
            ["user_id", "saved_search_id"],
            ["ims.saved_searches.user_id", "ims.saved_searches.saved_search_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="SET NULL (session_id)",
        ),
        CheckConstraint(
            "status IN ('waiting', 'running', 'completed', 'failed', 'interrupted', 'skipped')",
            name="status",
        ),
        Index(None, "user_id", "session_id"),
    )

    run_id: Mapped[Key]
    user_id: Mapped[ParentsOwnerId]
    saved_search_id: Mapped[BigInt]
    session_id: Mapped[BigInt | None]
    due_at: Mapped[Created]  # the moment of the cron, or when it was asked for by hand
    queue: Mapped[str] = mapped_column(server_default=text("'crawl'"))  # where its jobs are
    status: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    attempts: Mapped[Count]  # how often a worker began with it
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    duration_seconds: Mapped[float | None]
    issues_crawled: Mapped[Count]
    issues_new: Mapped[Count]
    issues_changed: Mapped[Count]
    failed_issues: Mapped[Count]
    error_type: Mapped[str | None]  # the name of the error's class
    error: Mapped[str | None]  # a sentence

    schedule: Mapped[SavedSearch] = relationship(
        primaryjoin="foreign(Run.saved_search_id) == SavedSearch.saved_search_id", back_populates="runs"
    )
    crawl_session: Mapped[CrawlSession | None] = relationship(
        primaryjoin="foreign(Run.session_id) == CrawlSession.session_id"
    )

    def __repr__(self) -> str:
        return f"Run(run_id={self.run_id!r}, status={self.status!r})"
