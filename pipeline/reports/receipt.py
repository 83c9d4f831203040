"""What a session came to, accounted for: what was found against what was stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from crawler.errors import UsageError
from db import get_session

_RECEIPT = text("SELECT * FROM ims.session_receipt(:wanted)")


def receipt(session_uuid: UUID) -> dict[str, Any]:
    """The session's receipt, as ``sql/functions/session_receipt.sql`` gives it.

    Raises:
        UsageError: there is no such session for this user.
    """
    with get_session() as session:
        row = session.execute(_RECEIPT, {"wanted": session_uuid}).mappings().one_or_none()
    if row is None:
        raise UsageError(f"There is no session {session_uuid}: see sessions.")
    return dict(row)
