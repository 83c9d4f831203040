"""What was told of a favorite's hits."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigInt, Created, ParentsOwnerId


class AlertHit(Base):
    """A hit that was told by a channel, or may have been; there when the alert was set, or told since."""

    __tablename__ = "alert_hits"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "saved_search_id", "issue_pk", "channel"),
        ForeignKeyConstraint(
            ["user_id", "saved_search_id"],
            ["ims.alerts.user_id", "ims.alerts.saved_search_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["user_id", "issue_pk"], ["ims.issues.user_id", "ims.issues.issue_pk"], ondelete="CASCADE"
        ),
        CheckConstraint("channel IN ('command', 'webhook')", name="channel"),
        Index(None, "user_id", "issue_pk"),
    )

    user_id: Mapped[ParentsOwnerId]
    saved_search_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    issue_pk: Mapped[BigInt] = mapped_column(autoincrement=False)
    channel: Mapped[str]  # command, webhook
    claimed_at: Mapped[Created]

    def __repr__(self) -> str:
        return f"AlertHit(issue_pk={self.issue_pk!r}, channel={self.channel!r})"
