"""What a session came to, as ``crawl --json`` prints it."""

from __future__ import annotations

from typing import Any

from db.acting import Acting, acting_for
from db.crawl.census import REASONS
from pipeline.sessions.crawl_session import SessionLease

ERRORS_SHOWN = 100


def session_summary(lease: SessionLease) -> dict[str, Any]:
    """The session's figures and its first errors, read from what was committed."""
    session = {"session_id": lease.session_id}
    with acting_for(lease.user_id) as acting:
        (figures,) = acting.rows("sessions", "summary", session)
        removed, seconds = figures.pop("removed"), figures.pop("duration_seconds")
        figures |= _files(acting, lease)
        figures["duration_seconds"] = seconds
        figures["errors"] = acting.rows("sessions", "errors", {**session, "limit": ERRORS_SHOWN})
    if lease.census:
        figures["removed"] = removed or dict.fromkeys(REASONS, 0)
    return figures


def _files(acting: Acting, lease: SessionLease) -> dict[str, Any]:
    """The attached files of the session's issues that are not here, and why, as on the receipt."""
    if not lease.attachments:
        return {"attachments_missing": 0, "attachments_skipped": 0, "attachment_reasons": {}}
    (receipt,) = acting.rows("stats", "receipt", {"session_uuid": lease.session_uuid})
    return {
        name: receipt[name] for name in ("attachments_missing", "attachments_skipped", "attachment_reasons")
    }


def shortfalls(lease: SessionLease) -> list[str]:
    """Why the session did not do all that was asked for although nothing stopped it; a sentence each."""
    with acting_for(lease.user_id) as acting:
        told = acting.rows("sessions", "shortfalls", {"session_id": lease.session_id})
    return list(dict.fromkeys(row["error_message"] for row in told))
