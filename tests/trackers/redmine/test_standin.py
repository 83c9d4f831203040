"""The source against a stand-in: the suite of all kinds, and what a booted Redmine does not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from crawler.client import Client
from crawler.errors import (
    Forbidden,
    LoginRefused,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
    UnknownProduct,
)
from crawler.query import parse_direct
from crawler.records import AttachmentRecord, State
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from crawler.sources.redmine.source import RedmineSource
from tests.fixtures.api_server import Asked, Reply
from tests.trackers.redmine.standin import KEY, NAME, PASSWORD, RedmineStandIn, detail, issue, journal
from tests.trackers.suite import SourceSuite, Tracker, numbers
from tests.trackers.suite import issue as issue_of

KIND = find_kind("redmine")
FILE = {
    "id": 9,
    "filename": "로그 a+b%.txt",
    "filesize": 4,
    "content_type": "text/plain",
    "content_url": "http://renamed.example.com/attachments/download/9/x.txt",
    "created_on": "2026-01-05T10:00:00Z",
}


@pytest.fixture
def server() -> Iterator[RedmineStandIn]:
    """A Redmine of seven issues, one of them closed, one with a file."""
    server = RedmineStandIn()
    server.issues[3] = issue(3, status=5, closed_on="2026-02-04T10:00:00Z")
    server.issues[4] = issue(4, project=2)
    server.issues[5]["attachments"] = [FILE]
    server.files[9] = b"log\n"
    with server.serving():
        yield server


def tracker_of(server: RedmineStandIn, **changed: object) -> Tracker:
    connection = Connection(base_url=server.url, password=KEY, options={"page_size": 3})
    seen = frozenset(str(number) for number in server.issues)
    return Tracker(
        kind=KIND,
        connection=replace(connection, **changed),  # type: ignore[arg-type]
        issues=seen,
        missing="99",
        product="db",
        product_issues=seen - {"4"},
        word="timeouts",
        word_issues=frozenset({"1", "3", "5", "7"}),
    )


@pytest.fixture
def tracker(server: RedmineStandIn) -> Tracker:
    """The account with the key."""
    return tracker_of(server)


class TestStandIn(SourceSuite):
    """Redmine by its API."""


async def test_a_name_and_a_password_log_in_as_well(server: RedmineStandIn) -> None:
    async with tracker_of(server, username=NAME, password=PASSWORD).logged_in() as source:
        assert len(await numbers(source)) == 7
    async with tracker_of(server, username=NAME, password="wrong").open() as source:
        with pytest.raises(LoginRefused, match="kim"):
            await source.login()


async def test_a_stranger_sees_what_strangers_may(server: RedmineStandIn) -> None:
    async with tracker_of(server, password=None).logged_in() as source:
        assert "4" not in await numbers(source)
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="4"))
        with pytest.raises(UnknownProduct, match="Datenbank"):
            await numbers(source, product="secret")


async def test_the_credential_is_in_a_header_and_who_am_i_is_not_kept(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    server.issues[1]["journals"] = [journal(1, "", detail("assigned_to_id", None, "7"))]
    async with tracker.logged_in() as source:
        kept = [page for number in ("1", "5") for page in await source.fetch(Reference(issue_id=number))]
    secrets = (KEY.encode(), b"another-key")
    assert [page for page in kept for secret in secrets if secret in page.body] == []
    assert [asked for asked in server.asked if KEY in asked.raw_path] == []
    assert {asked.headers.get("x-redmine-api-key") for asked in server.asked} == {KEY}
    record = tracker.parser.parse(kept[:2])
    assert record.history[0].new_value == "Park Jisoo"


async def test_a_key_that_is_taken_back_while_a_list_is_read_ends_the_search(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        pages = source.search(None)
        await anext(aiter(pages))
        server.accounts.clear()  # from now on it is answered as to a stranger
        with pytest.raises(LoginRefused):
            async for _ in pages:
                pass


async def test_an_issue_is_no_secret_one_because_the_key_was_taken_back(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        server.accounts.clear()
        with pytest.raises(LoginRefused):
            await source.fetch(Reference(issue_id="4"))


async def test_an_issue_is_not_read_as_by_a_stranger_for_longer_than_a_minute(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    seconds = 0.0
    async with tracker.client(tracker.connection) as client:
        source = RedmineSource(tracker.connection, client, clock=lambda: seconds)
        await source.login()
        await source.fetch(Reference(issue_id="1"))
        assert server.asked_paths().count("/users/current.json") == 1
        server.accounts.clear()
        seconds = 61.0
        with pytest.raises(LoginRefused):
            await source.fetch(Reference(issue_id="1"))


async def test_deleted_and_hidden_issues_are_told_apart(server: RedmineStandIn, tracker: Tracker) -> None:
    server.hidden.add(2)
    del server.issues[3]
    async with tracker.logged_in() as source:
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="2"))
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id="3"))


async def test_an_api_that_is_off_says_what_to_do(server: RedmineStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        server.api_is_on = False
        for asking in (source.login(), numbers(source), source.fetch(Reference(issue_id="1"))):
            with pytest.raises(NotPermitted, match="REST web service"):
                await asking
    async with tracker_of(server, password=None).open() as source:
        with pytest.raises(NotPermitted, match="REST web service"):
            await source.login()


PAGE = Reply(b"<html><body>Please log in</body></html>", headers={"content-type": "text/html"})


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (PAGE, "not JSON"),
        (Reply({"issues": None, "total_count": 3}), "issues"),
        (Reply({"total_count": 3}), "issues"),
        (Reply({"issues": []}), "how many"),
        (Reply({"issues": [{"id": "x"}], "total_count": 1}), "whole number"),
        (Reply({"errors": ["Updated is invalid"]}, 422), "did not understand"),
        (Reply([]), "instead of an object"),
        (Reply(b"", 404), "no list"),
        (Reply(b'{"issues": [', headers={"content-type": "application/json"}), "cut off"),
    ],
)
async def test_a_list_that_is_none_stops_the_search_with_a_sentence(
    server: RedmineStandIn, tracker: Tracker, reply: Reply, sentence: str
) -> None:
    server.before.append(lambda asked: reply if asked.path == "/issues.json" else None)
    async with tracker.logged_in() as source:
        with pytest.raises(TrackerError, match=sentence):
            await numbers(source)


@pytest.mark.parametrize("reply", [PAGE, Reply(b"", 404), Reply({"user": None}), Reply(b"", 418)])
async def test_something_else_than_a_redmine_is_no_login(server: RedmineStandIn, reply: Reply) -> None:
    server.before.append(lambda asked: reply)
    for password in (KEY, None):
        async with tracker_of(server, password=password).open() as source:
            with pytest.raises(TrackerError, match="like a Redmine"):
                await source.login()


async def test_a_login_page_in_place_of_an_issue_is_kept_for_the_quarantine(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    server.before.append(lambda asked: PAGE if asked.path == "/issues/1.json" else None)
    async with tracker.logged_in() as source:
        pages = await source.fetch(Reference(issue_id="1"))
        with pytest.raises(PageRejected, match="not JSON"):
            tracker.parser.parse(pages)


async def test_an_old_redmine_that_ignores_numbers_loses_nothing_in_silence(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    server.filters_numbers = False
    async with tracker.logged_in() as source:
        with pytest.raises(TrackerError, match="too old"):
            await numbers(source)


async def test_a_server_that_gives_fewer_rows_than_asked_loses_none(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    server.most_rows = 2
    async with tracker.logged_in() as source:
        assert await numbers(source) == ["7", "6", "5", "4", "3", "2", "1"]


async def test_issues_that_come_and_go_while_a_list_is_read_hide_no_others(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    found = []
    async with tracker.logged_in() as source:
        async for page in source.search(None):
            found += [ref.issue_id for ref in page.references]
            server.issues.pop(max(server.issues))
            server.issues[20] = issue(20)
    assert sorted(found, key=int)[:4] == ["1", "2", "3", "4"]


async def test_since_is_told_in_the_one_form_that_redmine_reads(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    since = datetime(2026, 2, 6, 10, 0, 0, 500_000, tzinfo=UTC)
    async with tracker.logged_in() as source:
        assert await numbers(source, since=since) == ["7", "6", "5"]
        # The search for words has no times, so the list is asked and the words are left to whoever asked.
        assert await numbers(source, parse_direct("+커넥션"), since=since) == ["7", "6", "5"]
        assert await numbers(source, since=datetime(1, 1, 1, tzinfo=UTC), limit=1) == ["7"]


async def test_the_list_tells_when_an_issue_was_changed(tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        page = await anext(aiter(source.search(None)))
    assert page.references[0].modified == datetime(2026, 2, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("3 5 99", ["5", "3"]),
        ("+3 +5", []),
        ("3 오류", ["3", "6", "4", "2"]),
        ("+커넥션 +bold", ["6", "4", "2"]),
        ("timeouts 커넥션", ["7", "6", "5", "4", "3", "2", "1"]),
        ("'오류 6'", ["6", "4", "2"]),
        ("é", ["7", "6", "5", "4", "3", "2", "1"]),
        ("-timeout", ["7", "6", "5", "4", "3", "2", "1"]),
        ("3 99999999999", ["3"]),
    ],
)
async def test_a_query_in_redmines_language(tracker: Tracker, query: str, found: list[str]) -> None:
    async with tracker.logged_in() as source:
        assert list(dict.fromkeys(await numbers(source, parse_direct(query)))) == found


async def test_numbers_and_words_go_on_after_each_of_their_pages(tracker: Tracker) -> None:
    query = parse_direct("1 3 5 7 오류")
    async with tracker.logged_in() as source:
        pages = [page async for page in source.search(query)]
        for before, page in enumerate(pages[:-1], start=1):
            rest = [ref for each in pages[before:] for ref in each.references]
            again = await numbers(source, query, cursor=page.cursor)
            assert set(again) == {ref.issue_id for ref in rest}
    assert {ref.issue_id for page in pages for ref in page.references} == set("1234567")


async def test_a_redmine_without_search_lists_everything(server: RedmineStandIn, tracker: Tracker) -> None:
    server.has_search = False
    async with tracker.logged_in() as source:
        assert len(await numbers(source, parse_direct("+timeout"))) == 7


async def test_each_list_of_names_is_asked_for_once(server: RedmineStandIn, tracker: Tracker) -> None:
    changes = [
        detail("status_id", "1", "2"),
        detail("fixed_version_id", None, "3"),
        detail("assigned_to_id", "6", "8"),
        detail("category_id", "4", None),
        detail("tracker_id", "2", "1"),
        detail("1", None, "12", "cf"),
    ]
    for one in server.issues.values():
        one["status"].pop("is_closed")
        one["journals"] = [journal(1, "note", *changes)]
    async with tracker.logged_in() as source:
        records = [await issue_of(source, tracker.parser, str(number)) for number in server.issues]
    said = [(each.field_name, each.old_value, each.new_value) for each in records[0].history]
    assert said == [
        ("status", "New", "In Progress"),
        ("fixed_version", None, "1.0"),
        ("assigned_to", "Lee 이지은", "8"),  # nobody tells who that is
        ("category", "Kernel", None),
        ("tracker", "Feature", "Bug"),
        ("Site", None, "12"),
    ]
    assert records[2].state is State.DONE
    others = [path for path in server.asked_paths() if not path.startswith("/issues/")]
    assert len(others) == len(set(others))


async def test_files_come_from_the_trackers_own_address(server: RedmineStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        (file,) = (await issue_of(source, tracker.parser, "5")).attachments
        assert (file.download_url or "").startswith(f"{server.url}/attachments/download/9/")
        assert (await source.download(file)).body == b"log\n"
        with pytest.raises(NotFound):
            await source.download(
                structs.replace(file, download_url=f"{server.url}/attachments/download/10/a")
            )
        with pytest.raises(NotFound):
            await source.download(AttachmentRecord(filename="a"))
    async with tracker_of(server, password=None).logged_in() as source:
        with pytest.raises(Forbidden, match="log in"):
            await source.download(file)


async def test_a_pause_that_is_asked_for_is_no_missing_issue(
    server: RedmineStandIn, tracker: Tracker
) -> None:
    answers = [Reply(b"", 429, {"retry-after": "0"}), Reply(b"", 502)]
    server.before.append(
        lambda asked: answers.pop() if answers and asked.path.startswith("/issues/") else None
    )
    async with tracker.logged_in() as source:
        assert (await issue_of(source, tracker.parser, "1")).issue_id == "1"


async def test_a_redmine_is_recognised_with_its_api_on_and_off(server: RedmineStandIn) -> None:
    assert KIND.recognise is not None
    async with Client(server.url) as client:
        assert await KIND.recognise(client) == "Redmine"
        server.api_is_on = False
        assert await KIND.recognise(client) == "Redmine"
        server.before.append(lambda asked: Reply({"message": "Not Found"}, 404))
        assert await KIND.recognise(client) is None


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://r.example.com/issues/12", "https://r.example.com"),
        ("https://r.example.com/redmine/issues/12#note-3", "https://r.example.com/redmine"),
        ("http://r.example.com:3000/projects/db/issues?set_filter=1", "http://r.example.com:3000"),
        ("https://r.example.com/my/account", "https://r.example.com"),
        ("https://r.example.com/", None),
        ("https://gitlab.example.com/g/p/-/issues/1", None),
        ("https://github.com/o/r/issues/1", None),
        ("ftp://r.example.com/issues/1", None),
        ("https://[::1/issues/1", None),
    ],
)
def test_the_address_of_a_page_leads_to_the_front_page(url: str, base: str | None) -> None:
    assert KIND.base_of is not None
    assert KIND.base_of(url) == base


def _asked_for_search(asked: Asked) -> bool:
    return asked.path.endswith("search.json")


async def test_words_are_searched_within_the_project(server: RedmineStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        assert await numbers(source, parse_direct("+오류"), product="Secret") == ["4"]
    assert [each.path for each in server.asked if _asked_for_search(each)] == ["/projects/2/search.json"]
