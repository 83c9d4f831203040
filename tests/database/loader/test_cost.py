"""A batch costs what is in it, however much is stored; an unchanged one costs next to nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from db.loader import analyze_due, load_batch
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, RelationRow
from tests.fixtures.database import on_every_server
from tests.fixtures.packed_page import packed
from tests.fixtures.tenant import Tenant

BATCH = 50


def issue(number: int, title: str = "t") -> IssueRow:
    return IssueRow(
        issue_id=str(number),
        title=title,
        description="d" * 500,
        product="p",
        comments=tuple(CommentRow(source_id=str(n), content="c") for n in range(3)),
        history=tuple(ChangeRow(source_id=str(n), field_name="f", new_value=str(n)) for n in range(3)),
        attachments=(AttachmentRow(source_id="1", filename="f"),),
        relations=(RelationRow(related_issue_id="1"),),
        pages=(packed(url="x", body=str(number).encode()),),
    )


async def rows_read(connection: psycopg.AsyncConnection) -> Counter[str]:
    """Rows of our tables that were read, foreign-key checks included, and are not reported yet."""
    read = await connection.execute(
        "SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
        " FROM pg_stat_xact_user_tables WHERE schemaname = 'ims'"
    )
    return Counter(dict(await read.fetchall()))


async def cost(tenant: Tenant, rows: Sequence[IssueRow], outcome: str) -> Counter[str]:
    """How many stored rows a batch reads, by table."""
    ids: dict[str, Any] = {name: getattr(tenant, name) for name in ("user_id", "tracker_id", "session_id")}
    async with tenant.acting() as connection:
        before = await rows_read(connection)
        result = await load_batch(connection, **ids, rows=rows)
        read = await rows_read(connection) - before
    assert set(result.outcomes.values()) == {outcome}
    return read


@on_every_server
async def test_a_batch_reads_no_more_when_more_is_stored(tenant: Tenant) -> None:
    reads: dict[str, list[Counter[str]]] = {"new": [], "changed": [], "unchanged": []}
    number = 0
    for stored in (400, 3000):
        while number * 200 < stored:
            await tenant.load(*map(issue, range(number * 200, number * 200 + 200)))
            number += 1
            if analyze_due(number):
                await tenant.connection.execute("SELECT ims.analyze_tables()")
        new = [issue(10**6 + stored + n) for n in range(BATCH)]
        changed = [issue(n, f"changed {stored}") for n in range(BATCH)]
        for outcome, rows in (("new", new), ("changed", changed), ("unchanged", changed)):
            reads[outcome].append(await cost(tenant, rows, outcome))
    for few, many in reads.values():
        assert many.total() <= few.total() * 1.2 + BATCH
        assert many.total() < 40 * BATCH
    assert reads["unchanged"][1].total() < 5 * BATCH
