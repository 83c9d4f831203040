"""Reading the audit log; only the database's triggers write it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import AuditLog


def audit_entries(
    session: Session,
    *,
    resource_type: str | None = None,
    user_id: int | None = None,
    limit: int | None = 100,
    offset: int = 0,
) -> Sequence[AuditLog]:
    """Return the entries that the session may see, the newest first: one's own, for an admin everybody's.

    Args:
        session: acts for whoever asks.
        resource_type: only those about this table.
        user_id: only what this user did.
        limit: at most so many; None: all.
        offset: leave out so many of the newest.
    """
    query = select(AuditLog).order_by(AuditLog.log_id.desc()).limit(limit).offset(offset)
    if resource_type is not None:
        query = query.where(AuditLog.resource_type == resource_type)
    if user_id is not None:
        query = query.where(AuditLog.user_id == user_id)
    return session.scalars(query).all()
