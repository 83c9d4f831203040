"""A connection to an issue tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, UniqueConstraint, text
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Created, Json, Key, OwnerId, json_column
from db.models.tracker_secret import TrackerSecret

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession
    from db.models.issue import Issue
    from db.models.tracker_state import TrackerState
    from db.models.user import User


class Tracker(Base):
    """A tracker as one user reaches it: address, account, limits."""

    __tablename__ = "trackers"
    __table_args__ = (
        UniqueConstraint("tracker_id", "user_id"),
        UniqueConstraint("user_id", "name"),
        CheckConstraint("base_url !~ '[?#]'", name="base_url_query"),
    )

    tracker_id: Mapped[Key]
    user_id: Mapped[OwnerId]
    name: Mapped[str]
    kind: Mapped[str]  # ims, trac, redmine, jira, bugzilla, github, gitlab, or a third party's
    base_url: Mapped[str]  # without query or fragment: a key in it would be read by everybody who may look
    username: Mapped[str | None]
    timezone: Mapped[str | None]  # IANA name of the server's own zone; NULL: the kind's default
    rate: Mapped[float | None]  # requests a second, over everybody who uses the host
    concurrency: Mapped[int] = mapped_column(server_default=text("4"))  # likewise
    options: Mapped[Json] = json_column()
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    user: Mapped[User] = relationship(back_populates="trackers")
    stored_secret: Mapped[TrackerSecret | None] = relationship(
        back_populates="tracker", cascade="all, delete-orphan", passive_deletes=True
    )
    # The encrypted password, None where there is none or it is not the acting user's to read.
    secret: AssociationProxy[bytes | None] = association_proxy(
        "stored_secret", "secret", creator=lambda secret: TrackerSecret(secret=secret)
    )
    proxy_secret: AssociationProxy[bytes | None] = association_proxy(
        "stored_secret", "proxy_secret", creator=lambda secret: TrackerSecret(proxy_secret=secret)
    )
    crawl_sessions: Mapped[list[CrawlSession]] = relationship(
        back_populates="tracker",
        primaryjoin="foreign(CrawlSession.tracker_id) == Tracker.tracker_id",
        order_by="CrawlSession.session_id",
        passive_deletes="all",
    )
    issues: Mapped[list[Issue]] = relationship(
        back_populates="tracker",
        primaryjoin="foreign(Issue.tracker_id) == Tracker.tracker_id",
        order_by="Issue.issue_pk",
        passive_deletes="all",
    )

    states: Mapped[list[TrackerState]] = relationship(
        back_populates="tracker",
        order_by="TrackerState.word",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    def __repr__(self) -> str:
        return f"Tracker(tracker_id={self.tracker_id!r}, name={self.name!r}, kind={self.kind!r})"
