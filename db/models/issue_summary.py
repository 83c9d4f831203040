"""What came of issues in a day or a week."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Count, OwnerId


class IssueSummary(Base):
    """Issues of one product created, closed and reopened in a UTC day or week (from Monday)."""

    __tablename__ = "issue_summaries"
    __table_args__ = (CheckConstraint("period IN ('day', 'week')", name="period"),)

    user_id: Mapped[OwnerId] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)  # day or week
    period_start: Mapped[date] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(
        primary_key=True, server_default=text("''")
    )  # empty: the issue has none
    created: Mapped[Count]
    closed: Mapped[Count]
    reopened: Mapped[Count]

    def __repr__(self) -> str:
        return f"IssueSummary({self.period!r}, {self.period_start!r}, {self.product!r})"
