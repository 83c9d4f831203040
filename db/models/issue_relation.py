"""A link from an issue to another."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Key, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.issue import Issue


class IssueRelation(Base):
    """A link to another issue of the same tracker, by the tracker's number: it need not be stored here."""

    __tablename__ = "issue_relations"
    __table_args__ = (
        # The owner is in the key, lest a conflict tell what another's issue has.
        UniqueConstraint(
            "user_id",
            "issue_pk",
            "related_issue_id",
            "relation_type",
            name="issue_relations_user_id_issue_pk_link_key",
        ),
        ForeignKeyConstraint(
            ["user_id", "issue_pk"], ["ims.issues.user_id", "ims.issues.issue_pk"], ondelete="CASCADE"
        ),
    )

    relation_id: Mapped[Key]
    issue_pk: Mapped[BigInt]
    user_id: Mapped[ParentsOwnerId]
    related_issue_id: Mapped[str]
    relation_type: Mapped[str] = mapped_column(server_default=text("'related'"))  # the tracker's word
    title: Mapped[str | None]
    removed_at: Mapped[datetime | None]  # tombstone

    issue: Mapped[Issue] = relationship(back_populates="relations")

    def __repr__(self) -> str:
        return f"IssueRelation(relation_id={self.relation_id!r}, related_issue_id={self.related_issue_id!r})"
