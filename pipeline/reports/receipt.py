"""What a session came to, accounted for: what was found against what was stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from crawler.errors import UsageError
from db import get_session
from db.session import select_rows


def receipt(user_id: int, session_uuid: UUID) -> dict[str, Any]:
    """A session's receipt, as ``sql/functions/session_receipt.sql`` gives it.

    Raises:
        UsageError: there is no such session for this user.
    """
    with get_session(user_id=user_id) as session:
        rows = select_rows(session, "stats", "receipt", {"session_uuid": session_uuid})
    if not rows:
        raise UsageError(f"There is no session {session_uuid}: see sessions.")
    return rows[0]
