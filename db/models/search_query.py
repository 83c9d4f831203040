"""A question that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, relationship

from db.models.base import Base, BigInt, Created, Key, OwnerId

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession
    from db.models.user import User


class SearchQuery(Base):
    """A search, of a tracker (with its session) or of what is stored; it outlives its session."""

    __tablename__ = "search_queries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["ims.crawl_sessions.user_id", "ims.crawl_sessions.session_id"],
            ondelete="SET NULL (session_id)",
        ),
        Index("search_queries_user_id_queried_at_idx", "user_id", text("queried_at DESC")),
        Index(None, "user_id", "session_id"),
    )

    query_id: Mapped[Key]
    user_id: Mapped[OwnerId]
    session_id: Mapped[BigInt | None]
    original_query: Mapped[str]
    parsed_query: Mapped[str | None]
    query_language: Mapped[str | None]
    product: Mapped[str | None]
    results_count: Mapped[int | None]
    parsing_method: Mapped[str | None]  # direct, rules, llm
    parsing_confidence: Mapped[float | None]  # 0 to 1
    queried_at: Mapped[Created]

    user: Mapped[User] = relationship(back_populates="search_queries")
    crawl_session: Mapped[CrawlSession | None] = relationship(
        back_populates="search_queries", overlaps="search_queries,user"
    )

    def __repr__(self) -> str:
        return f"SearchQuery(query_id={self.query_id!r}, original_query={self.original_query!r})"
