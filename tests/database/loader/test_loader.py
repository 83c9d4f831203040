"""What the loader stores of an issue, and that it stores it once."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from msgspec.structs import replace

from crawler.kept_page import unpack
from db.loader import analyze_due, is_transient, keep_pages, load_batch
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, PackedPageRow, RelationRow
from tests.fixtures.packed_page import packed
from tests.fixtures.schema import ROOT
from tests.fixtures.tenant import MakeTenant, Tenant

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
FULL = IssueRow(
    issue_id="100",
    url="http://localhost/100",
    title="Tibero crashes",
    description="It says 오류 at start",
    product="Tibero",
    status="Assigned",
    state="in_progress",
    priority="high",
    severity="major",
    issue_type="bug",
    reporter="ann",
    owner="bob",
    manager="cho",
    registered_date=NOON,
    modified_date=NOON + timedelta(hours=1),
    closed_date=NOON + timedelta(hours=2),
    project_code="P1",
    project_name="Project",
    site="Seoul",
    customer="Bank",
    module="engine",
    found_version="6",
    fixed_version="7",
    target_version="8",
    full_data={"cc": ["dan", "한글"], "deep": {"n": 1.5, "none": None}},
    comments=(
        CommentRow(source_id="c1", number=1, author="ann", content="one 😀", commented_at=NOON),
        CommentRow(source_id="c2", number=2, author="bob", content="two", is_private=True),
    ),
    history=(
        ChangeRow(
            changed_by="ann", changed_at=NOON, field_name="status", old_value="New", new_value="Assigned"
        ),
        ChangeRow(change_type="text", description="something happened"),
    ),
    attachments=(
        AttachmentRow(
            source_id="a1",
            filename="로그.txt",
            file_type="text/plain",
            file_size=2**40,
            download_url="http://localhost/a1",
            author="ann",
            attached_at=NOON,
            description="a log",
        ),
    ),
    relations=(RelationRow(related_issue_id="7", relation_type="blocks", title="Seven"),),
    position=3,
    crawl_duration_ms=42,
)
COLUMNS = (
    "url, title, description, product, status, state, priority, severity, issue_type, reporter, owner, "
    "manager, registered_date, modified_date, closed_date, project_code, project_name, site, customer, "
    "found_version, fixed_version, target_version, full_data"
)
# Where a row is and who wrote it: equal means that nobody touched it.
PLACES = """
    SELECT 'issue', issue_pk, xmin::text, ctid::text FROM ims.issues
    UNION ALL SELECT 'comment', comment_id, xmin::text, ctid::text FROM ims.issue_comments
    UNION ALL SELECT 'history', history_id, xmin::text, ctid::text FROM ims.issue_history
    UNION ALL SELECT 'attachment', attachment_id, xmin::text, ctid::text FROM ims.attachments
    UNION ALL SELECT 'relation', relation_id, xmin::text, ctid::text FROM ims.issue_relations
    UNION ALL SELECT 'page', raw_page_id, xmin::text, ctid::text FROM ims.raw_pages
    ORDER BY 1, 2"""


def page(body: bytes = b"<html>", minute: int = 0, **other: object) -> PackedPageRow:
    fetched_at = NOON + timedelta(minutes=minute)
    return packed("http://localhost/100", body, fetched_at=fetched_at, **other)


async def test_every_field_of_an_issue_and_its_children_arrives(tenant: Tenant) -> None:
    result = await tenant.load(FULL)
    assert result.outcomes == {"100": "new"}
    assert (result.details, result.comments_stored, result.history_stored) == ({}, 2, 2)
    (stored,) = await tenant.rows(f"SELECT {COLUMNS} FROM ims.issues")  # noqa: S608 - our own constant
    assert stored == tuple(getattr(FULL, name) for name in COLUMNS.split(", "))
    assert await tenant.rows(
        "SELECT comment_number, author, content, commented_at, is_private, removed_at FROM ims.issue_comments"
        " ORDER BY comment_id"
    ) == [(1, "ann", "one 😀", NOON, False, None), (2, "bob", "two", None, True, None)]
    assert await tenant.rows(
        "SELECT position, changed_by, changed_at, change_type, field_name, old_value, new_value, description"
        " FROM ims.issue_history ORDER BY position"
    ) == [
        (0, "ann", NOON, "field", "status", "New", "Assigned", None),
        (1, None, None, "text", None, None, None, "something happened"),
    ]
    assert await tenant.rows(
        "SELECT filename, file_type, file_size, download_url, author, attached_at, description, downloaded"
        " FROM ims.attachments"
    ) == [("로그.txt", "text/plain", 2**40, "http://localhost/a1", "ann", NOON, "a log", False)]
    assert await tenant.rows("SELECT related_issue_id, relation_type, title FROM ims.issue_relations") == [
        ("7", "blocks", "Seven")
    ]
    assert await tenant.rows(
        "SELECT session_id, issue_pk, crawl_order, crawl_duration_ms, had_errors FROM ims.session_issues"
    ) == [(tenant.session_id, result.issue_pks["100"], 3, 42, False)]


async def test_an_unchanged_issue_is_not_written_but_the_session_knows_it(tenant: Tenant) -> None:
    rows = [replace(FULL, issue_id=str(n), pages=(page(),)) for n in range(20)]
    first = await tenant.load(*rows)
    before = await tenant.rows(PLACES)
    session_id = await tenant.begin_session()
    result = await tenant.load(*rows, session_id=session_id)
    assert set(result.outcomes.values()) == {"unchanged"}
    assert (result.comments_stored, result.history_stored, result.pages_kept) == (40, 40, 0)
    assert result.issue_pks == first.issue_pks
    assert await tenant.rows(PLACES) == before
    assert (
        await tenant.value("SELECT count(*) FROM ims.session_issues WHERE session_id = %s", session_id) == 20
    )


async def test_a_changed_issue_is_updated_in_place(tenant: Tenant) -> None:
    first = await tenant.load(FULL)
    result = await tenant.load(replace(FULL, title="Other", owner=None))
    assert result.outcomes == {"100": "changed"}
    assert result.issue_pks == first.issue_pks
    assert await tenant.rows("SELECT title, owner, crawl_count FROM ims.issues") == [("Other", None, 2)]
    assert await tenant.value("SELECT count(*) FROM ims.issue_comments") == 2


async def test_children_that_did_not_change_are_not_written_with_the_issue(tenant: Tenant) -> None:
    await tenant.load(FULL)
    before = [row for row in await tenant.rows(PLACES) if row[0] != "issue"]
    await tenant.load(replace(FULL, status="Other"), observe=False)
    assert [row for row in await tenant.rows(PLACES) if row[0] != "issue"] == before


async def test_only_what_differs_in_a_mixed_batch_is_written(tenant: Tenant) -> None:
    rows = [IssueRow(issue_id=str(n), title="t") for n in range(10)]
    await tenant.load(*rows)
    rows[3] = replace(rows[3], title="u")
    result = await tenant.load(*rows, IssueRow(issue_id="new"))
    assert {number: o for number, o in result.outcomes.items() if o != "unchanged"} == {
        "3": "changed",
        "new": "new",
    }


async def test_issues_entered_by_hand_have_no_tracker_and_are_known_again(tenant: Tenant) -> None:
    for outcome in ("new", "unchanged"):
        result = await tenant.load(FULL, tracker_id=None, session_id=None)
        assert result.outcomes == {"100": outcome}
    assert (await tenant.load(FULL)).outcomes == {"100": "new"}
    assert await tenant.value("SELECT count(*) FROM ims.issues") == 2


async def test_an_empty_batch_is_nothing(tenant: Tenant) -> None:
    assert (await tenant.load()).outcomes == {}


async def test_several_batches_in_one_transaction_do_not_mix(tenant: Tenant) -> None:
    ids = {"user_id": tenant.user_id, "tracker_id": tenant.tracker_id, "session_id": tenant.session_id}
    async with tenant.acting() as connection:
        for number in "123":
            row = IssueRow(issue_id=number, comments=(CommentRow(content=number),))
            await load_batch(connection, **ids, rows=[row])
    assert await tenant.rows(
        "SELECT issue_id, content FROM ims.issues JOIN ims.issue_comments USING (issue_pk) ORDER BY 1"
    ) == [("1", "1"), ("2", "2"), ("3", "3")]
    assert await tenant.value("SELECT max(crawl_count) FROM ims.issues") == 1


async def test_nothing_is_stored_of_a_transaction_that_is_rolled_back(tenant: Tenant) -> None:
    ids = {"user_id": tenant.user_id, "tracker_id": tenant.tracker_id, "session_id": tenant.session_id}
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - what raises comes after the loader
        async with tenant.acting() as connection:
            await load_batch(connection, **ids, rows=[FULL])
            raise ZeroDivisionError
    assert await tenant.rows(PLACES) == []
    assert (await tenant.load(FULL)).outcomes == {"100": "new"}


async def test_a_connection_that_was_wiped_loads_on(tenant: Tenant) -> None:
    await tenant.load(FULL)
    await tenant.connection.execute("DISCARD ALL")
    assert (await tenant.load(replace(FULL, title="x"))).outcomes == {"100": "changed"}


async def test_one_connection_may_load_for_one_user_after_the_other(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    await tenant.load(FULL)
    shared = dataclasses.replace(other_tenant, connection=tenant.connection)
    assert (await shared.load(FULL)).outcomes == {"100": "new"}
    assert await shared.value("SELECT count(*) FROM ims.issue_comments") == 2


async def test_a_user_and_an_admin_may_share_a_connection(tenant: Tenant, make_tenant: MakeTenant) -> None:
    # They act in different groups, and the stages belong to the first one's.
    await tenant.load(FULL)
    shared = dataclasses.replace(await make_tenant(ROOT), connection=tenant.connection)
    assert (await shared.load(FULL)).outcomes == {"100": "new"}
    assert (await tenant.load(replace(FULL, title="x"))).outcomes == {"100": "changed"}


async def test_the_searched_text_is_what_the_triggers_would_make(tenant: Tenant) -> None:
    await tenant.load(FULL, replace(FULL, issue_id="101", comments=(), title="Plain"))
    made = await tenant.rows("SELECT issue_id, search_vector::text FROM ims.issues ORDER BY 1")
    await tenant.rows("UPDATE ims.issues SET title = title RETURNING 1")
    assert await tenant.rows("SELECT issue_id, search_vector::text FROM ims.issues ORDER BY 1") == made
    assert await tenant.rows("SELECT issue_id FROM ims.search_issues('two')") == [("100",)]


async def test_a_statement_after_the_loader_has_its_triggers_again(tenant: Tenant) -> None:
    ids = {"user_id": tenant.user_id, "tracker_id": tenant.tracker_id, "session_id": tenant.session_id}
    async with tenant.acting() as connection:
        await load_batch(connection, **ids, rows=[FULL])
        await connection.execute("UPDATE ims.issues SET title = 'zebra'")
    assert await tenant.rows("SELECT issue_id FROM ims.search_issues('zebra')") == [("100",)]


async def test_removed_comments_are_found_no_more(tenant: Tenant) -> None:
    await tenant.load(FULL)
    await tenant.load(replace(FULL, comments=FULL.comments[:1]))
    assert await tenant.rows("SELECT issue_id FROM ims.search_issues('two')") == []


async def test_texts_of_attachments_stay_searchable_until_the_file_is_gone(tenant: Tenant) -> None:
    await tenant.load(FULL)
    await tenant.rows("UPDATE ims.attachments SET extracted_text = 'walrus' RETURNING 1")
    await tenant.load(replace(FULL, title="Other"))
    assert await tenant.rows("SELECT issue_id FROM ims.search_issues('walrus')") == [("100",)]
    await tenant.load(replace(FULL, title="Other", attachments=()))
    assert await tenant.rows("SELECT issue_id FROM ims.search_issues('walrus')") == []


async def test_texts_of_any_size_are_stored_whole(tenant: Tenant) -> None:
    huge = " ".join(f"word{n}" for n in range(400_000))
    row = IssueRow(issue_id="1", title=huge, description=huge, comments=(CommentRow(content=huge),))
    assert (await tenant.load(row)).outcomes == {"1": "new"}
    assert await tenant.value("SELECT length(description) FROM ims.issues") == len(huge)


async def test_of_one_issue_twice_in_a_batch_the_youngest_is_taken_and_told(tenant: Tenant) -> None:
    old = IssueRow(issue_id="1", title="old", pages=(page(b"a", 1),))
    young = IssueRow(issue_id="1", title="young", pages=(page(b"b", 2),))
    for rows in ((old, young), (young, old)):
        result = await tenant.load(*rows)
        assert list(result.outcomes) == ["1"]
        assert "twice" in result.details["1"]
        assert await tenant.value("SELECT title FROM ims.issues") == "young"
    assert (await tenant.load(young, young)).details == {}


async def test_a_late_observation_does_not_undo_a_younger_one(tenant: Tenant) -> None:
    late = await tenant.again()
    now = datetime.now(UTC)

    def seen(title: str, seconds: float) -> IssueRow:
        body = packed(url="x", body=title.encode(), fetched_at=now + timedelta(seconds=seconds))
        return IssueRow(issue_id="1", title=title, pages=(body,))

    await tenant.load(seen("first", 0))
    await asyncio.sleep(0.02)
    await tenant.load(seen("younger", 0.02))
    result = await late.load(seen("late", 0.01))
    assert result.outcomes == {"1": "unchanged"}
    assert "younger" in result.details["1"]
    assert await tenant.value("SELECT title FROM ims.issues") == "younger"


async def test_a_clock_that_was_ahead_does_not_keep_later_observations_out(tenant: Tenant) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await tenant.load(replace(FULL, pages=(replace(page(), fetched_at=tomorrow),)))
    assert await tenant.value("SELECT last_crawled_at < now() FROM ims.issues")
    behind = replace(FULL, title="later", pages=(replace(page(b"2"), fetched_at=NOON),))
    # What was written before the session began is no rival, whatever the clocks say.
    result = await tenant.load(behind, session_id=await tenant.begin_session())
    assert result.outcomes == {"100": "changed"}


async def test_raw_pages_come_with_what_changed_and_are_kept_once(tenant: Tenant) -> None:
    pages = (page(b"<html>1", 1), page(b"<html>2", 2, part="history"), page(b"<html>1", 3))
    assert (await tenant.load(replace(FULL, pages=pages))).pages_kept == 2
    again = (page(b"<html>1", 5), page(b"<html>3", 6, part="history"))
    assert (await tenant.load(replace(FULL, pages=again))).pages_kept == 0
    assert (await tenant.load(replace(FULL, title="x", pages=again))).pages_kept == 2
    stored = await tenant.rows(
        "SELECT part, body, size, fetched_at, quarantined FROM ims.raw_pages ORDER BY part, fetched_at"
    )
    assert [(part, unpack(body, size), at.minute, bad) for part, body, size, at, bad in stored] == [
        ("history", b"<html>2", 2, False),
        ("history", b"<html>3", 6, False),
        ("issue", b"<html>1", 5, False),
    ]


async def test_pages_that_nobody_could_read_are_kept_with_the_reason(tenant: Tenant) -> None:
    ids = {"user_id": tenant.user_id, "tracker_id": tenant.tracker_id, "session_id": tenant.session_id}
    reason = "its end\0 is missing"
    async with tenant.acting() as connection:
        kept = await keep_pages(connection, **ids, issue_id="9", pages=[page()], quarantine_reason=reason)
    assert kept == 1
    shown = "SELECT quarantined, quarantine_reason FROM ims.raw_pages"
    assert await tenant.rows(shown) == [(True, "its end␀ is missing")]
    await tenant.load(IssueRow(issue_id="9", pages=(page(),)))
    assert await tenant.rows(shown) == [(False, None)]


async def test_two_users_load_the_same_issue_and_neither_sees_the_others(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    await tenant.load(FULL)
    assert (await other_tenant.load(replace(FULL, title="theirs", comments=()))).outcomes == {"100": "new"}
    assert await tenant.rows("SELECT title FROM ims.issues") == [(FULL.title,)]
    assert await other_tenant.rows("SELECT title FROM ims.issues") == [("theirs",)]
    assert await other_tenant.rows("SELECT * FROM ims.issue_comments") == []


@pytest.mark.parametrize("what", ["user_id", "tracker_id", "session_id"])
async def test_nothing_is_loaded_under_somebody_elses_name(
    tenant: Tenant, other_tenant: Tenant, what: str
) -> None:
    with pytest.raises(psycopg.Error):
        await tenant.load(FULL, **{what: getattr(other_tenant, what)})
    for one in (tenant, other_tenant):
        assert await one.rows(PLACES) == []


def test_statistics_are_due_at_the_powers_of_two() -> None:
    assert [n for n in range(20) if analyze_due(n)] == [1, 2, 4, 8, 16]


def test_a_fault_that_passes_is_told_from_one_that_stays() -> None:
    passing = [
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.SerializationFailure(),
        psycopg.errors.LockNotAvailable(),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.ConnectionFailure(),
        psycopg.OperationalError("the connection is lost"),
    ]
    staying = [
        psycopg.errors.UniqueViolation(),
        psycopg.errors.DiskFull(),
        psycopg.errors.ReadOnlySqlTransaction(),
        psycopg.errors.InsufficientPrivilege(),
        ValueError(),
    ]
    assert all(map(is_transient, passing))
    assert not any(map(is_transient, staying))
