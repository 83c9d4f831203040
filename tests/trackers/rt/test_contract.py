"""The source against a real Request Tracker."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from crawler.client import Client
from crawler.errors import Forbidden, LoginRefused, NotFound, UnknownProduct
from crawler.query import parse_direct
from crawler.records import State
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from tests.trackers.rt.fix_server import PASSWORD, RtServer
from tests.trackers.suite import SourceSuite, Tracker, issue, numbers

pytestmark = pytest.mark.xdist_group("rt")

KIND = find_kind("rt")
# Of twelve one was merged into another, one is deleted, and one is in a queue that nobody is shown.
SEEN = frozenset(map(str, (1, 2, 3, 4, 5, 6, 7, 8, 10)))
NETWORK = frozenset({"3", "6", "8"})


_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the usual certificates takes longer than RT


class Remembered(httpx.AsyncBaseTransport):
    """Answers that RT gave before: nothing changes here, and it takes its time for each."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], tuple[int, dict[str, str], bytes]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask RT, unless that account has asked the same before."""
        key = (str(request.url), request.headers.get("authorization", ""))
        if key not in self._answers:
            async with httpx.AsyncHTTPTransport(verify=_NO_TLS) as transport:
                answer = await transport.handle_async_request(request)
                self._answers[key] = (answer.status_code, dict(answer.headers), await answer.aread())
        status, headers, body = self._answers[key]
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


@pytest.fixture(scope="module")
def remembered() -> Remembered:
    """For all tests of this module."""
    return Remembered()


@pytest.fixture
def tracker(rt: RtServer, remembered: Remembered) -> Tracker:
    """All that kim sees, four tickets a page."""
    return Tracker(
        kind=KIND,
        connection=Connection(base_url=rt.url, password=rt.token(), options={"page_size": 4}),
        issues=SEEN,
        missing="99",
        product="net work",
        product_issues=NETWORK,
        word="timeout",
        word_issues=frozenset({"3", "5", "7"}),
        markup_expected=frozenset({"1"}),  # whose sources are kept
        client=lambda connection: Client(connection.base_url, transport=remembered),
    )


class TestRt(SourceSuite):
    """Request Tracker 5 by its REST interface."""


async def test_a_ticket_is_read_with_everything(tracker: Tracker, rt: RtServer) -> None:
    async with tracker.logged_in() as source:
        one = await issue(source, tracker.parser, "1")
        log, picture = [await source.download(file) for file in one.attachments]
    assert (one.title, one.product, one.owner, one.reporter) == (
        "Renamed",
        "General",
        "kim",
        "asker@example.com",
    )
    assert (one.status, one.state, one.priority) == ("open", State.OPEN, "77")
    assert one.description == "ORA-01555 1 타임아웃\nline <b>&</b>"
    assert [(each.author, each.content, each.is_private) for each in one.comments] == [
        ("kim", "An answer\n\n> ORA-01555 1\nof two lines", False),
        ("kim", "Only for staff", True),
        ("kim", "Only HTML & more\na", False),
    ]
    assert [(each.filename, each.file_type, each.file_size) for each in one.attachments] == [
        ("log 1.txt", "text/plain", 36),
        ("그림.png", "image/png", 256),
    ]
    assert (log.body, picture.body) == (b"log\n" * 9, bytes(range(256)))
    assert [(each.relation_type, each.related_issue_id) for each in one.relations] == [
        ("depends-on", "2"),
        ("parent", "4"),
        ("referred-to-by", "3"),
    ]
    assert one.extra["links"] == [{"ref": "refers-to", "url": "https://example.com/wiki/page"}]
    assert (one.extra["Severity"], one.extra["Tags"]) == ("high", ["db", "느림"])
    assert one.extra["Requestor"] == ["asker@example.com"]
    assert one.extra["Cc"] == ["watcher@example.com"]
    assert one.extra["Hidden by rights"] is None
    markup = one.extra["markup"]
    assert isinstance(markup, dict)
    assert list(markup["comments"].values()) == [  # type: ignore[union-attr]
        "<p>Only <b>HTML</b> &amp; more</p><ul><li>a</li></ul>"
    ]
    told = rt.get("ticket/1")
    assert one.modified_date == datetime.fromisoformat(told["LastUpdated"])
    assert one.registered_date == datetime.fromisoformat(told["Created"])
    assert one.closed_date is None


async def test_the_history_is_told_in_names(tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        one = await issue(source, tracker.parser, "1")
        moved = await issue(source, tracker.parser, "8")
    said = [(each.change_type, each.field_name, each.old_value, each.new_value) for each in one.history]
    assert said == [
        ("created", None, None, None),
        ("field", "Status", "new", "open"),
        ("field", "Subject", "Timeout 1", "Renamed"),
        ("field", "Owner", "Nobody", "kim"),
        ("field", "Owner", "Nobody", "kim"),
        ("field", "Priority", "1", "77"),
        ("field", "Severity", None, "low"),
        ("field", "Severity", "low", "high"),
        ("field", "Tags", None, "db"),
        ("field", "Tags", None, "느림"),
        ("relation", "DependsOn", None, "2"),
        ("relation", "MemberOf", None, "4"),
        ("relation", "ReferredToBy", None, "3"),
        ("relation", "RefersTo", None, "https://example.com/wiki/page"),
        ("relation", "DependsOn", None, "5"),
        ("relation", "DependsOn", "5", None),
    ]
    assert [(each.old_value, each.new_value) for each in moved.history if each.field_name == "Queue"] == [
        ("General", "Net work")
    ]


async def test_states_are_those_of_each_queues_lifecycle(tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        found = {number: await issue(source, tracker.parser, number) for number in "123467"}
    assert {number: (one.status, one.state) for number, one in found.items()} == {
        "1": ("open", State.OPEN),
        "2": ("resolved", State.DONE),
        "3": ("shelved", State.OPEN),
        "4": ("stalled", State.OPEN),
        "6": ("wrapped up", State.DONE),
        "7": ("rejected", State.DONE),
    }
    assert found["2"].closed_date is not None


async def test_letters_that_rt_sent_are_neither_comments_nor_history(tracker: Tracker, rt: RtServer) -> None:
    told = rt.get("ticket/5/history?per_page=100&fields=Type")["items"]
    assert "EmailRecord" in {each["Type"] for each in told}
    async with tracker.logged_in() as source:
        five = await issue(source, tracker.parser, "5")
    assert [each.content for each in five.comments] == ["This one is sent by mail"]
    assert {each.field_name for each in five.history} == {None, "Status", "DependedOnBy"}


async def test_deleted_merged_and_hidden_are_told_apart(tracker: Tracker, rt: RtServer) -> None:
    assert rt.get("ticket/12")["Status"] == "deleted"
    async with tracker.logged_in() as source:
        with pytest.raises(NotFound, match="deleted"):
            await source.fetch(Reference(issue_id="12"))
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="11"))
        merged = await issue(source, tracker.parser, "9")
        target = await issue(source, tracker.parser, "10")
    assert merged == target
    assert (merged.issue_id, merged.title) == ("10", "접속 오류 10")
    assert merged.description == "ORA-01555 10 타임아웃\nline <b>&</b>"
    assert [each.content for each in merged.comments] == ["ORA-01555 9 타임아웃\nline <b>&</b>"]
    assert ("merged", "9") in [(each.relation_type, each.related_issue_id) for each in merged.relations]


async def test_another_account_sees_less(tracker: Tracker, rt: RtServer) -> None:
    other = replace(tracker.connection, password=rt.token("lee"))
    async with tracker.open(other) as source:
        await source.login()
        assert set(await numbers(source)) == SEEN - NETWORK
        one = await issue(source, tracker.parser, "1")
        assert [each for each in one.comments if each.is_private] == []
        assert len(one.comments) == 2
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="3"))
        with pytest.raises(UnknownProduct, match="General"):
            await numbers(source, product="Net work")


async def test_the_account_may_be_a_name_and_a_password(tracker: Tracker) -> None:
    named = replace(tracker.connection, username="kim", password=PASSWORD)
    async with tracker.open(named) as source:
        await source.login()
        assert set(await numbers(source)) == SEEN
    for wrong in (replace(named, password="wrong"), replace(named, username=None, password=None)):
        async with tracker.open(wrong) as source:
            with pytest.raises(LoginRefused):
                await source.login()


async def test_since_loses_nothing_in_any_zone(tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        found = {ref.issue_id: ref.modified async for page in source.search(None) for ref in page.references}
        for number, moment in found.items():
            assert moment is not None
            later = {other for other, when in found.items() if when is not None and when >= moment}
            assert set(await numbers(source, since=moment)) == later, number
        assert await numbers(source, since=datetime.now(UTC) + timedelta(days=2)) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("3 5 99", ["5", "3"]),
        ("+3 +5", []),
        ("12 9", []),
        ("3 -timeout", ["3"]),
        ("오류", ["10", "8", "7", "6", "5", "4", "3", "2", "1"]),
    ],
)
async def test_a_query_in_ticketsql(tracker: Tracker, query: str, found: list[str]) -> None:
    async with tracker.logged_in() as source:
        assert await numbers(source, parse_direct(query)) == found


async def test_it_is_recognised(rt: RtServer) -> None:
    assert KIND.recognise is not None
    async with Client(rt.url) as client:
        told = await KIND.recognise(client)
    assert told is not None
    assert told.startswith("Request Tracker 5.")
