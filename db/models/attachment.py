"""A file attached to an issue."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, BigInt, Flag, Key, ParentsOwnerId, SourceKey

if TYPE_CHECKING:
    from db.models.crawl_session import CrawlSession
    from db.models.issue import Issue


class Attachment(Base):
    """What is known of an attached file, and where its bytes and text are once they were fetched."""

    __tablename__ = "attachments"
    __table_args__ = (
        # The owner is in the key, lest a conflict tell what another's issue has.
        UniqueConstraint("user_id", "issue_pk", "source_key"),
        ForeignKeyConstraint(
            ["user_id", "issue_pk"], ["ims.issues.user_id", "ims.issues.issue_pk"], ondelete="CASCADE"
        ),
        Index(
            "attachments_user_id_sha256_idx",
            "user_id",
            "sha256",
            postgresql_where=text("sha256 IS NOT NULL"),
        ),
    )

    attachment_id: Mapped[Key]
    issue_pk: Mapped[BigInt]
    user_id: Mapped[ParentsOwnerId]
    source_key: Mapped[SourceKey]  # the tracker's own id, else a stable fingerprint
    filename: Mapped[str] = mapped_column(
        server_default=text("''")
    )  # as the tracker shows it: data, never a path
    file_type: Mapped[str | None]
    file_size: Mapped[BigInt | None]  # bytes; as the tracker tells it, until the file is here
    sha256: Mapped[str | None]  # of the fetched bytes, in hexadecimal
    file_path: Mapped[str | None]  # relative to the data folder
    download_url: Mapped[str | None]
    downloaded: Mapped[Flag]
    download_error: Mapped[str | None]
    announced_size: Mapped[BigInt | None]  # bytes, as the tracker last told them; it may round
    download_skipped: Mapped[str | None]  # why the last crawl did not want it
    extracted_text: Mapped[str | None]  # its beginning; FileText has all that is kept
    text_extracted: Mapped[Flag]
    text_error: Mapped[str | None]  # why there is no text, or not all of it
    author: Mapped[str | None]
    attached_at: Mapped[datetime | None]
    description: Mapped[str | None]
    removed_at: Mapped[datetime | None]  # tombstone

    issue: Mapped[Issue] = relationship(back_populates="attachments")

    @property
    def session(self) -> CrawlSession | None:
        """The newest session that brought the file's issue; None: the issue was entered by hand."""
        brought = self.issue.session_issues
        return brought[-1].session if brought else None

    def __repr__(self) -> str:
        return f"Attachment(attachment_id={self.attachment_id!r}, filename={self.filename!r})"
