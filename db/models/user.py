"""A person whose rows these are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Created, Json, SmallKey, json_column

if TYPE_CHECKING:
    from db.models.analytics_daily import AnalyticsDaily
    from db.models.analytics_monthly import AnalyticsMonthly
    from db.models.audit_log import AuditLog
    from db.models.crawl_session import CrawlSession
    from db.models.saved_search import SavedSearch
    from db.models.search_query import SearchQuery
    from db.models.tracker import Tracker


class User(Base):
    """A user: sees their own row; role, activity and login are changed by admins only."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('admin', 'user', 'readonly')", name="role"),)

    user_id: Mapped[SmallKey]
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None]
    full_name: Mapped[str | None]
    department: Mapped[str | None]
    role: Mapped[str] = mapped_column(server_default=text("'user'"))  # admin, user, readonly
    is_active: Mapped[bool] = mapped_column(server_default=true())
    preferences: Mapped[Json] = json_column()
    db_login: Mapped[str | None] = mapped_column(
        unique=True
    )  # the personal database login, where there is one
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    last_login_at: Mapped[datetime | None]

    crawl_sessions: Mapped[list[CrawlSession]] = relationship(
        back_populates="user", order_by="CrawlSession.session_id", passive_deletes="all"
    )
    trackers: Mapped[list[Tracker]] = relationship(
        back_populates="user", order_by="Tracker.tracker_id", passive_deletes="all"
    )
    search_queries: Mapped[list[SearchQuery]] = relationship(
        back_populates="user", order_by="SearchQuery.query_id", passive_deletes="all"
    )
    saved_searches: Mapped[list[SavedSearch]] = relationship(
        back_populates="user", order_by="SavedSearch.name", passive_deletes="all"
    )
    audit_logs: Mapped[list[AuditLog]] = relationship(
        back_populates="user", order_by="AuditLog.log_id", passive_deletes="all"
    )
    analytics_daily: Mapped[list[AnalyticsDaily]] = relationship(
        back_populates="user", order_by="AnalyticsDaily.stat_date", passive_deletes="all"
    )
    analytics_monthly: Mapped[list[AnalyticsMonthly]] = relationship(
        back_populates="user",
        order_by="(AnalyticsMonthly.year, AnalyticsMonthly.month)",
        passive_deletes="all",
    )

    def __repr__(self) -> str:
        return f"User(user_id={self.user_id!r}, username={self.username!r}, role={self.role!r})"
