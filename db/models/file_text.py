"""What attached files say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship
from sqlalchemy.types import Text

from db.models.base import SCHEMA, Base, BigCount, Count, Flag, Key, ParentsOwnerId


class FileText(Base):
    """What the bytes of files say, once for each user; ``Attachment.sha256`` tells which files have them."""

    __tablename__ = "file_texts"

    user_id: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.users.user_id", ondelete="RESTRICT"),
        primary_key=True,
        autoincrement=False,
        server_default=text("ims.current_user_id()"),
    )
    sha256: Mapped[str] = mapped_column(primary_key=True)  # of the bytes, in hexadecimal
    kind: Mapped[str] = mapped_column(server_default=text("'unknown'"))  # by content: log, pdf, zip, ...
    reader: Mapped[Count]  # the version of the reader
    error: Mapped[str | None]  # why it, or a part of it, could not be read
    members: Mapped[Count]  # files within an archive
    characters: Mapped[BigCount]  # that are kept
    capped: Mapped[Flag]  # there is more than is kept: the beginning, the end and the lines of errors are
    codes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # of errors in it
    read_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    parts: Mapped[list[FileTextPart]] = relationship(
        back_populates="file", order_by="FileTextPart.position", passive_deletes=True
    )

    def __repr__(self) -> str:
        return f"FileText(sha256={self.sha256!r}, kind={self.kind!r})"


class FileTextPart(Base):
    """A piece of a file's text."""

    __tablename__ = "file_text_parts"
    __table_args__ = (
        UniqueConstraint("user_id", "sha256", "position"),
        ForeignKeyConstraint(
            ["user_id", "sha256"], ["ims.file_texts.user_id", "ims.file_texts.sha256"], ondelete="CASCADE"
        ),
        Index("file_text_parts_search_vector_idx", "search_vector", postgresql_using="gin"),
    )

    part_id: Mapped[Key]
    user_id: Mapped[ParentsOwnerId]
    sha256: Mapped[str]
    position: Mapped[Count]
    member: Mapped[str] = mapped_column(server_default=text("''"))  # empty: the file itself; inner.zip!/x.log
    first_line: Mapped[int] = mapped_column(server_default=text("1"))  # of the member, counted from 1
    line_numbers: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))  # where they are not in a row
    content: Mapped[str] = mapped_column(server_default=text("''"))
    search_vector: Mapped[Any] = deferred(mapped_column(TSVECTOR, nullable=True))  # kept by a trigger

    file: Mapped[FileText] = relationship(back_populates="parts")

    def __repr__(self) -> str:
        return f"FileTextPart(part_id={self.part_id!r}, member={self.member!r})"
