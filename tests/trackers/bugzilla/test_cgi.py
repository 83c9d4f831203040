"""A Bugzilla without a REST API: the same bugs, read by its pages."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crawler.client import Client
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    PageRejected,
    TrackerError,
)
from crawler.html import LexborDocument, SoupDocument
from crawler.query import Clause, Tree
from crawler.records import IssueRecord, State
from crawler.source import Connection, RawPage, Reference
from crawler.sources.bugzilla import KIND
from crawler.sources.bugzilla.parse.activity import moment_of, read_activity
from crawler.sources.bugzilla.parse.bug import BugzillaParser
from crawler.sources.bugzilla.parse.listing import read_list
from crawler.sources.bugzilla.parse.xml import alone, clean, read_bugzilla
from crawler.sources.bugzilla.source import BugzillaSource
from tests.fixtures.api_server import Reply
from tests.fixtures.shell import Shell
from tests.trackers.bugzilla.cgi_standin import PASSWORD, CgiStandIn, filled_cgi
from tests.trackers.bugzilla.standin import KEY, KIM, filled
from tests.trackers.suite import SourceSuite, Tracker, numbers

UTC_ZONE = ZoneInfo("UTC")
PAGE = Reply(b"<html><title>Log in</title></html>", 200, {"Content-Type": "text/html"})


@pytest.fixture
def bugzilla() -> Iterator[CgiStandIn]:
    standin = filled_cgi()
    with standin.serving():
        yield standin


@pytest.fixture(scope="module")
def pages_only() -> Iterator[Tracker]:
    bugzilla = filled_cgi()
    bugs = bugzilla.bugs.values()
    with bugzilla.serving() as url:
        yield Tracker(
            kind=KIND,
            connection=Connection(base_url=f"{url}/bugs", username=KIM, password=PASSWORD),
            issues=frozenset(str(bug.id) for bug in bugs),
            missing="999",
            product="Mail",
            product_issues=frozenset(str(bug.id) for bug in bugs if bug.fields["product"] == "Mail"),
            word="zebra",
            word_issues=frozenset(str(bug.id) for bug in bugs if "zebra" in bug.comments[0]["text"]),
            expire_sessions=bugzilla.sessions.clear,
            logins=lambda: bugzilla.logins,
        )


class TestPages(SourceSuite):
    """A Bugzilla 4.2 by a name and its password."""

    @pytest.fixture
    def tracker(self, pages_only: Tracker) -> Tracker:
        return pages_only

    async def test_the_total_is_the_trackers_own(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            assert {page.total async for page in source.search(None)} == {None}  # it tells none


@asynccontextmanager
async def opened(bugzilla: Any, **other: Any) -> AsyncIterator[BugzillaSource]:
    who = {"username": KIM, "password": PASSWORD} | other
    connection = Connection(base_url=f"{bugzilla.url}/bugs", **who)
    async with Client(connection.base_url, tries=1) as client:
        yield BugzillaSource(connection, client)


async def record(source: BugzillaSource, number: str) -> IssueRecord:
    return BugzillaParser(Connection(base_url="")).parse(await source.fetch(Reference(issue_id=number)))


def instead(bugzilla: CgiStandIn, end: str, reply: Reply) -> None:
    bugzilla.before.append(lambda asked: reply if asked.path.endswith(end) else None)


async def test_a_bug_reads_as_it_does_by_the_api(bugzilla: CgiStandIn) -> None:
    by_api = filled()
    with by_api.serving():
        async with opened(bugzilla) as pages, opened(by_api, password=KEY) as api:
            for number in map(str, bugzilla.bugs):
                read, told = await record(pages, number), await record(api, number)
                kept = {
                    name: told.extra[name]
                    for name in ("cf_site", "op_sys", "resolution")
                    if name in told.extra
                }
                assert {name: read.extra.get(name) for name in kept} == kept
                history = tuple(
                    replace(each, field_name=(each.field_name or "").lower())
                    for each in read.history
                    if each.field_name != "is_open"
                )
                assert history == tuple(each for each in told.history if each.field_name != "is_open")
                same = {"extra": {}, "history": (), "url": None, "attachments": (), "relations": ()}
                assert replace(read, **same) == replace(told, **same)
                assert set(read.relations) == set(told.relations)
                files = [replace(each, download_url=None) for each in read.attachments]
                assert files == [replace(each, download_url=None) for each in told.attachments]


async def test_a_batch_gives_what_each_bug_gives_alone(bugzilla: CgiStandIn) -> None:
    bugzilla.bugs[3].hidden = True
    wanted = ["1", "2", "3", "999", "x", "5"]
    async with opened(bugzilla) as source:
        together = await source.fetch_many([Reference(issue_id=number) for number in wanted])
        kinds = [type(each) if isinstance(each, ItemError) else None for each in together]
        assert kinds == [None, None, Forbidden, NotFound, NotFound, None]
        parser = BugzillaParser(Connection(base_url=""))
        for number, outcome in zip(wanted, together, strict=True):
            if not isinstance(outcome, ItemError):
                assert parser.parse(outcome) == await record(source, number)
                assert PASSWORD not in str([page.url for page in outcome])


@pytest.mark.parametrize(
    ("how", "sentence"),
    [({"password": "wrong"}, "or its password"), ({"username": None, "password": KEY}, "no API key")],
)
async def test_a_login_that_fails_says_what_to_do(
    bugzilla: CgiStandIn, how: dict[str, Any], sentence: str
) -> None:
    async with opened(bugzilla, **how) as source:
        with pytest.raises(LoginRefused, match=sentence):
            await source.login()
    assert bugzilla.logins == ("wrong" in how.values())


async def test_without_a_secret_it_is_read_as_anybody_may(bugzilla: CgiStandIn) -> None:
    async with opened(bugzilla, username=None, password=None) as source:
        assert "5" not in await numbers(source)
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="5"))
    assert bugzilla.logins == 0


async def test_a_login_that_ended_makes_no_bug_vanish(bugzilla: CgiStandIn) -> None:
    async with opened(bugzilla) as source:
        await source.login()
        bugzilla.sessions.clear()
        assert (await record(source, "5")).issue_id == "5"
        pages = source.search(None)
        await anext(aiter(pages))
        bugzilla.sessions.clear()
        with pytest.raises(TrackerError, match="ended the login"):
            [page async for page in pages]


@pytest.mark.parametrize(
    ("end", "reply", "kind"),
    [
        ("buglist.cgi", PAGE, TrackerError),
        ("buglist.cgi", Reply(b'bug_id,"changeddate"\n1\n'), TrackerError),
        ("buglist.cgi", Reply(b'bug_id,"changeddate"\n1,x\n2,y\n'), TrackerError),
        ("buglist.cgi", Reply(b"", 403), TrackerError),
        ("show_bug.cgi", PAGE, PageRejected),
        ("show_bug.cgi", Reply(b"", 404), TrackerError),
        ("show_activity.cgi", PAGE, PageRejected),
        ("show_activity.cgi", Reply(b"", 403), TrackerError),
    ],
)
async def test_a_page_that_is_none_is_told_and_buries_nothing(
    bugzilla: CgiStandIn, end: str, reply: Reply, kind: type[CrawlError]
) -> None:
    async with opened(bugzilla) as source:
        await source.login()
        instead(bugzilla, end, reply)
        with pytest.raises(kind):
            await (numbers(source) if end == "buglist.cgi" else record(source, "1"))


async def test_numbers_and_days_are_asked_for(bugzilla: CgiStandIn) -> None:
    many = Tree(tuple(Clause(str(number), number=True) for number in (*range(5, 500), 3)))
    bugzilla.pass_time(days=30)
    since = bugzilla.now
    bugzilla.comment(bugzilla.bugs[4], "Late.")
    async with opened(bugzilla) as source:
        assert await numbers(source, many) == [str(number) for number in (*range(20, 4, -1), 3)]
        assert await numbers(source, since=since) == ["4"]


async def test_a_file_for_nobody_is_no_file(bugzilla: CgiStandIn) -> None:
    async with opened(bugzilla) as source:
        (file,) = (await record(source, "2")).attachments
        assert (await source.download(file)).body == b"--- a\n+++ b\n"
    async with opened(bugzilla, username=None, password=None) as stranger:
        with pytest.raises(Forbidden, match="page in place"):
            await stranger.download(file)


async def test_a_server_that_fails_is_not_taken_for_one_without_an_api(bugzilla: CgiStandIn) -> None:
    instead(bugzilla, "/version", Reply(b"", 500))
    bugzilla.version = "5.0.6"
    async with opened(bugzilla) as source:
        with pytest.raises(TrackerError, match="which Bugzilla"):
            await source.login()
    bugzilla.version = "4.2.1"
    bugzilla.asked.clear()
    async with opened(bugzilla) as source:  # one that old has none that could fail
        await source.login()
    names = [f"{each.method} {each.path.rpartition('/')[2]}" for each in bugzilla.asked]
    assert names == ["GET show_bug.cgi", "GET index.cgi", "POST index.cgi"]
    assert KIND.recognise is not None
    bugzilla.before.clear()
    async with Client(f"{bugzilla.url}/bugs") as client:
        assert await KIND.recognise(client) == "Bugzilla 4.2.1"


def test_a_crawl_and_a_census_by_pages(
    shell: Shell, bugzilla: CgiStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    where = ("--kind", "bugzilla", "--url", f"{bugzilla.url}/bugs", "--timezone", "America/Los_Angeles")
    assert shell("trackers", "add", "old", *where, "--username", KIM, "--password-stdin").status == 0
    crawl = ("crawl", "*", "--tracker", "old", "--json")
    first = shell(*crawl).document
    assert (first["status"], first["issues_new"]) == ("completed", 20)
    bugzilla.asked.clear()
    assert shell(*crawl).document["issues_unchanged"] == 20
    assert not any("show_activity" in each.path for each in bugzilla.asked)
    bugzilla.pass_time(days=1)
    bugzilla.comment(bugzilla.bugs[9], "It crashed once more.")
    del bugzilla.bugs[7]
    bugzilla.bugs[8].hidden = True
    assert shell(*crawl).document["issues_changed"] == 1
    assert shell(*crawl, "--census").document["removed"] == {"deleted": 1, "moved": 0, "denied": 1}
    with shell.database.superuser() as connection:
        kept = str(connection.execute("SELECT array_agg(p::text) FROM ims.raw_pages p").fetchone())
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("shown", "moment"),
    [
        ("2013-06-25 11:57:23 CEST", datetime(2013, 6, 25, 9, 57, 23, tzinfo=UTC)),
        ("2013-06-25 11:57:23 PDT", datetime(2013, 6, 25, 18, 57, 23, tzinfo=UTC)),
        ("2013-06-25 11:57 UTC", datetime(2013, 6, 25, 11, 57, tzinfo=UTC)),
        ("2013-06-25 11:57:23 QQQ", None),
        ("yesterday", None),
    ],
)
def test_letters_of_zones_are_known_or_the_time_is_not(shown: str, moment: datetime | None) -> None:
    assert moment_of(shown, UTC_ZONE) == moment


HEAD = b'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE bugzilla SYSTEM "x"><bugzilla version="4">'


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (HEAD + b"<bug></bugzilla>", "broken in line"),
        (HEAD + b"<bug><bug_id>1</bug_id>", "end is missing"),
        (HEAD + b"<a>" * 50 + b"</a>" * 50 + b"</bugzilla>", "nested"),
        (b"<html><bugzilla></bugzilla></html></bugzilla>", "broken|not the XML"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><bugzilla>&x;</bugzilla>', "entities"),
        (b"", "no XML"),
    ],
)
def test_xml_that_is_none_is_rejected(body: bytes, sentence: str) -> None:
    with pytest.raises(PageRejected, match=sentence):
        read_bugzilla(clean(body))


@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=4), pick=st.integers(0, 3))
def test_a_bug_by_itself_is_the_bug_among_others(texts: list[str], pick: int) -> None:
    from html import escape

    written = [
        f"<bug><bug_id>{place}</bug_id><short_desc>{escape(text)}</short_desc></bug>\n"
        for place, text in enumerate(texts)
    ]
    body = clean(HEAD + "".join(written).encode("utf-8", "ignore") + b"</bugzilla>")
    try:
        root = read_bugzilla(body)
    except PageRejected:
        return  # U+FFFE and its like are forbidden, too
    bugs = list(root.each("bug"))
    bug = bugs[pick % len(bugs)]
    (again,) = read_bugzilla(alone(body, root, bug)).each("bug")
    assert [each.text() for each in again.children] == [each.text() for each in bug.children]


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda inner: HEAD + inner + b"</bugzilla>"))
def test_any_bytes_are_xml_or_rejected(body: bytes) -> None:
    parser = BugzillaParser(Connection(base_url=""))
    pages = [
        RawPage(url="https://x/show_bug.cgi?id=1", body=body, part="xml"),
        RawPage(url="https://x", body=b"<html></html>", part="activity"),
    ]
    with pytest.raises(PageRejected):
        parser.parse(pages)


CELL = st.sampled_from(
    ["", "<td>x</td>", "<td rowspan=2>2020-01-01 00:00:00 UTC</td>", "<th>x</th>", "<tr>", "</tr>"]
)


@given(st.lists(CELL, max_size=30).map("".join))
def test_both_engines_read_the_same_history_or_none(rows: str) -> None:
    html = (
        f'<html><div id="bugzilla-body"><a href="show_bug.cgi?id=1">b</a><table>{rows}</table></div></html>'
    )
    outcomes: list[Any] = []
    for engine in (LexborDocument, SoupDocument):
        try:
            outcomes.append(read_activity(engine(html), html, "1", UTC_ZONE))
        except PageRejected:
            outcomes.append(None)
    assert None in outcomes or outcomes[0] == outcomes[1]


@given(st.text(max_size=100) | st.text(max_size=60).map("bug_id,changeddate\n{}".format))
def test_any_list_is_read_or_refused(text: str) -> None:
    try:
        found = read_list(text, UTC_ZONE)
    except TrackerError:
        return
    assert all(number >= 0 for number, _ in found)


def test_a_status_without_a_resolution_is_open() -> None:
    xml = (
        HEAD
        + b"<bug><bug_id>1</bug_id><short_desc>a</short_desc><bug_status>NEW</bug_status></bug></bugzilla>"
    )
    html = b'<html><div id="bugzilla-body"><a href="show_bug.cgi?id=1">b</a></div></html>'
    pages = [
        RawPage(url="https://x/show_bug.cgi?id=1", body=xml, part="xml"),
        RawPage(url="https://x/show_activity.cgi?id=1", body=html, part="activity"),
    ]
    assert BugzillaParser(Connection(base_url="")).parse(pages).state is State.OPEN
