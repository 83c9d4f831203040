"""What is new: issues that a schedule's newest run found new or changed."""

from __future__ import annotations

from typing import Any

from crawler.errors import UsageError
from db.acting import Acting
from db.sanitize import storable_text
from pipeline.owners import owned


def list_news(
    acting: Acting, name: str | None, *, limit: int, offset: int = 0, everybody: bool = False
) -> list[dict[str, Any]]:
    """What the newest run that ended of each of one's own schedules, or everybody's, found new or changed.

    Args:
        acting: for the user.
        name: of one schedule only.
        limit: at most this many.
        offset: skip this many.
        everybody: of everybody's schedules, which the transaction has to see.

    Returns:
        Dictionaries of ``schedule``, ``issue_id``, ``tracker``, ``title``, ``product``, ``status``,
        ``change`` (new or changed), ``url``, ``found_at``; of everybody's also ``owner_user``.
    """
    wanted = {"name": name, "limit": limit, "offset": offset, "everybody": everybody}
    return owned(acting.rows("asking", "news", wanted), everybody=everybody)


def known_name(acting: Acting, name: str, *, everybody: bool) -> str:
    """The name of one's own schedule, or of anybody's.

    Raises:
        UsageError: there is none of that name.
    """
    wanted = storable_text(name if everybody else name.strip())
    if acting.value("asking", "schedule", {"name": wanted, "everybody": everybody}):
        return wanted
    if everybody:
        raise UsageError(f"Nobody has a schedule called {name!r}: see runs --everybody.")
    raise UsageError(f"There is no schedule called {name!r}: see schedule list.")
