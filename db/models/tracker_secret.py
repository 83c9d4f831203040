"""The encrypted passwords of a connection: the account's, and that at its proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Created, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.tracker import Tracker


class TrackerSecret(Base):
    """A table of its own, because not even admins and analysts read what is in it, only its owner."""

    __tablename__ = "tracker_secrets"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "tracker_id"),
        ForeignKeyConstraint(
            ["user_id", "tracker_id"], ["ims.trackers.user_id", "ims.trackers.tracker_id"], ondelete="CASCADE"
        ),
    )

    tracker_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    user_id: Mapped[ParentsOwnerId]
    secret: Mapped[bytes | None]
    proxy_secret: Mapped[bytes | None]
    updated_at: Mapped[Created]

    tracker: Mapped[Tracker] = relationship(back_populates="stored_secret")

    def __repr__(self) -> str:
        return f"TrackerSecret(tracker_id={self.tracker_id!r})"
