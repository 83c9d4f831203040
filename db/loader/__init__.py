"""The bulk loader: a batch of issues with all that hangs on them, in the caller's transaction.

It asks what is known of the batch, in one question, and sends only what is new or changed: an unchanged
issue costs no write to it. What is sent goes into temporary stages and from there, by key, into the
tables; nothing is stored twice, whatever is loaded again. The transaction acts for ``user_id`` already
(``ims.set_current_user``) and is the caller's to commit, together with the session's frontier. An error
for which ``is_transient`` holds asks for the whole transaction again.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from db.loader.batch import Batch
from db.loader.pages import keep
from db.loader.result import BatchResult, Outcome
from db.rows import IssueRow, PackedPageRow, SameIssueRow
from db.transient import is_transient

__all__ = ["BatchResult", "Outcome", "analyze_due", "is_transient", "keep_pages", "load_batch"]


async def load_batch(
    connection: psycopg.AsyncConnection,
    *,
    user_id: int,
    tracker_id: int | None,
    session_id: int | None,
    rows: Sequence[IssueRow],
    same: Sequence[SameIssueRow] = (),
    observe: bool = True,
) -> BatchResult:
    """Store a batch of issues.

    Args:
        connection: in a transaction that acts for the user; not in pipeline mode.
        user_id: the owner of everything stored.
        tracker_id: the owner's tracker, or None for issues entered by hand.
        session_id: the owner's session that brought the issues, or None (reparse).
        rows: as read; of one issue that comes twice the youngest observation is taken. A stored
        observation that is
            younger than a row is left as it is.
        same: issues that are stored as they are; one that is among the rows, too, is left out.
        observe: record field changes and edited comments that the tracker does not tell. False where not
        the tracker
            but its reading changed.

    Returns:
        What became of each row. A row that cannot be stored is ``failed`` and the others are stored.

    Raises:
        psycopg.Error: nothing of the batch is stored and the transaction is void.
    """
    batch = Batch(connection, user_id, tracker_id, session_id, observe)
    drafts = batch.prepare(rows)
    others = {each.issue_id: each for each in same if each.issue_id not in batch.result.outcomes}
    others = {number: each for number, each in others.items() if number not in drafts}
    if drafts or others:
        await batch.load(drafts, others)
    return batch.result


def analyze_due(batch_number: int) -> bool:
    """Tell whether statistics are due after this batch of a session, counted from 1: after 1, 2, 4, 8, …

    A schema that was never analyzed makes the server plan its foreign-key checks as if every user had few
    rows.
    """
    return batch_number > 0 and batch_number & (batch_number - 1) == 0


async def keep_pages(
    connection: psycopg.AsyncConnection,
    *,
    user_id: int,
    tracker_id: int | None,
    session_id: int | None,
    issue_id: str,
    pages: Sequence[PackedPageRow],
    quarantine_reason: str | None = None,
) -> int:
    """Keep the raw pages of one issue; identical ones once.

    Args:
        connection: in a transaction that acts for the user.
        user_id: the owner.
        tracker_id: the owner's tracker.
        session_id: the session that brought them.
        issue_id: the issue that was asked for.
        pages: as they came.
        quarantine_reason: why nobody could read them; None for pages that were read.

    Returns:
        How many different pages they are.
    """
    return await keep(
        connection,
        ((issue_id, page) for page in pages),
        user_id=user_id,
        tracker_id=tracker_id,
        session_id=session_id,
        quarantine_reason=quarantine_reason,
    )
