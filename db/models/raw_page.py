"""A page as it came from the tracker."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, Integer, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from db.models.base import Base, BigInt, Created, Flag, Key, OwnerId


class RawPage(Base):
    """A page kept, so that a parser's fix needs no new crawl."""

    __tablename__ = "raw_pages"
    __table_args__ = (
        UniqueConstraint(
            "user_id", "tracker_id", "issue_id", "part", "sha256", postgresql_nulls_not_distinct=True
        ),
        ForeignKeyConstraint(
            ["user_id", "tracker_id"],
            ["ims.trackers.user_id", "ims.trackers.tracker_id"],
            ondelete="RESTRICT",
        ),
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="SET NULL (session_id)",
        ),
        Index(None, "user_id", "session_id"),
    )

    raw_page_id: Mapped[Key]
    user_id: Mapped[OwnerId]
    tracker_id: Mapped[BigInt | None]
    issue_id: Mapped[str]
    part: Mapped[str] = mapped_column(server_default=text("'issue'"))
    url: Mapped[str | None]
    content_type: Mapped[str | None]
    status: Mapped[int] = mapped_column(SmallInteger, server_default=text("200"))
    body: Mapped[bytes] = deferred(mapped_column(LargeBinary))  # zstd
    size: Mapped[int] = mapped_column(Integer)  # bytes, inflated
    sha256: Mapped[bytes]  # of the inflated bytes
    fetched_at: Mapped[Created]
    session_id: Mapped[BigInt | None]  # the session that brought it first
    quarantined: Mapped[Flag]
    quarantine_reason: Mapped[str | None]

    def __repr__(self) -> str:
        return f"RawPage(issue_id={self.issue_id!r}, part={self.part!r}, size={self.size!r})"
