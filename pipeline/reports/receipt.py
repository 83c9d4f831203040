"""What a session came to, accounted for: what was found against what was stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crawler.errors import UsageError
from db.acting import Acting, acting_for


def receipt(user_id: int, session_uuid: UUID) -> dict[str, Any]:
    """A session's receipt, as ``sql/functions/session_receipt.sql`` gives it.

    Raises:
        UsageError: there is no such session for this user.
    """
    with acting_for(user_id) as acting:
        return receipt_of(acting, session_uuid)


def receipt_of(acting: Acting, session_uuid: UUID) -> dict[str, Any]:
    """As :func:`receipt`, in a transaction that is there already."""
    rows = acting.rows("stats", "receipt", {"session_uuid": session_uuid})
    if not rows:
        raise UsageError(f"There is no session {session_uuid}: see sessions.")
    return rows[0]
