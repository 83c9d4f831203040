"""The stand-in's world can be changed while it runs."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

import pytest

from crawler.sources.ims.standin import Action, Change, FieldChange, Issue, StandIn
from tests.fixtures.standin import ISSUE, SEARCH, Visitor

AT = datetime(2026, 2, 1, 9, 0)


async def test_an_added_issue_is_found_and_shown(standin: StandIn, kim: Visitor) -> None:
    await kim.search("zanzibar")
    standin.add_issue(Issue(number=349000, title="Zanzibar", product="Tibero", status="New", registered=AT))
    assert "'349000'" in await kim.search("zanzibar")
    assert "Zanzibar" in await kim.issue(349000)


async def test_fields_comments_and_history_can_be_edited(standin: StandIn, kim: Visitor) -> None:
    standin.edit_issue(
        348115,
        fields={"Priority": "Low"},
        edited_comments={1: "edited words"},
        removed_comments=[2],
        added_comments=[Action(number=3, author="Bo", at=AT, text="a third one")],
        history=[Change(at=AT, by="Bo", lines=(FieldChange(field="Priority", old="High", new="Low"),))],
        status="Resolved",
        title="Another title",
    )
    page = await kim.issue(348115)
    for words in (
        "edited words",
        "a third one",
        "Priority : High -&gt; Low",
        "Resolved",
        "Another title",
        ">Low&nbsp;",
    ):
        assert words in page
    assert "action_1" in page
    assert 'id="action_2"' not in page
    assert "TACF says" not in page
    assert "'348115'" in await kim.search("+'edited words'")


async def test_a_removed_issue_is_gone_everywhere(standin: StandIn, kim: Visitor) -> None:
    standin.remove_issue(348115)
    assert "does not exist" in await kim.issue(348115)
    assert "'348115'" not in await kim.search()
    assert "348115" not in await kim.issue(342018)


async def test_a_moved_issue_is_listed_under_its_new_number_and_the_old_one_leads_there(
    standin: StandIn, kim: Visitor
) -> None:
    standin.move_issue(348115, 349500)
    page = await kim.search()
    assert "'349500'" in page
    assert "'348115'" not in page
    answer = await kim.client.get(ISSUE, params={"issueId": "348115"})
    assert '<span class="issueNumber">349500</span>' in answer.text


async def test_what_is_not_there_cannot_be_changed(standin: StandIn) -> None:
    with pytest.raises(KeyError):
        standin.edit_issue(1, status="Closed")
    with pytest.raises(KeyError):
        standin.remove_issue(1)


async def test_requests_are_counted_by_path_and_kept_with_their_parameters(
    standin: StandIn, kim: Visitor
) -> None:
    before = standin.requests[ISSUE]
    await kim.issue(348115)
    await kim.issue(1)
    await kim.search("+x", page=2)
    assert standin.requests[ISSUE] - before == 2
    assert standin.requests[SEARCH] == 1
    last = standin.log[-1]
    assert (last.method, last.path, last.param("keyword"), last.param("pageIndex")) == (
        "GET",
        SEARCH,
        "+x",
        "2",
    )


async def test_the_next_requests_fail_as_told_and_only_those(standin: StandIn, kim: Visitor) -> None:
    standin.fail_next(503, times=2, retry_after=7)
    standin.fail_next(429, path=SEARCH)
    answers = [await kim.client.get(ISSUE, params={"issueId": "348115"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None]
    answers = [await kim.client.get(path) for path in (ISSUE, SEARCH, SEARCH)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert "retry-after" not in answers[1].headers


async def test_latency_holds_answers_back_without_blocking_others(standin: StandIn, kim: Visitor) -> None:
    standin.latency = 0.05
    started = time.monotonic()
    await asyncio.gather(*(kim.issue(348115) for _ in range(6)))
    assert 0.05 <= time.monotonic() - started < 0.3
