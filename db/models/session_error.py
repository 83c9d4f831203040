"""Something that went wrong in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Created, Json, Key, ParentsOwnerId, optional_json_column

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession


class SessionError(Base):
    """An error, warning or remark of a session, about one issue or the whole."""

    __tablename__ = "session_errors"
    __table_args__ = (
        CheckConstraint("severity IN ('error', 'warning', 'info')", name="severity"),
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="CASCADE",
        ),
        Index(None, "user_id", "session_id"),
    )

    error_id: Mapped[Key]
    session_id: Mapped[BigInt]
    user_id: Mapped[ParentsOwnerId]
    issue_id: Mapped[str | None]  # the tracker's number; NULL: the whole session
    error_type: Mapped[str]
    severity: Mapped[str] = mapped_column(server_default=text("'error'"))
    error_message: Mapped[str] = mapped_column(server_default=text("''"))
    error_detail: Mapped[Json | None] = optional_json_column()
    occurred_at: Mapped[Created]

    crawl_session: Mapped[CrawlSession] = relationship(back_populates="session_errors")

    def __repr__(self) -> str:
        return f"SessionError(error_type={self.error_type!r}, severity={self.severity!r})"
