"""What is new: issues that a schedule's newest run found new or changed, and what is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crawler.errors import UsageError
from db.acting import Acting
from db.sanitize import storable_text
from pipeline.owners import owned

GONE = "gone"
MOST_GONE = 10_000
_REASONS = {"deleted": "deleted", "moved": "moved to another number", "denied": "no longer visible to you"}


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


def list_gone(acting: Acting, name: str | None, *, everybody: bool = False) -> list[dict[str, Any]]:
    """What is gone of what one's own schedules brought, since the run before the newest one.

    A census finds that out, whoever began it. Of trackers without a schedule, what their newest census found.

    Args:
        acting: for the user.
        name: of one schedule only.
        everybody: of everybody's schedules, which the transaction has to see.

    Returns:
        Dictionaries as of :func:`list_news`, whose ``change`` is ``gone`` with a ``reason`` (deleted, moved,
        denied), or ``comment gone`` with a number of ``comments``.
    """
    wanted = {"name": name, "everybody": everybody, "most": MOST_GONE}
    return owned(acting.rows("asking", "gone", wanted), everybody=everybody)


def tell_gone(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """A sentence about what is gone: "3 are gone: 2 deleted, 1 no longer visible to you."; None: nothing."""
    issues = {
        (row["tracker"], row["issue_id"], row.get("owner_user")): row for row in rows if row["change"] == GONE
    }
    reasons = Counter(row["reason"] or "deleted" for row in issues.values())
    parts = [f"{reasons[reason]:,} {words}" for reason, words in _REASONS.items() if reasons[reason]]
    told = (
        f"{len(issues):,} {'is' if len(issues) == 1 else 'are'} gone: {', '.join(parts)}." if issues else ""
    )
    said = {
        (row["tracker"], row["issue_id"], row.get("owner_user")): row["comments"]
        for row in rows
        if row["comments"]
    }
    number = sum(said.values())
    if number:
        told += (
            f"{' ' if told else ''}{number:,} {'comment was' if number == 1 else 'comments were'} deleted."
        )
    return told or None


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
