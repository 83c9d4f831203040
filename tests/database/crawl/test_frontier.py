"""The frontier: found once, settled with a reason, written only by who holds the session."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from db.crawl.frontier import (
    Found,
    add_references,
    add_related,
    counts,
    hold_fence,
    mark,
    still_pending,
    take_fence,
    take_pending,
)
from db.errors import FenceLost
from tests.fixtures.tenant import Tenant


def found(*numbers: object) -> list[Found]:
    return [Found(str(n), f"http://localhost/{n}", {"Title": f"t{n}"}) for n in numbers]


async def search(tenant: Tenant, *numbers: object, **options: Any) -> int:
    """One page of a search, committed."""
    values = {"session_id": tenant.session_id, "user_id": tenant.user_id, "fence": 1}
    values |= {"references": found(*numbers), "cursor": "next", "done": False}
    async with tenant.acting() as connection:
        return (await add_references(connection, **{**values, **options})).new


async def pending(tenant: Tenant, after: int = -1, limit: int = 100) -> list[str]:
    async with tenant.acting() as connection:
        taken = await take_pending(
            connection, session_id=tenant.session_id, after_position=after, limit=limit
        )
    return [one.issue_id for one in taken]


async def test_references_and_cursor_are_kept_together_in_the_trackers_order(tenant: Tenant) -> None:
    assert await search(tenant, 3, 1, total=7) == 2
    assert await search(tenant, 2, cursor=None, done=True) == 1
    assert await pending(tenant) == ["3", "1", "2"]
    shown = "SELECT search_cursor, search_done, tracker_total FROM ims.crawl_sessions"
    assert await tenant.rows(shown) == [(None, True, 7)]


async def test_a_reference_found_again_is_neither_added_nor_changed(tenant: Tenant) -> None:
    await search(tenant, 1, 2)
    async with tenant.acting() as connection:
        await mark(connection, session_id=tenant.session_id, outcomes={"1": ("new", None)})
    assert await search(tenant, 2, 1, 3, 3) == 1
    assert await pending(tenant) == ["2", "3"]


async def test_what_is_pending_tells_all_that_fetching_needs(tenant: Tenant) -> None:
    await search(tenant, 1)
    async with tenant.acting() as connection:
        (one,) = await take_pending(connection, session_id=tenant.session_id, after_position=-1, limit=9)
    assert one == ("1", 0, "search", "http://localhost/1", {"Title": "t1"}, 0, {})


async def test_the_frontier_is_read_piece_by_piece(tenant: Tenant) -> None:
    await search(tenant, *range(10))
    assert await pending(tenant, limit=3) == ["0", "1", "2"]
    assert await pending(tenant, after=2, limit=3) == ["3", "4", "5"]


async def test_outcomes_are_written_with_their_reasons(tenant: Tenant) -> None:
    await search(tenant, *range(6))
    outcomes = {"0": ("new", None), "1": ("new", None), "2": ("failed", "N\0"), "3": ("skipped", "other")}
    async with tenant.acting() as connection:
        await mark(connection, session_id=tenant.session_id, outcomes=outcomes)
        assert await counts(connection, session_id=tenant.session_id) == {
            "new": 2,
            "failed": 1,
            "skipped": 1,
            "pending": 2,
        }
    assert await tenant.rows(
        "SELECT issue_id, state, detail, attempts FROM ims.session_frontier WHERE issue_id < '4' ORDER BY 1"
    ) == [
        ("0", "new", None, 1),
        ("1", "new", None, 1),
        ("2", "failed", "N␀", 1),
        ("3", "skipped", "other", 1),
    ]
    assert await pending(tenant) == ["4", "5"]


async def test_after_a_commit_in_doubt_only_what_was_not_committed_is_left(tenant: Tenant) -> None:
    await search(tenant, 1, 2, 3)
    async with tenant.acting() as connection:
        await mark(connection, session_id=tenant.session_id, outcomes={"2": ("new", None)})
        left = await still_pending(connection, session_id=tenant.session_id, issue_ids=["1", "2", "9"])
    assert left == {"1"}


async def test_related_issues_come_behind_what_was_found(tenant: Tenant) -> None:
    await search(tenant, 1, 2)
    async with tenant.acting() as connection:
        ids = {"session_id": tenant.session_id, "user_id": tenant.user_id}
        assert await add_related(connection, **ids, references=found(9, 2)) == 1
        assert await add_related(connection, **ids, references=[]) == 0
    assert await tenant.rows("SELECT issue_id, reason FROM ims.session_frontier ORDER BY position") == [
        ("1", "search"),
        ("2", "search"),
        ("9", "related"),
    ]


async def test_positions_are_given_in_the_order_of_commits(tenant: Tenant) -> None:
    # Who has read up to a position must never miss a reference that is committed later with a smaller one.
    other = await tenant.again()
    async with tenant.acting() as connection:
        ids = {"session_id": tenant.session_id, "user_id": tenant.user_id}
        await add_related(connection, **ids, references=found(1))
        second = asyncio.create_task(search(other, 2, session_id=tenant.session_id, user_id=tenant.user_id))
        await asyncio.sleep(0.05)
        assert not second.done()
    await second
    assert await pending(tenant) == ["1", "2"]


async def test_references_that_cannot_be_stored_as_they_are_do_not_vanish(tenant: Tenant) -> None:
    bad = [Found("1\0", "u\0", {"k": "\ud800"}), Found("9" * 5000, None, {})]
    assert await search(tenant, references=bad, cursor="c\0", total=2**40) == 2
    assert await pending(tenant) == ["1␀", "9" * 500]
    async with tenant.acting() as connection:
        sid = tenant.session_id
        assert await still_pending(connection, session_id=sid, issue_ids=["1\0"]) == {"1\0"}
        await mark(connection, session_id=sid, outcomes={bad[0].issue_id: ("failed", "gone")})
    assert await pending(tenant) == ["9" * 500]


async def test_a_session_that_was_taken_over_cannot_be_written_by_its_former_holder(tenant: Tenant) -> None:
    async with tenant.acting() as connection:
        await hold_fence(connection, session_id=tenant.session_id, fence=1)
        assert await take_fence(connection, session_id=tenant.session_id) == 2
    with pytest.raises(FenceLost):
        await search(tenant, 1)
    with pytest.raises(FenceLost):
        async with tenant.acting() as connection:
            await hold_fence(connection, session_id=tenant.session_id, fence=1)
    assert await pending(tenant) == []
    assert await search(tenant, 1, fence=2) == 1


async def test_nobody_takes_a_session_over_between_the_question_and_the_commit(tenant: Tenant) -> None:
    other = await tenant.again()

    async def take_over() -> int:
        async with other.acting() as connection:
            return await take_fence(connection, session_id=tenant.session_id)

    async with tenant.acting() as connection:
        await hold_fence(connection, session_id=tenant.session_id, fence=1)
        taking = asyncio.create_task(take_over())
        await asyncio.sleep(0.05)
        assert not taking.done()
    assert await taking == 2


async def test_somebody_elses_session_does_not_exist(tenant: Tenant, other_tenant: Tenant) -> None:
    await search(tenant, 1)
    stranger = other_tenant
    stranger.session_id = tenant.session_id
    with pytest.raises(FenceLost):
        await search(stranger, 2)
    async with stranger.acting() as connection:
        with pytest.raises(FenceLost):
            await take_fence(connection, session_id=tenant.session_id)
        assert await counts(connection, session_id=tenant.session_id) == {}
        await mark(connection, session_id=tenant.session_id, outcomes={"1": ("failed", "x")})
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with stranger.acting() as connection:
            await add_related(
                connection, session_id=tenant.session_id, user_id=stranger.user_id, references=found(3)
            )
    assert await pending(tenant) == ["1"]
