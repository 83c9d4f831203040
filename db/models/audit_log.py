"""Who did what, when."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, Created, Json, Key, OwnerId, optional_json_column

if TYPE_CHECKING:
    from db.models.user import User


class AuditLog(Base):
    """An entry of the audit log: written by the database's triggers, never changed."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_user_id_created_at_idx", "user_id", text("created_at DESC")),)

    log_id: Mapped[Key]
    user_id: Mapped[OwnerId]  # who did it
    action: Mapped[str]  # insert, update, delete
    resource_type: Mapped[str]  # the table
    resource_id: Mapped[str | None]
    old_value: Mapped[Json | None] = optional_json_column()  # updates: the changed fields only
    new_value: Mapped[Json | None] = optional_json_column()
    ip_address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(
        INET
    )  # NULL: a socket of the same machine
    user_agent: Mapped[str | None]  # the connection's application_name
    created_at: Mapped[Created]

    user: Mapped[User] = relationship(back_populates="audit_logs")

    def __repr__(self) -> str:
        return f"AuditLog({self.log_id!r}, action={self.action!r}, resource_type={self.resource_type!r})"
