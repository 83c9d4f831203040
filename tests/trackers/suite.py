"""The one suite that every source must pass against a real server of its kind."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from crawler.client import Client
from crawler.errors import LoginRefused, NotFound, UnknownProduct
from crawler.json_document import JsonNode
from crawler.query import Clause, Occur, Tree
from crawler.records import IssueRecord
from crawler.source import Connection, Kind, Parser, Reference, Source
from tests.fixtures.taken import taken

_LAYOUT = re.compile(
    r"</?(?:div|span|td|tr|table|tbody|br|p|li|ul|input|img)\b[^>]*>|&(?:nbsp|amp|lt|gt|#\d+);"
)


def _client(connection: Connection) -> Client:
    return Client(connection.base_url, concurrency=4)


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """A running tracker and what is known of it; a subclass's fixture `tracker` gives one."""

    kind: Kind
    connection: Connection
    issues: frozenset[str]  # the number of every issue that the account may see
    missing: str  # a number that no issue has
    product: str
    product_issues: frozenset[str]
    word: str  # occurs in some issues, not in all
    word_issues: frozenset[str]  # those that have it in their title or description
    markup_expected: frozenset[str] = frozenset()  # issues whose own words look like HTML
    client: Callable[[Connection], Client] = _client
    expire_sessions: Callable[[], None] | None = None  # the server forgets who is logged in
    logins: Callable[[], int] | None = None  # how often somebody logged in until now

    @property
    def parser(self) -> Parser:
        return self.kind.open_parser(self.connection)

    @asynccontextmanager
    async def open(self, connection: Connection | None = None) -> AsyncIterator[Source]:
        connection = connection or self.connection
        async with self.client(connection) as client:
            yield self.kind.open_source(connection, client)

    @asynccontextmanager
    async def logged_in(self) -> AsyncIterator[Source]:
        async with self.open() as source:
            await source.login()
            yield source


def texts(record: object) -> list[str]:
    """Every text anywhere in a record."""
    if isinstance(record, str):
        return [record]
    if isinstance(record, Struct):
        return [text for value in asdict(record).values() for text in texts(value)]
    if isinstance(record, dict):
        return [text for value in record.values() for text in texts(value)]
    if isinstance(record, list | tuple):
        return [text for value in record for text in texts(value)]
    return []


async def numbers(source: Source, query: Tree | None = None, **how: Any) -> list[str]:
    """The issue numbers that a search yields, in its order."""
    return [ref.issue_id async for page in source.search(query, **how) for ref in page.references]


async def issue(source: Source, parser: Parser, number: str) -> IssueRecord:
    """One issue, fetched and parsed."""
    return parser.parse(await source.fetch(Reference(issue_id=number)))


def _number(issue_id: str) -> int:
    """The number at the end of an issue's id, such as the 12 of ABC-12."""
    return int(issue_id[len(issue_id.rstrip("0123456789")) :])


class SourceSuite:
    """Inherit, and give a fixture `tracker`."""

    async def test_the_right_password_logs_in(self, tracker: Tracker) -> None:
        async with tracker.open() as source:
            await source.login()
            assert await numbers(source, limit=1)

    async def test_a_wrong_password_is_refused(self, tracker: Tracker) -> None:
        wrong = replace(tracker.connection, password="not-the-password")
        async with tracker.open(wrong) as source:
            with pytest.raises(LoginRefused) as refusal:
                await source.login()
        assert "not-the-password" not in str(refusal.value)

    async def test_a_search_for_everything_finds_every_issue_once(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            found = await numbers(source)
        assert sorted(found) == sorted(tracker.issues)

    async def test_the_total_is_the_trackers_own(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            totals = [page.total async for page in source.search(None)]
        assert set(totals) == {len(tracker.issues)}

    async def test_a_product_narrows_the_search(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            found = await numbers(source, product=tracker.product)
        assert sorted(found) == sorted(tracker.product_issues)

    async def test_an_unknown_product_is_named(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            with pytest.raises(UnknownProduct, match="No-Such-Product"):
                await numbers(source, product="No-Such-Product")

    async def test_a_word_finds_at_least_the_issues_that_have_it(self, tracker: Tracker) -> None:
        query = Tree((Clause(tracker.word, Occur.MUST),))
        async with tracker.logged_in() as source:
            found = set(await numbers(source, query))
            exact = source.render(query).exact
        assert tracker.word_issues <= found <= tracker.issues
        assert not exact or found < tracker.issues

    async def test_a_number_finds_its_issue(self, tracker: Tracker) -> None:
        key = min(tracker.issues, key=_number)
        async with tracker.logged_in() as source:
            found = await numbers(source, Tree((Clause(str(_number(key)), number=True),)))
        assert key in found

    async def test_a_search_stops_at_its_limit(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            everything = await numbers(source)
            assert await numbers(source, limit=3) == everything[:3]

    async def test_a_cursor_goes_on_after_its_page(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            everything = await numbers(source)
            pages = source.search(None)
            first = await anext(aiter(pages))
            known = {ref.issue_id for ref in first.references}
        if first.cursor is None:
            assert known == set(everything)
            return
        async with tracker.logged_in() as another:
            rest = await numbers(another, cursor=first.cursor)
        assert known | set(rest) == set(everything)

    async def test_every_issue_is_fetched_and_read(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            for number in sorted(tracker.issues):
                record = await issue(source, tracker.parser, number)
                assert record.issue_id == number
                assert record.title
                assert record.status
                assert record.url
                assert record.comments_announced in (None, len(record.comments))
                assert record.registered_date is not None
                assert record.registered_date.utcoffset() == timedelta(0)

    async def test_no_text_of_an_issue_has_markup(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            for number in sorted(tracker.issues - tracker.markup_expected):
                record = await issue(source, tracker.parser, number)
                assert [text for text in texts(record) if _LAYOUT.search(text)] == []

    async def test_one_that_joins_another_asks_for_nothing_but_the_issue(self, tracker: Tracker) -> None:
        reference = Reference(issue_id=min(tracker.issues, key=_number))
        async with tracker.client(tracker.connection) as client:
            first: Any = tracker.kind.open_source(tracker.connection, client)
            if not hasattr(first, "join"):
                pytest.skip("a source of this kind shares nothing")
            await first.login()
            pages = await first.fetch(reference)
            before = client.stats.requests
            await first.fetch(reference)
            once_more = client.stats.requests - before
            learnt = json.loads(json.dumps(await first.learnt()))
        assert tracker.connection.password is None or tracker.connection.password not in str(learnt)
        async with tracker.client(tracker.connection) as client:
            second: Any = tracker.kind.open_source(tracker.connection, client)
            await second.join(JsonNode(learnt))
            joined = client.stats.requests
            assert (
                tracker.logins is not None or joined == 0
            )  # with a login by a form it has a cookie of its own
            again = await second.fetch(reference)
            assert client.stats.requests - joined == once_more
        assert tracker.parser.parse(again) == tracker.parser.parse(pages)

    async def test_parsing_needs_neither_login_nor_network(self, tracker: Tracker) -> None:
        number = min(tracker.issues)
        async with tracker.logged_in() as source:
            pages = await source.fetch(Reference(issue_id=number))
            there = tracker.parser.parse(pages)
        stranger = tracker.kind.open_parser(replace(tracker.connection, username=None, password=None))
        assert stranger.parse(pages) == there

    async def test_attachments_are_within_the_trackers_origin_and_can_be_had(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            records = [await issue(source, tracker.parser, number) for number in sorted(tracker.issues)]
            files = [file for record in records for file in record.attachments]
            assert files
            bodies = [(await source.download(file)).body for file in files[:5]]
            assert all(bodies)
            assert [await taken(source, file) for file in files[:5]] == bodies
            if tracker.kind.features.exact_sizes:
                assert [file.file_size for file in files[:5]] == list(map(len, bodies))
        addresses = [file.download_url for file in files]
        origin = re.match(r"https?://[^/]+/", tracker.connection.base_url + "/")
        assert origin is not None
        assert [address for address in addresses if not (address or "").startswith(origin[0])] == []

    async def test_an_issue_that_is_not_there_is_not_found(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            with pytest.raises(NotFound):
                await source.fetch(Reference(issue_id=tracker.missing))

    async def test_an_expired_session_is_renewed_once_for_all_workers(self, tracker: Tracker) -> None:
        if tracker.expire_sessions is None or tracker.logins is None:
            pytest.skip("this kind of tracker has no sessions that expire")
        wanted = sorted(tracker.issues)[:8]
        async with tracker.logged_in() as source:
            before = tracker.logins()
            tracker.expire_sessions()
            records = await asyncio.gather(*(issue(source, tracker.parser, number) for number in wanted))
            assert tracker.logins() == before + 1
        assert [record.issue_id for record in records] == wanted
