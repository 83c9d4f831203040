"""A change of an issue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Count, Key, ParentsOwnerId, SourceKey

if TYPE_CHECKING:
    from db.models.issue import Issue


class IssueHistory(Base):
    """One entry of an issue's history, the tracker's or (``observed``) our own."""

    __tablename__ = "issue_history"
    __table_args__ = (
        # The owner is in the key, lest a conflict tell what another's issue has.
        UniqueConstraint("user_id", "issue_pk", "source_key"),
        ForeignKeyConstraint(
            ["user_id", "issue_pk"], ["ims.issues.user_id", "ims.issues.issue_pk"], ondelete="CASCADE"
        ),
        Index(None, "user_id", "changed_at"),
    )

    history_id: Mapped[Key]
    issue_pk: Mapped[BigInt]
    user_id: Mapped[ParentsOwnerId]
    source_key: Mapped[
        SourceKey
    ]  # the tracker's own id, else a stable fingerprint; identical entries are all kept
    position: Mapped[Count]  # the tracker's order
    changed_by: Mapped[str | None]
    changed_at: Mapped[datetime | None]
    change_type: Mapped[str] = mapped_column(
        server_default=text("'field'")
    )  # the record's words, or observed
    field_name: Mapped[str | None]
    old_value: Mapped[str | None]
    new_value: Mapped[str | None]
    description: Mapped[str | None]

    issue: Mapped[Issue] = relationship(back_populates="history")

    def __repr__(self) -> str:
        return f"IssueHistory(history_id={self.history_id!r}, field_name={self.field_name!r})"
