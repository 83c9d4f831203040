"""What a session knows it still has to fetch."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Created, Json, ParentsOwnerId, json_column

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession


class SessionFrontier(Base):
    """One reference that a session found, with its state and the reason for it."""

    __tablename__ = "session_frontier"
    __table_args__ = (
        # The owner is in the key, lest a conflict tell what another's session found.
        PrimaryKeyConstraint("user_id", "session_id", "issue_id"),
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("reason IN ('search', 'related', 'census')", name="reason"),
        CheckConstraint(
            "state IN ('pending', 'new', 'changed', 'unchanged', 'failed', 'skipped', 'removed')",
            name="state",
        ),
        # Not only of the pending ones: an index on the state would be written at every outcome.
        Index(None, "user_id", "session_id", "position"),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    session_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    issue_id: Mapped[str] = mapped_column()
    user_id: Mapped[ParentsOwnerId]
    position: Mapped[int]  # the order in which it was found, from 0 on
    reason: Mapped[str] = mapped_column(server_default=text("'search'"))
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    detail: Mapped[str | None]  # why it failed or was skipped
    url: Mapped[str | None]
    listed: Mapped[Json] = json_column()  # the result list's own columns
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    updated_at: Mapped[Created]
    modified_at: Mapped[datetime | None]  # when it was last changed, where the result list tells

    __mapper_args__ = {"primary_key": [session_id, issue_id]}  # noqa: RUF012  # the base annotates it

    crawl_session: Mapped[CrawlSession] = relationship(back_populates="frontier")

    def __repr__(self) -> str:
        return f"SessionFrontier(issue_id={self.issue_id!r}, state={self.state!r})"
