"""Edits, disappearances, and what a tracker does not tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from db.loader.content_hash import NAMES
from db.rows import AttachmentRow, ChangeRow, CommentRow, IssueRow, RelationRow
from tests.fixtures.tenant import Tenant

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
ISSUE = IssueRow(
    issue_id="1", title="Crash", status="open", state="open", owner="ann", full_data={"os": "linux"}
)
OBSERVED = (
    "SELECT field_name, old_value, new_value"
    " FROM ims.issue_history WHERE change_type = 'observed' ORDER BY field_name, old_value"
)


def comments(*texts: str, **fields: Any) -> tuple[CommentRow, ...]:
    return tuple(
        CommentRow(source_id=f"c{number}", number=number, content=text, **fields)
        for number, text in enumerate(texts, start=1)
    )


def told(field: str | None, old: str | None, new: str | None) -> ChangeRow:
    return ChangeRow(changed_by="bob", changed_at=NOON, field_name=field, old_value=old, new_value=new)


async def test_an_edited_comment_is_updated_and_its_former_text_kept(tenant: Tenant) -> None:
    await tenant.load(replace(ISSUE, comments=comments("one", "two")))
    before = await tenant.rows("SELECT comment_id FROM ims.issue_comments ORDER BY 1")
    await tenant.load(replace(ISSUE, comments=comments("one", "two, edited")))
    assert await tenant.rows("SELECT comment_id FROM ims.issue_comments ORDER BY 1") == before
    assert await tenant.rows("SELECT content FROM ims.issue_comments ORDER BY comment_id") == [
        ("one",),
        ("two, edited",),
    ]
    assert await tenant.rows(OBSERVED) == [("comment 2", "two", "two, edited")]
    age = await tenant.value("SELECT now() - changed_at FROM ims.issue_history")
    assert timedelta() <= age < timedelta(minutes=1)


async def test_every_former_text_of_a_comment_is_kept(tenant: Tenant) -> None:
    for text in ("a", "b", "a", "c"):
        await tenant.load(replace(ISSUE, comments=comments(text)))
    assert [(old, new) for _, old, new in await tenant.rows(OBSERVED)] == [("a", "b"), ("a", "c"), ("b", "a")]


async def test_comments_without_ids_are_known_again_by_author_and_time(tenant: Tenant) -> None:
    def said(*texts: str) -> tuple[CommentRow, ...]:
        return tuple(CommentRow(author="ann", commented_at=NOON, content=text) for text in texts)

    await tenant.load(replace(ISSUE, comments=said("x", "x", "y")))
    await tenant.load(replace(ISSUE, comments=said("x", "x", "y edited")))
    assert await tenant.rows("SELECT content FROM ims.issue_comments ORDER BY comment_id") == [
        ("x",),
        ("x",),
        ("y edited",),
    ]


async def test_a_comment_that_is_gone_gets_a_tombstone_and_loses_it_when_it_returns(tenant: Tenant) -> None:
    shown = "SELECT content, removed_at IS NULL FROM ims.issue_comments ORDER BY comment_id"
    await tenant.load(replace(ISSUE, comments=comments("one", "two")))
    await tenant.load(replace(ISSUE, comments=comments("one")))
    assert await tenant.rows(shown) == [("one", True), ("two", False)]
    removed_at = await tenant.value("SELECT removed_at FROM ims.issue_comments WHERE removed_at IS NOT NULL")
    await tenant.load(replace(ISSUE, title="x", comments=comments("one")))
    assert await tenant.value("SELECT max(removed_at) FROM ims.issue_comments") == removed_at
    await tenant.load(replace(ISSUE, comments=comments("one", "two")))
    assert await tenant.rows(shown) == [("one", True), ("two", True)]


async def test_attachments_and_relations_that_are_gone_get_tombstones(tenant: Tenant) -> None:
    files = (AttachmentRow(filename="a"), AttachmentRow(filename="b"))
    links = (RelationRow(related_issue_id="8"), RelationRow(related_issue_id="9", relation_type="blocks"))
    await tenant.load(replace(ISSUE, attachments=files, relations=links))
    await tenant.load(replace(ISSUE, attachments=files[1:], relations=links[:1]))
    removed = (
        "SELECT filename FROM ims.attachments WHERE removed_at IS NOT NULL"
        " UNION ALL SELECT related_issue_id FROM ims.issue_relations WHERE removed_at IS NOT NULL"
    )
    assert await tenant.rows(removed) == [("a",), ("9",)]
    await tenant.load(replace(ISSUE, attachments=files, relations=links))
    assert await tenant.rows(removed) == []


async def test_what_was_downloaded_of_an_attachment_survives_its_changes(tenant: Tenant) -> None:
    await tenant.load(replace(ISSUE, attachments=(AttachmentRow(source_id="1", filename="a"),)))
    await tenant.rows("UPDATE ims.attachments SET downloaded = true, sha256 = 'beef' RETURNING 1")
    await tenant.load(replace(ISSUE, attachments=(AttachmentRow(source_id="1", filename="renamed"),)))
    shown = await tenant.rows("SELECT filename, downloaded, sha256 FROM ims.attachments")
    assert shown == [("renamed", True, "beef")]


async def test_a_file_that_was_replaced_under_its_name_is_downloaded_again(tenant: Tenant) -> None:
    def attached(moment: datetime) -> IssueRow:
        return replace(ISSUE, attachments=(AttachmentRow(source_id="a", filename="a", attached_at=moment),))

    await tenant.load(attached(NOON))
    await tenant.rows("UPDATE ims.attachments SET downloaded = true, sha256 = 'beef' RETURNING 1")
    await tenant.load(replace(attached(NOON), title="Other"))
    assert await tenant.rows("SELECT downloaded, sha256 FROM ims.attachments") == [(True, "beef")]
    await tenant.load(attached(NOON + timedelta(hours=1)))
    assert await tenant.rows("SELECT downloaded, sha256 FROM ims.attachments") == [(False, "beef")]


async def test_two_links_of_one_kind_to_one_issue_are_one(tenant: Tenant) -> None:
    links = (RelationRow(related_issue_id="8", title="a"), RelationRow(related_issue_id="8", title="b"))
    await tenant.load(replace(ISSUE, relations=links))
    assert await tenant.rows("SELECT related_issue_id, title FROM ims.issue_relations") == [("8", "b")]


async def test_a_related_issue_that_is_called_otherwise_is_no_change_of_this_one(tenant: Tenant) -> None:
    def linked(*titles: str | None) -> IssueRow:
        links = (RelationRow(related_issue_id=str(n), title=title) for n, title in enumerate(titles))
        return replace(ISSUE, relations=tuple(links))

    await tenant.load(linked("a", "b", None))
    before = await tenant.rows("SELECT xmin::text FROM ims.issues")
    again = await tenant.load(linked("a", "new\0", "c"))
    assert set(again.outcomes.values()) == {"unchanged"}
    stored = "SELECT title FROM ims.issue_relations ORDER BY related_issue_id"
    assert await tenant.rows(stored) == [("a",), ("new\u2400",), ("c",)]
    assert await tenant.rows("SELECT xmin::text FROM ims.issues") == before
    assert await tenant.value("SELECT count(*) FROM ims.issue_history") == 0
    await tenant.load(linked("old", "old", None), observe=False)  # from a page that was kept
    assert await tenant.rows(stored) == [("a",), ("new\u2400",), ("c",)]


async def test_how_a_name_is_shown_is_no_change(tenant: Tenant) -> None:
    def called(name: str, **more: Any) -> IssueRow:
        return replace(ISSUE, full_data={NAMES: {"kim": name}}, **more)

    await tenant.load(called("Kim"))
    again = await tenant.load(called("Kim Min-su"))
    assert set(again.outcomes.values()) == {"unchanged"}
    await tenant.load(called("Kim Min-su", title="Other"))
    assert await tenant.rows("SELECT field_name FROM ims.issue_history") == [("title",)]
    assert await tenant.value("SELECT full_data FROM ims.issues") == {NAMES: {"kim": "Kim Min-su"}}


async def test_identical_history_entries_are_all_kept_and_stay_as_many(tenant: Tenant) -> None:
    entry = told("status", "open", "closed")
    await tenant.load(replace(ISSUE, history=(entry, entry)))
    await tenant.load(replace(ISSUE, title="x", history=(entry, entry)), observe=False)
    assert await tenant.value("SELECT count(*) FROM ims.issue_history") == 2
    await tenant.load(replace(ISSUE, history=(entry, entry, entry)), observe=False)
    assert await tenant.value("SELECT count(*) FROM ims.issue_history") == 3


async def test_history_that_the_tracker_forgets_is_kept(tenant: Tenant) -> None:
    await tenant.load(replace(ISSUE, history=(told("a", "1", "2"), told("a", "2", "3"))))
    await tenant.load(replace(ISSUE, history=()))
    assert await tenant.value("SELECT count(*) FROM ims.issue_history") == 2


async def test_a_change_that_the_tracker_does_not_tell_is_observed(tenant: Tenant) -> None:
    await tenant.load(ISSUE)
    await tenant.load(
        replace(ISSUE, status="closed", state="done", owner=None, full_data={"os": "aix", "floor": [3]})
    )
    assert await tenant.rows(OBSERVED) == [
        ("floor", None, "[3]"),
        ("os", "linux", "aix"),
        ("owner", "ann", None),
        ("status", "open", "closed"),
    ]


async def test_a_new_issue_has_nothing_to_observe(tenant: Tenant) -> None:
    await tenant.load(ISSUE)
    assert await tenant.rows(OBSERVED) == []


async def test_times_and_addresses_that_trackers_set_themselves_are_not_observed(tenant: Tenant) -> None:
    await tenant.load(ISSUE)
    later = replace(ISSUE, modified_date=NOON, closed_date=NOON, registered_date=NOON, url="x", state="done")
    assert (await tenant.load(later)).outcomes == {"1": "changed"}
    assert await tenant.rows(OBSERVED) == []


@pytest.mark.parametrize(
    "entry",
    [
        told("status", "open", "Closed "),
        told("상태", "open", "closed"),
        told("Status", None, "closed"),
        told("Etat", "open", "closed"),  # a name that we do not know may be this field's
        told(None, None, "closed"),
    ],
)
async def test_a_change_that_the_trackers_history_tells_is_not_observed(
    tenant: Tenant, entry: ChangeRow
) -> None:
    await tenant.load(ISSUE)
    await tenant.load(replace(ISSUE, status="closed", history=(entry,)))
    assert await tenant.rows(OBSERVED) == []


@pytest.mark.parametrize(
    "entry",
    [
        told("status", "open", "assigned"),  # says something else
        told("priority", "open", "closed"),  # speaks of another field
        told("Sprint", "", None),
    ],
)
async def test_a_change_that_the_trackers_history_tells_otherwise_is_observed(
    tenant: Tenant, entry: ChangeRow
) -> None:
    await tenant.load(ISSUE)
    await tenant.load(replace(ISSUE, status="closed", history=(entry,)))
    assert await tenant.rows(OBSERVED) == [("status", "open", "closed")]


async def test_a_field_that_was_emptied_is_told_only_by_an_entry_of_that_field(tenant: Tenant) -> None:
    await tenant.load(ISSUE)
    comment = ChangeRow(change_type="comment", description="a comment was added")
    await tenant.load(replace(ISSUE, owner=None, history=(comment,)))
    assert await tenant.rows(OBSERVED) == [("owner", "ann", None)]
    await tenant.load(replace(ISSUE, owner="ann", history=(comment, told("assignee", None, "ann"))))
    await tenant.load(
        replace(
            ISSUE,
            owner="",
            history=(comment, told("assignee", None, "ann"), told("assignee", "ann", None)),
        )
    )
    assert len(await tenant.rows(OBSERVED)) == 1


async def test_an_old_entry_does_not_tell_of_a_new_change(tenant: Tenant) -> None:
    old = told("status", "new", "open")
    await tenant.load(replace(ISSUE, history=(old,)))
    await tenant.load(replace(ISSUE, status="closed", history=(old, told("status", "open", "closed"))))
    await tenant.load(replace(ISSUE, history=(old, told("status", "open", "closed"))))
    assert await tenant.rows(OBSERVED) == [("status", "closed", "open")]


async def test_a_column_and_a_custom_field_of_one_name_are_both_observed(tenant: Tenant) -> None:
    await tenant.load(replace(ISSUE, full_data={"status": "a"}))
    await tenant.load(replace(ISSUE, status="closed", full_data={"status": "b"}))
    assert await tenant.rows(OBSERVED) == [("status", "a", "b"), ("status", "open", "closed")]


async def test_a_new_reading_of_old_pages_is_no_change_of_the_tracker(tenant: Tenant) -> None:
    await tenant.load(replace(ISSUE, comments=comments("one")))
    result = await tenant.load(
        replace(ISSUE, status="closed", comments=comments("One")), session_id=None, observe=False
    )
    assert result.outcomes == {"1": "changed"}
    assert await tenant.rows(OBSERVED) == []
    assert await tenant.rows(
        "SELECT status, content FROM ims.issues JOIN ims.issue_comments USING (issue_pk)"
    ) == [("closed", "One")]


async def test_an_issue_that_was_removed_returns_although_nothing_changed(tenant: Tenant) -> None:
    await tenant.load(ISSUE)
    await tenant.rows("UPDATE ims.issues SET removed_at = now(), removed_reason = 'deleted' RETURNING 1")
    assert (await tenant.load(ISSUE)).outcomes == {"1": "changed"}
    assert await tenant.rows("SELECT removed_at, removed_reason FROM ims.issues") == [(None, None)]


async def test_only_the_issues_that_changed_are_followed(tenant: Tenant) -> None:
    other = replace(ISSUE, issue_id="2", comments=comments("stays"))
    await tenant.load(replace(ISSUE, comments=comments("one")), other)
    await tenant.load(replace(ISSUE, title="x"), other)
    assert await tenant.rows("SELECT content FROM ims.issue_comments WHERE removed_at IS NULL") == [
        ("stays",)
    ]
