"""A question kept under a name, asked again on a schedule where it has one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Count, Created, Json, Key, OwnerId, json_column

if TYPE_CHECKING:
    from db.models.alert import Alert
    from db.models.run import Run
    from db.models.tracker import Tracker
    from db.models.user import User


class SavedSearch(Base):
    """A favourite, or with ``cron`` a scheduled crawl."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        UniqueConstraint("saved_search_id", "user_id"),
        ForeignKeyConstraint(
            ["user_id", "tracker_id"],
            ["ims.trackers.user_id", "ims.trackers.tracker_id"],
            ondelete="RESTRICT",
        ),
        Index(None, "user_id", "next_run_at"),
    )

    saved_search_id: Mapped[Key]
    user_id: Mapped[OwnerId]
    name: Mapped[str]
    tracker_id: Mapped[BigInt | None]
    query: Mapped[str]
    product: Mapped[str | None]
    options: Mapped[Json] = json_column()
    cron: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(server_default=text("'UTC'"))  # IANA name, for cron
    next_run_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(server_default=true())
    failures: Mapped[Count]  # runs in a row that failed, up to the newest
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    user: Mapped[User] = relationship(back_populates="saved_searches")
    tracker: Mapped[Tracker | None] = relationship(
        primaryjoin="foreign(SavedSearch.tracker_id) == Tracker.tracker_id"
    )

    runs: Mapped[list[Run]] = relationship(
        primaryjoin="foreign(Run.saved_search_id) == SavedSearch.saved_search_id",
        back_populates="schedule",
        order_by="Run.run_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    alert: Mapped[Alert | None] = relationship(
        primaryjoin="foreign(Alert.saved_search_id) == SavedSearch.saved_search_id",
        back_populates="favorite",
        cascade="all, delete-orphan",
        passive_deletes=True,
        uselist=False,
    )

    def __repr__(self) -> str:
        return f"SavedSearch(saved_search_id={self.saved_search_id!r}, name={self.name!r})"
