"""A part of a session's frontier that one worker takes at a time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Count, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession


class SessionChunk(Base):
    """Some hundred references in a row, with the fence of whoever works on them."""

    __tablename__ = "session_chunks"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "session_id", "chunk_number"),
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("state IN ('waiting', 'working', 'done', 'dropped')", name="state"),
    )

    session_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    chunk_number: Mapped[int] = mapped_column(autoincrement=False)  # from 1 on
    user_id: Mapped[ParentsOwnerId]
    first_position: Mapped[int]  # in the frontier
    last_position: Mapped[int]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    fence: Mapped[Count]  # who holds the chunk: a worker that finds another number has lost it
    attempts: Mapped[Count]  # how often it was taken and not given back in good order
    heartbeat_at: Mapped[datetime | None]

    __mapper_args__ = {"primary_key": [session_id, chunk_number]}  # noqa: RUF012  # the base annotates it

    crawl_session: Mapped[CrawlSession] = relationship(
        primaryjoin="foreign(SessionChunk.session_id) == CrawlSession.session_id"
    )

    def __repr__(self) -> str:
        return f"SessionChunk(chunk_number={self.chunk_number!r}, state={self.state!r})"
