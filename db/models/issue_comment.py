"""A comment under an issue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Flag, Key, ParentsOwnerId, SourceKey

if TYPE_CHECKING:
    from db.models.issue import Issue


class IssueComment(Base):
    """One comment, answer or action; removed ones keep their text and say when they went."""

    __tablename__ = "issue_comments"
    __table_args__ = (
        # The owner is in the key, lest a conflict tell what another's issue has.
        UniqueConstraint("user_id", "issue_pk", "source_key"),
        ForeignKeyConstraint(
            ["user_id", "issue_pk"], ["ims.issues.user_id", "ims.issues.issue_pk"], ondelete="CASCADE"
        ),
    )

    comment_id: Mapped[Key]
    issue_pk: Mapped[BigInt]
    user_id: Mapped[ParentsOwnerId]
    source_key: Mapped[SourceKey]  # the tracker's own id, else a stable fingerprint
    comment_number: Mapped[int | None]  # the number that the tracker shows
    author: Mapped[str | None]
    content: Mapped[str] = mapped_column(server_default=text("''"))
    commented_at: Mapped[datetime | None]
    is_private: Mapped[Flag]  # seen by staff only
    removed_at: Mapped[datetime | None]  # tombstone

    issue: Mapped[Issue] = relationship(back_populates="comments")

    def __repr__(self) -> str:
        return f"IssueComment(comment_id={self.comment_id!r}, author={self.author!r})"
