"""A user's day in figures."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from db.models.base import Base, BigCount, Created, Key, OwnerId, figures_column

if TYPE_CHECKING:
    from db.models.user import User


class AnalyticsDaily(Base):
    """The figures of one user's day; days are UTC."""

    __tablename__ = "analytics_daily"
    __table_args__ = (UniqueConstraint("user_id", "stat_date"),)

    stat_id: Mapped[Key]
    user_id: Mapped[OwnerId]
    stat_date: Mapped[date]
    sessions_count: Mapped[BigCount]
    successful_sessions: Mapped[BigCount]
    failed_sessions: Mapped[BigCount]
    issues_crawled: Mapped[BigCount]
    unique_issues: Mapped[BigCount]
    new_issues: Mapped[BigCount]
    attachments_downloaded: Mapped[BigCount]
    avg_session_duration_sec: Mapped[float | None]
    avg_issues_per_session: Mapped[float | None]
    product_stats: Mapped[Any] = figures_column()
    top_queries: Mapped[Any] = figures_column("[]")
    updated_at: Mapped[Created]

    user: Mapped[User] = relationship(back_populates="analytics_daily")

    def __repr__(self) -> str:
        return f"AnalyticsDaily(user_id={self.user_id!r}, stat_date={self.stat_date!r})"
