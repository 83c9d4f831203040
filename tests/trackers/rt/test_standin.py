"""The source against a stand-in: what a booted RT does not show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from crawler.client import Client
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
    UnknownProduct,
)
from crawler.records import State
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from tests.fixtures.api_server import Reply
from tests.trackers.rt.standin import FIRST, TOKEN, RtStandIn
from tests.trackers.suite import SourceSuite, Tracker, issue, numbers

KIND = find_kind("rt")
PAGE = Reply(b"<html>log in</html>", headers={"content-type": "text/html"})


@pytest.fixture
def server() -> Iterator[RtStandIn]:
    """An RT of seven tickets, one in another queue, one with a file."""
    server = RtStandIn()
    server.tickets[4]["Queue"] = 3
    server.attach(5, server.transactions[5][1]["id"], "text/plain", b"log\n", "로그 a%.txt")
    with server.serving():
        yield server


@pytest.fixture
def tracker(server: RtStandIn) -> Tracker:
    """The account with the token, three tickets a page."""
    seen = frozenset(str(number) for number in server.tickets)
    return Tracker(
        kind=KIND,
        connection=Connection(base_url=server.url, password=TOKEN, options={"page_size": 3}),
        issues=seen,
        missing="99",
        product="general",
        product_issues=seen - {"4"},
        word="timeout",
        word_issues=frozenset({"1", "3", "5", "7"}),
    )


class TestStandIn(SourceSuite):
    """Request Tracker by its REST interface."""


async def test_a_ticket_costs_four_requests_and_a_name_one_for_all(
    server: RtStandIn, tracker: Tracker
) -> None:
    for number in (1, 2):
        server.change(number, "Set", FIRST, Field="Owner", OldValue="6", NewValue="27")
        server.change(number, "Set", FIRST, Field="Owner", OldValue="27", NewValue="404")
    async with tracker.logged_in() as source:
        await source.fetch(Reference(issue_id="1"))
        server.asked.clear()
        second = tracker.parser.parse(await source.fetch(Reference(issue_id="2")))
    attachments = "ticket/2/attachments"  # what there is, and what is written in it
    assert server.asked_paths() == ["ticket/2", "ticket/2/history", attachments, attachments]
    assert [(each.old_value, each.new_value) for each in second.history if each.field_name == "Owner"] == [
        ("Nobody", "kim"),
        ("kim", "404"),  # somebody who is not shown
    ]


@pytest.mark.parametrize("tells", [True, False])
async def test_a_long_history_is_read_to_its_end(server: RtStandIn, tracker: Tracker, tells: bool) -> None:
    server.tells_totals = tells
    for each in range(230):
        moment = FIRST + timedelta(days=30, minutes=each)
        server.write(3, "Comment", f"note {each}", moment, "text/html" if each % 50 == 0 else "text/plain")
        server.change(3, "Set", moment, Field="Priority", OldValue=str(each), NewValue=str(each + 1))
    async with tracker.logged_in() as source:
        record = await issue(source, tracker.parser, "3")
    assert [each.content for each in record.comments if each.is_private] == [f"note {n}" for n in range(230)]
    assert [each.new_value for each in record.history[1:]] == [str(n + 1) for n in range(230)]
    assert record.history_announced == (231 if tells else None)


async def test_entries_that_are_not_shown_hide_none_behind_them(server: RtStandIn, tracker: Tracker) -> None:
    for each in range(150):
        server.change(3, "Set", FIRST + timedelta(days=30, minutes=each), Field="Priority", NewValue="1")
        server.transactions[3][-1]["hidden"] = each < 90
    async with tracker.logged_in() as source:
        record = await issue(source, tracker.parser, "3")
    assert len(record.history) == 61


@pytest.mark.parametrize("tells", [True, False])
async def test_a_list_loses_nothing_whether_its_length_is_told_or_not(
    server: RtStandIn, tracker: Tracker, tells: bool
) -> None:
    for number in range(8, 40):
        server.add(number)
    server.tells_tickets = tells  # only where it leaves nothing out of a page afterwards
    server.hidden = set() if tells else set(range(20, 27))  # two pages of them and more
    async with tracker.logged_in() as source:
        found = await numbers(source)
    assert found == [str(number) for number in range(39, 0, -1) if number not in server.hidden]


async def test_tickets_that_are_made_while_the_list_is_read_shift_nothing(
    server: RtStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        found: list[str] = []
        async for page in source.search(None):
            found += [ref.issue_id for ref in page.references]
            server.add(max(server.tickets) + 1)
            server.tickets.pop(7, None)
    assert found == list("7654321")


@pytest.mark.parametrize("hours", [-12, 0, 14])
async def test_since_is_told_in_any_zone(server: RtStandIn, tracker: Tracker, hours: int) -> None:
    server.zone = timedelta(hours=hours)
    async with tracker.logged_in() as source:
        moment = FIRST + timedelta(days=4, minutes=3)  # when 4 was changed
        assert await numbers(source, since=moment) == list("7654")
        assert await numbers(source, since=moment + timedelta(microseconds=5)) == list("7654")
        assert await numbers(source, since=moment + timedelta(seconds=1)) == list("765")
        assert await numbers(source, since=moment, limit=3) == list("765")


async def test_gone_moved_and_hidden(server: RtStandIn, tracker: Tracker) -> None:
    server.tickets[1]["Status"] = "deleted"
    server.merged[2] = 3
    server.hidden.add(4)
    async with tracker.logged_in() as source:
        assert await numbers(source) == ["7", "6", "5", "3"]
        for number in ("1", "99", "x", "９"):
            with pytest.raises(NotFound):
                await source.fetch(Reference(issue_id=number))
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="4"))
        assert (await issue(source, tracker.parser, "2")).issue_id == "3"


@pytest.mark.parametrize("status", [403, 404])
async def test_a_refusal_of_something_else_is_no_sign_that_a_ticket_is_gone(
    server: RtStandIn, tracker: Tracker, status: int
) -> None:
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: Reply(b"<h1>no</h1>", status))
        with pytest.raises(ItemError) as refusal:
            await source.fetch(Reference(issue_id="1"))
    assert isinstance(refusal.value, PageRejected)
    assert not isinstance(refusal.value, NotFound | Forbidden)


async def test_a_token_that_is_taken_back_stops_the_crawl(server: RtStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: Reply({"message": "Unauthorized"}, 401))
        with pytest.raises(NotPermitted, match="Auth Tokens"):
            await source.fetch(Reference(issue_id="1"))
        with pytest.raises(NotPermitted, match="Auth Tokens"):
            await numbers(source)


async def test_the_token_is_in_a_header_only(server: RtStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        pages = await source.fetch(Reference(issue_id="5"))
    assert [page for page in pages if TOKEN in page.url or TOKEN.encode() in page.body] == []
    assert [asked for asked in server.asked if TOKEN in asked.raw_path] == []
    assert [page for page in pages if b"kim@example.com" in page.body] == []  # who was looked up


async def test_a_status_of_an_own_lifecycle(server: RtStandIn, tracker: Tracker) -> None:
    server.tickets[1]["Status"] = "wrapped up"
    server.tickets[2]["Status"] = "somewhere"
    async with tracker.logged_in() as source:
        assert (await issue(source, tracker.parser, "1")).state is State.DONE
        assert (await issue(source, tracker.parser, "2")).state is State.OPEN


async def test_a_queue_is_found_behind_a_page_of_hidden_ones(server: RtStandIn, tracker: Tracker) -> None:
    server.hidden_queues = 130
    async with tracker.logged_in() as source:
        assert await numbers(source, product="Net work") == ["4"]


async def test_an_unknown_queue_names_those_that_there_are(tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        with pytest.raises(UnknownProduct, match="Net work"):
            await numbers(source, product="Network")


@pytest.mark.parametrize(
    ("reply", "error", "sentence"),
    [
        (Reply({"message": "Unauthorized"}, 401), LoginRefused, "Auth Tokens"),
        (Reply({"message": "Forbidden"}, 403), NotPermitted, "administrators"),
        (Reply(b"", 404), TrackerError, "RT::Extension::REST2"),
        (PAGE, TrackerError, "not JSON"),
        (Reply({"Version": None}), TrackerError, "Version"),
    ],
)
async def test_a_login_that_fails_says_what_to_do(
    server: RtStandIn, tracker: Tracker, reply: Reply, error: type[CrawlError], sentence: str
) -> None:
    server.before.append(lambda asked: reply)
    async with tracker.open() as source:
        with pytest.raises(error, match=sentence) as refusal:
            await source.login()
    assert TOKEN not in str(refusal.value)


@pytest.mark.parametrize(
    "reply",
    [
        PAGE,
        Reply({"items": None, "total": 1}),
        Reply({"items": [{"id": "x"}]}),
        Reply({"items": [{}], "total": 1}),
        Reply({"items": [], "total": -1}),
        Reply({"message": "Incomplete query"}, 400),
        Reply({"items": [{"id": "99999999999"}], "total": 1}),
    ],
)
async def test_a_list_that_is_none_is_said(server: RtStandIn, tracker: Tracker, reply: Reply) -> None:
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: reply)
        with pytest.raises(TrackerError):
            await numbers(source)


async def test_a_list_that_ignores_the_question_does_not_go_round(
    server: RtStandIn, tracker: Tracker
) -> None:
    reply = Reply({"items": [{"id": "7"}, {"id": "6"}, {"id": "5"}], "total": 9})
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: reply)
        with pytest.raises(TrackerError, match="keep to the numbers"):
            await numbers(source)


@pytest.mark.parametrize("total", [None, 900])
async def test_a_history_that_is_the_same_on_every_page_is_refused(
    server: RtStandIn, tracker: Tracker, total: int | None
) -> None:
    rows = [{"id": str(n), "Type": "Set", "Created": "2020-01-01T00:00:00Z"} for n in range(100)]
    reply = Reply({"items": rows, "total": total})
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: reply if asked.path.endswith("/history") else None)
        with pytest.raises(PageRejected, match="same page"):
            await source.fetch(Reference(issue_id="1"))


async def test_a_file_whose_bytes_are_none_is_rejected(server: RtStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        (file,) = (await issue(source, tracker.parser, "5")).attachments
        assert (file.filename, file.file_size) == ("로그 a%.txt", 4)
        assert (await source.download(file)).body == b"log\n"
        server.before.append(lambda asked: Reply({"Content": "x"}))
        with pytest.raises(PageRejected, match="base64"):
            await source.download(file)
        for url in (None, "http://elsewhere.example.com/REST/2.0/attachment/1"):
            with pytest.raises(NotFound):
                await source.download(replace(file, download_url=url))


async def test_another_program_is_not_recognised(server: RtStandIn) -> None:
    assert KIND.recognise is not None
    async with Client(server.url) as client:
        assert await KIND.recognise(client) is None  # its front page is none of RT's
        front = Reply(b"<span>RT Version 5.0.7 (Debian)</span>", headers={"content-type": "text/html"})
        server.before.append(lambda asked: front if asked.path == "/" else None)
        assert await KIND.recognise(client) == "Request Tracker 5.0.7"
        server.before.insert(0, lambda asked: PAGE)
        assert await KIND.recognise(client) is None


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://rt.example.com/Ticket/Display.html?id=12#txn-3", "https://rt.example.com"),
        ("https://example.com/rt/Search/Results.html?Query=id", "https://example.com/rt"),
        ("https://example.com/rt/REST/2.0/ticket/1", "https://example.com/rt"),
        ("https://example.com/SelfService/Display.html?id=3", "https://example.com"),
        ("https://example.com/ticket/3", None),  # Trac's
        ("https://kim:secret@example.com/Ticket/Display.html", None),
        ("http://[", None),
    ],
)
def test_the_address_of_a_page_gives_that_of_the_tracker(url: str, base: str | None) -> None:
    assert KIND.base_of is not None
    assert KIND.base_of(url) == base
