"""One Trac seen in several languages, zones and rights: the records are the same, and hidden is hidden."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from crawler.client import Client
from crawler.records import IssueRecord
from crawler.source import Connection, RawPage, Reference
from crawler.sources.trac.parse.ticket import ENGINES, parse_ticket
from crawler.sources.trac.source import TracSource
from tests.fixtures.program import Program
from tests.trackers.trac.fix_server import ACCOUNTS, TracServer, configure, copy_of, serving

pytestmark = pytest.mark.xdist_group("trac")

_WORDED = 36  # the ticket whose every part looks different in another session
_NUMBERS = (1, 6, *range(26, 35), _WORDED)


async def _pages(trac: TracServer, user: str | None = "admin") -> dict[int, RawPage]:
    password = None if user is None else ACCOUNTS[user]
    async with Client(trac.url, concurrency=4) as client:
        source = TracSource(Connection(base_url=trac.url, username=user, password=password), client)
        await source.login()
        found = await asyncio.gather(*(source.fetch(Reference(issue_id=str(each))) for each in _NUMBERS))
    return {number: pages[0] for number, pages in zip(_NUMBERS, found, strict=True)}


async def _records(trac: TracServer, user: str | None = "admin") -> dict[int, IssueRecord]:
    pages = await _pages(trac, user)
    return {number: _placeless(parse_ticket(page)) for number, page in pages.items()}


def _placeless(record: IssueRecord) -> IssueRecord:
    """Without the server's address."""
    files = tuple(replace(file, download_url=None) for file in record.attachments)
    return replace(record, url=None, attachments=files)


@pytest.fixture(scope="module")
def in_english(trac: TracServer) -> dict[int, IssueRecord]:
    return asyncio.run(_records(trac))


@pytest.mark.parametrize("language", ["ja", "ko", "de"])
async def test_a_tracker_in_another_language_gives_the_same_records(
    language: str, trac: TracServer, in_english: dict[int, IssueRecord], tmp_path: Path
) -> None:
    stopped = copy_of(trac, tmp_path)
    configure(stopped, trac={"default_language": language})
    with serving(stopped, zone="America/New_York") as other:
        pages = await _pages(other)
        assert b"Change History" not in pages[_WORDED].body
        assert {number: _placeless(parse_ticket(page)) for number, page in pages.items()} == in_english
    for page in (pages[_WORDED], pages[29]):
        first, second = (parse_ticket(page, engines=[engine]) for engine in ENGINES)
        assert first == second


async def test_an_account_with_a_language_and_a_zone_of_its_own_gives_the_same_records(
    trac: TracServer, in_english: dict[int, IssueRecord], tmp_path: Path
) -> None:
    with serving(copy_of(trac, tmp_path)) as other:
        for name, value in (("language", "ko"), ("tz", "Asia/Tokyo"), ("dateinfo", "absolute")):
            other.sql("INSERT OR REPLACE INTO session_attribute VALUES ('admin', 1, ?, ?)", name, value)
        other.sql("INSERT OR REPLACE INTO session VALUES ('admin', 1, 0)")
        assert "수정".encode() in (await _pages(other))[_WORDED].body
        assert await _records(other) == in_english


async def test_without_the_timeline_every_time_is_known(
    trac: TracServer, in_english: dict[int, IssueRecord], tmp_path: Path
) -> None:
    stopped = copy_of(trac, tmp_path)
    configure(stopped, components={"trac.timeline.*": "disabled"})
    with serving(stopped) as other:
        records = await _records(other)
    for number, record in records.items():
        assert record.registered_date == in_english[number].registered_date is not None
        assert record.history == in_english[number].history
        assert record.warnings == ()


@pytest.mark.parametrize("user", ["kim", None])
async def test_an_address_that_is_hidden_from_the_account_is_nowhere(
    user: str | None, trac: TracServer, in_english: dict[int, IssueRecord]
) -> None:
    page = await _page_of_one(trac, user)
    assert "hong@…".encode() in page.body
    assert b"secret.example" not in page.body
    record = _placeless(parse_ticket(page))
    assert "secret.example" not in repr(record)
    changed = [each for each in record.history if each.field_name == "cc"]
    assert changed[0].new_value == 'b, "d, e", <hong@…>'  # as Trac stores it
    assert "hong@secret.example" in repr(in_english[_WORDED])


async def _page_of_one(trac: TracServer, user: str | None) -> RawPage:
    password = None if user is None else ACCOUNTS[user]
    async with Client(trac.url) as client:
        source = TracSource(Connection(base_url=trac.url, username=user, password=password), client)
        await source.login()
        (page,) = await source.fetch(Reference(issue_id=str(_WORDED)))
    return page


async def test_people_are_known_by_their_logins_and_their_names_stand_beside(
    trac: TracServer, in_english: dict[int, IssueRecord], tmp_path: Path
) -> None:
    stopped = copy_of(trac, tmp_path)
    for login in ("kim", "lee", "kim@secret.example"):
        stopped.sql("INSERT OR REPLACE INTO session VALUES (?, 1, 0)", login)
        stopped.sql("INSERT OR REPLACE INTO session_attribute VALUES (?, 1, 'name', 'Kim Lee')", login)
    with serving(stopped) as other:
        records = await _records(other)
    names = {record.issue_id: record.extra.get("display names") for record in records.values()}
    assert names["1"] == {"kim": "Kim Lee", "lee": "Kim Lee"}
    for number, record in records.items():
        extra = {name: value for name, value in record.extra.items() if name != "display names"}
        if number != _WORDED:  # whose page does not show an address any more
            assert replace(record, extra=extra) == in_english[number]


@pytest.mark.long
def test_another_zone_another_language_and_names_for_people_change_nothing(
    trac: TracServer, ims_crawl: Program, tmp_path: Path
) -> None:
    stopped = copy_of(trac, tmp_path)
    with serving(stopped) as running:
        connection = ("--kind", "trac", "--url", running.url, "--username", "admin", "--password-stdin")
        assert ims_crawl("trackers", "add", "moving", *connection, stdin=running.password).status == 0
        first = ims_crawl("crawl", "*", "--tracker", "moving", "--json").document
        assert first["issues_new"] == first["total_issues_found"] > 30
    for zone, language in (("UTC", "en_US"), ("America/New_York", "ja")):
        configure(stopped, trac={"default_language": language})
        for login in ("kim", "lee"):
            stopped.sql("INSERT OR REPLACE INTO session VALUES (?, 1, 0)", login)
            name = f"Kim Lee in {zone}"
            stopped.sql("INSERT OR REPLACE INTO session_attribute VALUES (?, 1, 'name', ?)", login, name)
        with serving(running, zone=zone):
            again = ims_crawl("crawl", "*", "--tracker", "moving", "--json").document
        assert again["issues_changed"] == again["issues_new"] == 0
        assert again["issues_unchanged"] == first["total_issues_found"]
