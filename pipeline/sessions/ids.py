"""Sessions named by the first digits of their ids, as people copy them from a list."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy import select

from crawler.errors import UsageError
from db import get_session
from db.models import CrawlSession

_FEWEST = 4  # digits
_NAMED = 5  # as many candidates are named
_DIGITS = re.compile(f"[0-9a-f]{{{_FEWEST},32}}")


def full_id(user_id: int, text: str) -> UUID:
    """Return the id of the session that the text begins; a whole id is not looked up.

    Args:
        user_id: for whom.
        text: at least four digits, with or without hyphens.

    Raises:
        UsageError: it is no such beginning, no session has it, or several have.
    """
    digits = text.strip().lower().replace("-", "")
    if not _DIGITS.fullmatch(digits):
        raise UsageError(f"{text!r} is not the id of a session, nor its first digits: see sessions.")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    if first == last:
        return first
    listed = (
        select(CrawlSession.session_uuid, CrawlSession.original_query)
        .where(CrawlSession.session_uuid.between(first, last))
        .order_by(CrawlSession.started_at.desc())
        .limit(_NAMED + 1)
    )
    with get_session(user_id=user_id) as session:
        found = [(uuid, query) for uuid, query in session.execute(listed)]
    if not found:
        raise UsageError(f"There is no session {text}: see sessions.")
    if len(found) > 1:
        named = ", ".join(f"{uuid} ({query})" for uuid, query in found[:_NAMED])
        further = ", …" if len(found) > _NAMED else ""
        raise UsageError(f"Several sessions begin with {text}: {named}{further}. Give more digits.")
    return found[0][0]
