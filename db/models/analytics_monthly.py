"""A user's month in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from db.models.base import Base, BigCount, Created, Key, OwnerId, figures_column

if TYPE_CHECKING:
    from db.models.user import User


class AnalyticsMonthly(Base):
    """The figures of one user's month; months are UTC."""

    __tablename__ = "analytics_monthly"
    __table_args__ = (UniqueConstraint("user_id", "year", "month"),)

    stat_id: Mapped[Key]
    user_id: Mapped[OwnerId]
    year: Mapped[int]
    month: Mapped[int]  # 1 to 12
    total_sessions: Mapped[BigCount]
    avg_sessions_per_day: Mapped[float | None]
    total_issues_crawled: Mapped[BigCount]
    unique_issues: Mapped[BigCount]
    keyword_trends: Mapped[Any] = figures_column()
    product_distribution: Mapped[Any] = figures_column()
    issue_status_breakdown: Mapped[Any] = figures_column()
    avg_parsing_confidence: Mapped[float | None]
    synonym_expansion_rate: Mapped[float | None]
    updated_at: Mapped[Created]

    user: Mapped[User] = relationship(back_populates="analytics_monthly")

    def __repr__(self) -> str:
        return f"AnalyticsMonthly(user_id={self.user_id!r}, year={self.year!r}, month={self.month!r})"
