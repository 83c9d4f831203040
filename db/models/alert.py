"""Who is told when a favorite has new hits."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Count, Created, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.saved_search import SavedSearch


class Alert(Base):
    """A favorite's alert: each new hit is told once, by a command of the worker's, a webhook, or both."""

    __tablename__ = "alerts"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "saved_search_id"),
        ForeignKeyConstraint(
            ["user_id", "saved_search_id"],
            ["ims.saved_searches.user_id", "ims.saved_searches.saved_search_id"],
            ondelete="CASCADE",
        ),
        Index(None, "user_id", "next_at"),
    )

    user_id: Mapped[ParentsOwnerId]
    saved_search_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    command: Mapped[str | None]  # its name in the worker's notify.toml
    webhook_sealed: Mapped[str | None]  # the address, encrypted
    webhook_site: Mapped[str | None]  # its scheme and host, which may be shown
    cron: Mapped[str | None]  # when a digest is sent; NULL: within a minute or so
    timezone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    next_at: Mapped[Created]
    failures: Mapped[Count]  # in a row, up to the newest
    error: Mapped[str | None]  # a sentence: why nobody was told the last time
    told_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    favorite: Mapped[SavedSearch] = relationship(
        primaryjoin="foreign(Alert.saved_search_id) == SavedSearch.saved_search_id", back_populates="alert"
    )

    def __repr__(self) -> str:
        return f"Alert(saved_search_id={self.saved_search_id!r})"
