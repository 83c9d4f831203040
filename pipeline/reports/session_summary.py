"""What a session came to, as ``crawl --json`` prints it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import get_session
from db.crawl.census import REASONS
from db.models import CrawlSession, SessionError
from db.session import select_rows
from pipeline.sessions.crawl_session import SessionLease

ERRORS_SHOWN = 100


def session_summary(lease: SessionLease) -> dict[str, Any]:
    """The session's figures and its first errors, read from what was committed."""
    with get_session(user_id=lease.user_id) as session:
        row = session.get_one(CrawlSession, lease.session_id)
        errors = session.scalars(
            select(SessionError)
            .where(SessionError.session_id == lease.session_id)
            .order_by(SessionError.error_id)
            .limit(ERRORS_SHOWN)
        )
        figures: dict[str, Any] = {
            "session_uuid": str(row.session_uuid),
            "status": row.status,
            "tracker_total": row.tracker_total,
            "total_issues_found": row.total_issues_found,
            "issues_crawled": row.issues_crawled,
            "issues_new": row.issues_new,
            "issues_changed": row.issues_changed,
            "issues_unchanged": row.issues_unchanged,
            "failed_issues": row.failed_issues,
            "skipped_issues": row.skipped_issues,
            "related_issues": row.related_issues,
            "attachments_downloaded": row.attachments_downloaded,
            **_files(session, lease),
            "duration_seconds": round(row.duration_seconds or 0.0, 3),
            "errors": [
                {
                    "issue_id": error.issue_id,
                    "error_type": error.error_type,
                    "severity": error.severity,
                    "message": error.error_message,
                }
                for error in errors
            ],
        }
        if lease.census:
            figures["removed"] = row.session_metadata.get("removed") or dict.fromkeys(REASONS, 0)
        return figures


def _files(session: Session, lease: SessionLease) -> dict[str, Any]:
    """The attached files of the session's issues that are not here, and why, as on the receipt."""
    if not lease.attachments:
        return {"attachments_missing": 0, "attachments_skipped": 0, "attachment_reasons": {}}
    (receipt,) = select_rows(session, "stats", "receipt", {"session_uuid": lease.session_uuid})
    return {
        name: receipt[name] for name in ("attachments_missing", "attachments_skipped", "attachment_reasons")
    }


def shortfalls(lease: SessionLease) -> list[str]:
    """Why the session did not do all that was asked for although nothing stopped it; a sentence each."""
    with get_session(user_id=lease.user_id) as session:
        told = session.scalars(
            select(SessionError.error_message)
            .where(
                SessionError.session_id == lease.session_id,
                SessionError.issue_id.is_(None),
                SessionError.severity == "error",
            )
            .order_by(SessionError.error_id)
        )
        return list(dict.fromkeys(told))
