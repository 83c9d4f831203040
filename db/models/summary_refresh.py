"""When summaries were worked out."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Created, OwnerId


class SummaryRefresh(Base):
    """The last time that a user's issue summaries were worked out."""

    __tablename__ = "summary_refreshes"

    user_id: Mapped[OwnerId] = mapped_column(primary_key=True)
    refreshed_at: Mapped[Created]

    def __repr__(self) -> str:
        return f"SummaryRefresh(user_id={self.user_id!r}, refreshed_at={self.refreshed_at!r})"
