"""An issue as one user's account saw it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from db.models.base import Base, BigInt, Created, Json, Key, OwnerId, json_column

if TYPE_CHECKING:
    from db.models.attachment import Attachment
    from db.models.issue_comment import IssueComment
    from db.models.issue_history import IssueHistory
    from db.models.issue_relation import IssueRelation
    from db.models.session_issue import SessionIssue
    from db.models.tracker import Tracker


class Issue(Base):
    """An issue; never shared between users, since two accounts see different fields of it."""

    __tablename__ = "issues"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'in_progress', 'done', 'unknown')", name="state"),
        UniqueConstraint("issue_pk", "user_id"),
        UniqueConstraint("user_id", "tracker_id", "issue_id", postgresql_nulls_not_distinct=True),
        ForeignKeyConstraint(
            ["user_id", "tracker_id"],
            ["ims.trackers.user_id", "ims.trackers.tracker_id"],
            ondelete="RESTRICT",
        ),
        Index("issues_user_id_modified_date_idx", "user_id", text("modified_date DESC")),
        Index(None, "user_id", "product"),
        Index("issues_search_vector_idx", "search_vector", postgresql_using="gin"),
    )

    issue_pk: Mapped[Key]
    user_id: Mapped[OwnerId]
    tracker_id: Mapped[BigInt | None]  # NULL: entered by hand
    issue_id: Mapped[str]  # the tracker's number or key
    url: Mapped[str | None]
    title: Mapped[str] = mapped_column(server_default=text("''"))
    description: Mapped[str | None]
    product: Mapped[str | None]
    status: Mapped[str | None]  # the tracker's own word
    state: Mapped[str] = mapped_column(server_default=text("'unknown'"))  # open, in_progress, done, unknown
    priority: Mapped[str | None]
    severity: Mapped[str | None]
    issue_type: Mapped[str | None]
    reporter: Mapped[str | None]
    owner: Mapped[str | None]
    manager: Mapped[str | None]
    registered_date: Mapped[datetime | None]
    modified_date: Mapped[datetime | None]
    closed_date: Mapped[datetime | None]
    project_code: Mapped[str | None]
    project_name: Mapped[str | None]
    site: Mapped[str | None]
    customer: Mapped[str | None]
    module: Mapped[str | None]
    found_version: Mapped[str | None]
    fixed_version: Mapped[str | None]
    target_version: Mapped[str | None]
    full_data: Mapped[Json] = json_column()  # what has no column, under the tracker's names
    content_hash: Mapped[bytes | None]  # of everything seen, children included
    first_crawled_at: Mapped[Created]
    last_crawled_at: Mapped[Created]
    crawl_count: Mapped[int] = mapped_column(server_default=text("1"))
    removed_at: Mapped[datetime | None]  # tombstone
    removed_reason: Mapped[str | None]  # deleted, moved, denied
    tracker_state: Mapped[str | None]  # as told, where a word of the owner's (TrackerState) decides the state
    search_vector: Mapped[Any] = deferred(mapped_column(TSVECTOR, nullable=True))  # kept by triggers

    # Only tracker_id is filled, so that taking the tracker away leaves the owner.
    tracker: Mapped[Tracker | None] = relationship(
        back_populates="issues", primaryjoin="foreign(Issue.tracker_id) == Tracker.tracker_id"
    )
    comments: Mapped[list[IssueComment]] = relationship(
        back_populates="issue",
        order_by="(IssueComment.comment_number, IssueComment.commented_at, IssueComment.comment_id)",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    history: Mapped[list[IssueHistory]] = relationship(
        back_populates="issue",
        order_by="(IssueHistory.changed_at, IssueHistory.position, IssueHistory.history_id)",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    attachments: Mapped[list[Attachment]] = relationship(
        back_populates="issue",
        order_by="(Attachment.attached_at, Attachment.attachment_id)",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    relations: Mapped[list[IssueRelation]] = relationship(
        back_populates="issue",
        order_by="IssueRelation.relation_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    session_issues: Mapped[list[SessionIssue]] = relationship(
        back_populates="issue",
        primaryjoin="foreign(SessionIssue.issue_pk) == Issue.issue_pk",
        order_by="SessionIssue.session_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    def __repr__(self) -> str:
        return f"Issue(issue_pk={self.issue_pk!r}, issue_id={self.issue_id!r})"
