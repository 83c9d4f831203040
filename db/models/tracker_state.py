"""What a team's own status words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, ParentsOwnerId

if TYPE_CHECKING:
    from db.models.tracker import Tracker


class TrackerState(Base):
    """The state that a status word of a tracker stands for, whatever the tracker itself says of it."""

    __tablename__ = "tracker_states"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "tracker_id", "word"),
        ForeignKeyConstraint(
            ["user_id", "tracker_id"], ["ims.trackers.user_id", "ims.trackers.tracker_id"], ondelete="CASCADE"
        ),
        CheckConstraint("state IN ('open', 'in_progress', 'done', 'unknown')", name="state"),
        Index(
            "tracker_states_plain_idx",
            "user_id",
            "tracker_id",
            text(r"lower(btrim(regexp_replace(word, '[\s\u00a0]+', ' ', 'g')))"),
            unique=True,
        ),
    )

    user_id: Mapped[ParentsOwnerId]
    tracker_id: Mapped[BigInt] = mapped_column(autoincrement=False)
    word: Mapped[str]  # in whatever case
    state: Mapped[str]  # open, in_progress, done, unknown

    tracker: Mapped[Tracker] = relationship(back_populates="states")

    def __repr__(self) -> str:
        return f"TrackerState({self.word!r}, {self.state!r})"
