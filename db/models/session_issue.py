"""That a session brought an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Count, Flag, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession
    from db.models.issue import Issue


class SessionIssue(Base):
    """An issue in a session: when it came, how long it took, what went wrong."""

    __tablename__ = "session_issues"
    __table_args__ = (
        # The owner is in the key, lest a conflict tell what another's session brought.
        PrimaryKeyConstraint("user_id", "session_id", "issue_pk"),
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["user_id", "issue_pk"], ["ims.issues.user_id", "ims.issues.issue_pk"], ondelete="CASCADE"
        ),
        Index(None, "user_id", "issue_pk"),
    )

    session_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    issue_pk: Mapped[BigInt] = mapped_column(autoincrement=False)
    user_id: Mapped[ParentsOwnerId]
    crawl_order: Mapped[Count]
    crawl_duration_ms: Mapped[int | None]
    had_errors: Mapped[Flag]
    error_message: Mapped[str | None]

    __mapper_args__ = {"primary_key": [session_id, issue_pk]}  # noqa: RUF012  # the base annotates it

    session: Mapped[CrawlSession] = relationship(back_populates="session_issues")
    # The owner comes from the session; the issue must be the same one's.
    issue: Mapped[Issue] = relationship(
        back_populates="session_issues", primaryjoin="foreign(SessionIssue.issue_pk) == Issue.issue_pk"
    )

    def __repr__(self) -> str:
        return f"SessionIssue(session_id={self.session_id!r}, issue_pk={self.issue_pk!r})"
