"""What cannot be stored costs its cell or its row, never the batch; what passes is told from what stays."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest
from msgspec.structs import replace

from db.loader import is_transient, load_batch
from db.rows import CommentRow, IssueRow
from tests.fixtures.packed_page import packed
from tests.fixtures.schema import Database
from tests.fixtures.tenant import Tenant

GOOD = [IssueRow(issue_id=str(n), title=f"issue {n}", comments=(CommentRow(content="c"),)) for n in range(9)]


async def test_bad_cells_are_mended_and_told_and_not_mended_again(tenant: Tenant) -> None:
    bad = IssueRow(
        issue_id="bad",
        title="N\0L",
        description="half \ud83d",
        full_data={"k\0": "\udfff"},
        closed_date=datetime.max.replace(tzinfo=UTC),
        comments=(CommentRow(content="\0", number=2**40),),
        error_message="\0",
    )
    result = await tenant.load(*GOOD, bad)
    assert set(result.outcomes.values()) == {"new"}
    assert set(result.details) == {"bad"}
    for cell in ("title", "description", "full_data", "closed_date", "comment 1 content", "comment 1 number"):
        assert cell in result.details["bad"]
    assert await tenant.rows(
        "SELECT title, description, full_data, closed_date, content, comment_number, error_message"
        " FROM ims.issues JOIN ims.issue_comments USING (issue_pk) JOIN ims.session_issues USING (issue_pk)"
        " WHERE issue_id = 'bad'"
    ) == [("N␀L", "half \ufffd", {"k␀": "\ufffd"}, None, "␀", None, "␀")]
    again = await tenant.load(*GOOD, bad)
    assert set(again.outcomes.values()) == {"unchanged"}
    assert again.details == {}


async def test_a_row_that_cannot_be_stored_fails_alone_and_says_why(
    tenant: Tenant, database: Database
) -> None:
    with database.superuser() as administrator:  # a refusal of the database that no mending foresees
        administrator.execute("ALTER TABLE ims.issue_comments ADD CHECK (content <> 'poison')")
    rows = [
        replace(row, comments=(CommentRow(content="poison"),)) if row.issue_id in "26" else row
        for row in GOOD
    ]
    result = await tenant.load(*rows)
    assert {number for number, outcome in result.outcomes.items() if outcome == "failed"} == {"2", "6"}
    assert "refuses" in result.details["2"]
    assert "poison" not in result.details["2"]
    assert "2" not in result.issue_pks
    assert result.comments_stored == 7
    assert await tenant.rows(
        "SELECT issue_id, content FROM ims.issues JOIN ims.issue_comments USING (issue_pk) ORDER BY 1"
    ) == [(n, "c") for n in "0134578"]
    assert await tenant.value("SELECT count(*) FROM ims.session_issues") == 7


async def test_a_failed_row_leaves_its_stored_version_as_it_was(tenant: Tenant, database: Database) -> None:
    await tenant.load(*GOOD)
    with database.superuser() as administrator:
        administrator.execute("ALTER TABLE ims.issues ADD CHECK (title <> 'poison')")
    result = await tenant.load(
        *(replace(row, title="poison" if row.issue_id == "4" else "x") for row in GOOD)
    )
    assert result.outcomes["4"] == "failed"
    assert await tenant.rows("SELECT issue_id FROM ims.issues WHERE title <> 'x'") == [("4",)]
    assert await tenant.value("SELECT count(*) FROM ims.issue_comments") == 9


@pytest.mark.parametrize("number", ["", "1\0", "\ud800", "9" * 5000])
async def test_an_issue_without_a_storable_number_fails_alone(tenant: Tenant, number: str) -> None:
    result = await tenant.load(*GOOD, IssueRow(issue_id=number))
    assert result.outcomes.pop(number) == "failed"
    assert set(result.outcomes.values()) == {"new"}
    assert "number" in result.details[number]


async def test_values_of_the_wrong_kind_cost_their_row_only(tenant: Tenant) -> None:
    wrong = IssueRow(issue_id="wrong", comments=(CommentRow(content=b"bytes"),))  # type: ignore[arg-type] # the fault
    result = await tenant.load(*GOOD, wrong)
    assert result.outcomes.pop("wrong") == "failed"
    assert set(result.outcomes.values()) == {"new"}


async def test_odd_pages_and_figures_are_stored_as_far_as_they_can_be(tenant: Tenant) -> None:
    page = packed(url="u\0", body=b"", part="p" * 5000, status=-1, fetched_at=datetime(2024, 1, 1))
    row = IssueRow(issue_id="1", pages=(page,), position=2**40, crawl_duration_ms=-5)
    assert (await tenant.load(row)).outcomes == {"1": "new"}
    assert await tenant.rows("SELECT crawl_order, crawl_duration_ms FROM ims.session_issues") == [(10**9, 0)]
    assert await tenant.rows("SELECT url, status, now() - fetched_at < '1 min' FROM ims.raw_pages") == [
        ("u␀", 0, True)
    ]


async def test_two_loaders_of_one_user_neither_deadlock_nor_store_twice(tenant: Tenant) -> None:
    other = await tenant.again()

    async def crawl(loader: Tenant, order: int) -> None:
        for turn in range(5):
            await loader.load(*(replace(row, title=f"{turn} {order}") for row in GOOD[::order]))

    await asyncio.gather(crawl(tenant, 1), crawl(other, -1))
    assert await tenant.value("SELECT count(*) FROM ims.issues") == 9
    assert await tenant.value("SELECT count(*) FROM ims.issue_comments") == 9


async def test_a_loader_compares_with_what_another_one_just_committed(tenant: Tenant) -> None:
    other = await tenant.again()
    loaded = asyncio.Event()

    async def first() -> None:
        async with tenant.acting() as connection:
            await load_batch(
                connection,
                user_id=tenant.user_id,
                tracker_id=tenant.tracker_id,
                session_id=tenant.session_id,
                rows=GOOD,
            )
            loaded.set()
            await asyncio.sleep(0.1)  # the other one asks meanwhile

    async def second() -> dict[str, str]:
        await loaded.wait()
        return dict((await other.load(*GOOD)).outcomes)

    _, outcomes = await asyncio.gather(first(), second())
    assert set(outcomes.values()) == {"unchanged"}


async def test_a_killed_connection_is_a_fault_that_passes(tenant: Tenant, database: Database) -> None:
    with pytest.raises(psycopg.Error) as caught:  # noqa: PT012 - the kill must come within the transaction
        async with tenant.acting() as connection:
            with database.superuser() as administrator:
                administrator.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
            await load_batch(
                connection,
                user_id=tenant.user_id,
                tracker_id=tenant.tracker_id,
                session_id=tenant.session_id,
                rows=GOOD,
            )
    assert is_transient(caught.value)


async def test_a_read_only_database_is_no_row_s_fault(tenant: Tenant) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as caught:  # noqa: PT012 - so must this setting
        async with tenant.acting() as connection:
            await connection.execute("SET TRANSACTION READ ONLY")
            await load_batch(connection, user_id=tenant.user_id, tracker_id=None, session_id=None, rows=GOOD)
    assert not is_transient(caught.value)
