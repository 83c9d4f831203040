"""The rows of attached files: which are not here, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from crawler.errors import CrawlError
from crawler.records import AttachmentRecord
from db import get_session
from db.models import Attachment, SessionError, SessionIssue
from pipeline.attachments.paths import path_of
from pipeline.logs import told
from pipeline.sessions.claim import Claim


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A file whose bytes are not here."""

    attachment_id: int
    record: AttachmentRecord  # as the tracker last told of it


def missing(claim: Claim) -> list[Missing]:
    """The files of what was claimed that are not here, in the order of its issues."""
    first, last = claim.positions
    with get_session(user_id=claim.lease.user_id) as session:
        rows = session.scalars(
            select(Attachment)
            .join(SessionIssue, SessionIssue.issue_pk == Attachment.issue_pk)
            .where(
                SessionIssue.session_id == claim.lease.session_id,
                SessionIssue.crawl_order.between(first, last),
                ~Attachment.downloaded,
                Attachment.removed_at.is_(None),
                Attachment.download_url.is_not(None),
            )
            .order_by(SessionIssue.crawl_order, Attachment.attachment_id)
        )
        return [
            Missing(
                attachment_id=row.attachment_id,
                record=AttachmentRecord(
                    filename=row.filename,
                    file_type=row.file_type,
                    file_size=row.file_size if row.announced_size is None else row.announced_size,
                    download_url=row.download_url,
                ),
            )
            for row in rows
        ]


def note_file(claim: Claim, entry: Missing, *, digest: str, size: int, file_type: str | None) -> None:
    """Note that a file is here.

    Raises:
        FenceLost: the claim is not ours any more.
    """
    with get_session(user_id=claim.lease.user_id) as session:
        claim.add_files(session, 1)
        row = session.get_one(Attachment, entry.attachment_id)
        if row.sha256 != digest:  # what was read of other bytes is not said of these
            row.text_extracted, row.extracted_text, row.text_error = False, None, None
        row.sha256, row.file_path, row.file_size = digest, str(path_of(digest)), size
        row.file_type = file_type
        row.downloaded, row.download_error, row.download_skipped = True, None, None


def note_failure(claim: Claim, entry: Missing, error: CrawlError) -> None:
    """Note why a file could not be had, in its row and with the session.

    Raises:
        FenceLost: the claim is not ours any more.
    """
    with get_session(user_id=claim.lease.user_id) as session:
        claim.add_files(session, 0)
        row = session.get_one(Attachment, entry.attachment_id)
        row.download_error, row.download_skipped = told(error), None
        session.add(
            SessionError(
                user_id=claim.lease.user_id,
                session_id=claim.lease.session_id,
                error_type=type(error).__name__,
                severity="warning",
                error_message=f"The attachment {entry.record.filename!r} was not fetched: {told(error)}",
            )
        )


def note_skipped(claim: Claim, reasons: Sequence[tuple[int, str]]) -> None:
    """Note why files are not wanted.

    Args:
        claim: of the session that does not want them.
        reasons: by the attachments' ids.

    Raises:
        FenceLost: the claim is not ours any more.
    """
    if not reasons:
        return
    with get_session(user_id=claim.lease.user_id) as session:
        claim.add_files(session, 0)
        session.execute(
            update(Attachment),
            [
                {"attachment_id": key, "download_skipped": reason, "download_error": None}
                for key, reason in reasons
            ],
        )
