"""Trac's source against a real Trac, and what it reads against Trac's own database."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from crawler.client import Client
from crawler.errors import Forbidden, NotFound, NotPermitted, TrackerError, UnknownProduct, UsageError
from crawler.html.sanitize import cleaned
from crawler.html.text import one_line
from crawler.query import Clause, Occur, Tree
from crawler.records import AttachmentRecord, ChangeRecord, IssueRecord
from crawler.source import Connection, Kind, RawPage, Reference
from crawler.sources.trac import KIND
from crawler.sources.trac.cursor import TracCursor
from crawler.sources.trac.parse.ticket import TracParser
from crawler.sources.trac.source import TracSource
from tests.fixtures.taken import taken
from tests.trackers.suite import _LAYOUT, SourceSuite, Tracker, numbers
from tests.trackers.trac.fix_server import ACCOUNTS, TicketFacts, TracServer, moment

pytestmark = pytest.mark.xdist_group("trac")

_PARSER = TracParser(Connection(base_url="http://127.0.0.1"))


def _connection(trac: TracServer, user: str | None = "admin", **options: Any) -> Connection:
    password = None if user is None else ACCOUNTS[user]
    return Connection(base_url=trac.url, username=user, password=password, options=options)


@asynccontextmanager
async def _source(trac: TracServer, user: str | None = "admin", **options: Any) -> AsyncIterator[TracSource]:
    async with Client(trac.url, concurrency=4) as client:
        source = TracSource(_connection(trac, user, **options), client)
        await source.login()
        yield source


async def _record(source: TracSource, number: int) -> IssueRecord:
    return _PARSER.parse(await source.fetch(Reference(issue_id=str(number))))


def _remembering(pages: dict[str, tuple[RawPage, ...]]) -> Kind:
    class RememberingSource(TracSource):
        async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
            if ref.issue_id not in pages:
                pages[ref.issue_id] = await super().fetch(ref)
            return pages[ref.issue_id]

    return replace(KIND, open_source=RememberingSource)


def _has_markup(facts: TicketFacts) -> bool:
    words = [*facts.custom.values(), *(text for _, text, _ in facts.comments.values())]
    words += [str(value) for value in facts.fields.values()]
    words += [text for file in facts.attachments.items() for text in (file[0], file[1][2])]
    words += [text for change in facts.changes for text in change[3:]]
    return any(_LAYOUT.search(text) for text in words)


@pytest.fixture(scope="module")
def pages() -> dict[str, tuple[RawPage, ...]]:
    """The pages that the suite fetched so far, for tests that only read: Trac takes seconds for them all."""
    return {}


class TestTracSource(SourceSuite):
    """The suite of every source, over everything that an administrator sees."""

    @pytest.fixture
    def tracker(self, trac: TracServer, pages: dict[str, tuple[RawPage, ...]]) -> Tracker:
        facts = trac.facts()

        def expire_sessions() -> None:
            trac.sql("DELETE FROM auth_cookie")
            pages.clear()

        word = "재현"

        def issues_where(**wanted: str) -> frozenset[str]:
            return frozenset(
                str(number)
                for number, each in facts.items()
                if all(each.fields[name] == value for name, value in wanted.items())
            )

        return Tracker(
            kind=_remembering(pages),
            connection=_connection(trac),
            issues=issues_where(),
            missing="999999",
            product="client",
            product_issues=issues_where(component="client"),
            word=word,
            word_issues=frozenset(
                str(number)
                for number, each in facts.items()
                if word in f"{each.fields['summary']} {each.fields['description']}"
            ),
            markup_expected=frozenset(str(number) for number, each in facts.items() if _has_markup(each)),
            expire_sessions=expire_sessions,
            logins=lambda: trac.log.read_text("utf-8").count('"GET /login '),
        )


def _seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _letters(text: str | None) -> str:
    """What wiki markup leaves alone: it takes signs away, and the numbers of a numbered list."""
    return re.sub(r"[\W\d_]+", "", text or "")


def same_words(wiki: str, text: str | None) -> bool:
    processed = "{{{#!" in wiki or "[[" in wiki or "[http" in wiki  # whose own words are not shown
    return processed or _letters(wiki) == _letters(text)


def _items(text: str | None) -> frozenset[str]:
    return frozenset(re.split(r"[;,\s]+", text or "")) - {""}


def _value(field: str, stored: str) -> str:
    """A field's value as Trac's database has it, as we write it."""
    if field == "urgent":
        return "yes" if stored == "1" else "no"
    if field == "due":
        return moment(int(stored)).isoformat() if stored else ""
    return _told(stored)


def _told(stored: str) -> str:
    # An address that no page shows: nobody can tell whether the account may see it.
    return cleaned(stored).replace("old@secret.example", "old@…")


def _stored_change(moment: datetime, author: str, field: str, old: str, new: str) -> tuple[Any, ...]:
    return (moment, author, field, _value(field, old), _value(field, new))


def _read_change(record: ChangeRecord) -> tuple[Any, ...]:
    return (record.changed_at, record.changed_by, record.field_name, record.old_value, record.new_value)


def compare(facts: TicketFacts, record: IssueRecord) -> None:
    """Hold a record against what Trac's database says."""
    fields = facts.fields
    assert record.issue_id == str(fields["id"])
    assert record.title == one_line(fields["summary"])
    assert record.status == fields["status"]
    assert same_words(fields["description"] or "", record.description)
    for name, value in {
        "priority": record.priority,
        "severity": record.severity,
        "type": record.issue_type,
        "component": record.product,
        "milestone": record.target_version,
        "version": record.found_version,
        "reporter": record.reporter,
        "owner": record.owner,
        "resolution": record.extra.get("resolution"),
        "cc": record.extra.get("cc"),
        "keywords": record.extra.get("keywords"),
        "tags": record.extra.get("tags"),
    }.items():
        assert (value or "") == (fields.get(name) or facts.custom.get(name) or ""), name
    for name in ("urgent", "due"):
        assert record.extra.get(name, "") == _value(name, facts.custom.get(name) or ""), name
    assert record.registered_date == _seconds(fields["time"])
    assert record.modified_date is not None
    assert _seconds(record.modified_date) == _seconds(fields["changetime"])

    assert [comment.number for comment in record.comments] == sorted(facts.comments)
    for comment in record.comments:
        author, text, moment = facts.comments[comment.number or 0]
        assert (comment.author, comment.commented_at) == (author, moment)
        assert comment.source_id == str(comment.number)
        assert same_words(text, comment.content)
    changed = Counter(_read_change(each) for each in record.history if each.change_type == "field")
    assert changed == Counter(_stored_change(*change) for change in facts.changes)
    edits = [each for each in record.history if each.change_type == "comment"]
    assert sorted(
        (int((each.field_name or "")[8:]), each.changed_at, each.changed_by, each.old_value) for each in edits
    ) == [(*edit, _told(before)) for *edit, before in facts.edits]
    added = [
        (each.new_value, each.changed_at, each.changed_by)
        for each in record.history
        if each.new_value in facts.attachments
    ]
    files = {file.filename: file for file in record.attachments}
    assert list(files) == list(facts.attachments)
    for name, (size, moment, description, author) in facts.attachments.items():
        assert (files[name].file_size, files[name].author) == (size, author)
        assert files[name].attached_at == moment
        assert _letters(files[name].description) == _letters(description)
        assert (name, moment, author) in added
    assert {each.change_type for each in record.history} <= {"field", "comment", "attachment"}


async def test_every_ticket_comment_change_and_attachment_of_the_database_is_read(trac: TracServer) -> None:
    facts = trac.facts()
    async with _source(trac) as source:
        records = await asyncio.gather(*(_record(source, number) for number in facts))
    assert len(records) == len(facts) > 30
    for (number, each), record in zip(facts.items(), records, strict=True):
        try:
            compare(each, record)
        except AssertionError as error:
            raise AssertionError(f"ticket {number}: {error}") from error
    assert [record.warnings for record in records if record.warnings] == []
    assert [each.url for each in records] == [f"{trac.url}/ticket/{number}" for number in facts]


async def test_the_clock_and_zone_of_the_server_do_not_matter(trac: TracServer) -> None:
    facts = trac.facts()
    async with _source(trac) as source:
        record = await _record(source, 27)
    assert [comment.commented_at for comment in record.comments] == [
        moment for _, _, moment in facts[27].comments.values()
    ]
    assert record.comments[0].commented_at == datetime(2017, 9, 2, 2, 40, 10, 123456, tzinfo=UTC)


async def test_custom_fields_are_kept_under_their_names_and_times_do_not_age(trac: TracServer) -> None:
    async with _source(trac) as source:
        record = await _record(source, 33)
    assert record.extra == {
        "colour": "green",
        "customer": "ACME <Corp> & Söhne",
        "due": "2020-09-13T12:26:40+00:00",  # the page says "6 years ago"
        "urgent": "no",
        "notes": "other notes",
        "site": "서울",
    }


async def test_since_finds_what_changed_and_little_else(trac: TracServer) -> None:
    changed = {number: each.fields["changetime"] for number, each in trac.facts().items()}
    since = sorted(changed.values())[len(changed) // 2]
    async with _source(trac) as source:
        found = {int(number) for number in await numbers(source, since=since)}
    assert {number for number, moment in changed.items() if moment >= since} <= found
    assert found <= {number for number, moment in changed.items() if moment >= since}
    assert len(found) < len(changed)


async def test_a_ticket_that_changes_is_found_by_since_and_read_anew(trac: TracServer) -> None:
    now = datetime.now(UTC)
    async with _source(trac) as source:
        before = await _record(source, 2)
        assert await numbers(source, since=now) == []
        comment = {"when": now.timestamp() + 1, "author": "kim", "comment": "새 댓글 appears"}
        trac.fill([{"id": 2, "events": [comment]}])
        assert await numbers(source, since=now) == ["2"]
        after = await _record(source, 2)
        edit = {
            "when": now.timestamp() + 2,
            "author": "kim",
            "edit": after.comments[-1].number,
            "comment": "나중에",
        }
        trac.fill([{"id": 2, "events": [edit]}])
        edited = await _record(source, 2)
    assert after.comments[:-1] == before.comments
    assert after.comments[-1].content == "새 댓글 appears"
    assert after.modified_date is not None
    assert after.modified_date > now
    assert edited.comments[-1] == replace(after.comments[-1], content="나중에")


async def test_the_answer_to_an_earlier_search_is_not_mixed_in(trac: TracServer) -> None:
    # For an hour Trac adds the tickets of its last answer when a question is asked again in the same words.
    async with _source(trac) as source:
        (moving,) = trac.fill(
            [
                {
                    "ticket": {"summary": "moves", "status": "new", "component": "client-tools"},
                    "when": 1.6e9,
                    "events": [],
                }
            ]
        )
        assert str(moving) in await numbers(source, product="client-tools")
        move = {"when": 1.6e9 + 60, "author": "kim", "fields": {"component": "server"}, "comment": ""}
        trac.fill([{"id": moving, "events": [move]}])
        assert str(moving) not in await numbers(source, product="client-tools")


async def test_small_pages_give_the_same_tickets_whatever_is_added_between_them(trac: TracServer) -> None:
    known = set(trac.facts())
    found: list[int] = []
    totals = set()
    async with _source(trac, page_size=30) as source:
        async for page in source.search(None):
            found += [int(ref.issue_id) for ref in page.references]
            totals.add(page.total)
            if len(found) == 30:
                trac.fill(
                    [{"ticket": {"summary": "added meanwhile", "status": "new"}, "when": 1.6e9, "events": []}]
                )
    assert found == sorted(known, reverse=True)
    assert totals == {len(known)}


@pytest.mark.parametrize("user", ["kim", None])
async def test_hidden_tickets_are_neither_counted_nor_fetched(trac: TracServer, user: str | None) -> None:
    facts = trac.facts()
    hidden = {number for number, each in facts.items() if each.fields["keywords"] == "private"}
    assert hidden
    async with _source(trac, user, page_size=1 + len(facts) // 2) as source:
        pages = [page async for page in source.search(None)]
        with pytest.raises(Forbidden):
            await _record(source, min(hidden))
    found = [int(ref.issue_id) for page in pages for ref in page.references]
    assert found == sorted(facts.keys() - hidden, reverse=True)
    assert pages[-1].total == len(found)
    assert pages[-1].cursor is None


async def test_pages_of_hidden_tickets_only_do_not_end_the_search(trac: TracServer) -> None:
    facts = trac.facts()
    hidden = next(number for number, each in facts.items() if each.fields["keywords"] == "private")
    async with _source(trac, "kim", page_size=1) as source:
        cursor = TracCursor(below=hidden + 1, seen=7).text()
        pages = source.search(None, cursor=cursor)
        first, second = await anext(pages), await anext(pages)
        await pages.aclose()
    assert first.references == ()
    assert first.cursor is not None
    assert [ref.issue_id for ref in second.references] == [str(hidden - 1)]


async def test_a_product_may_be_the_beginning_of_several(trac: TracServer) -> None:
    facts = trac.facts()

    def of(*components: str) -> list[str]:
        chosen = [number for number, each in facts.items() if each.fields["component"] in components]
        return [str(number) for number in sorted(chosen, reverse=True)]

    async with _source(trac) as source:
        assert await numbers(source, product="cli") == of("client", "client-tools")
        assert await numbers(source, product="Client-T") == of("client-tools")
        assert await numbers(source, product="SERVER") == of("server")
        assert await numbers(source, product="문서") == of("문서")
        with pytest.raises(UnknownProduct, match=r"'clyent'.*client"):
            await numbers(source, product="clyent")


async def test_numbers_are_found_as_such(trac: TracServer) -> None:
    everything = [str(number) for number in sorted(trac.facts(), reverse=True)]

    def tree(*clauses: tuple[str, Occur]) -> Tree:
        return Tree(tuple(Clause(text, occur, number=text.isdecimal()) for text, occur in clauses))

    async with _source(trac) as source:
        two = tree(("3", Occur.SHOULD), ("17", Occur.SHOULD), ("888888", Occur.SHOULD))
        assert await numbers(source, two) == ["17", "3"]
        without = tree(("3", Occur.MUST_NOT), ("1", Occur.MUST_NOT))
        assert await numbers(source, without) == [each for each in everything if each not in ("1", "3")]
        assert await numbers(source, tree(("3", Occur.MUST), ("word", Occur.SHOULD))) == ["3"]
        assert await numbers(source, tree(("3", Occur.SHOULD), ("word", Occur.SHOULD))) == everything
        assert await numbers(source, tree(("9" * 30, Occur.SHOULD))) == []


async def test_attachments_are_where_the_source_says(trac: TracServer) -> None:
    number = next(number for number, each in trac.facts().items() if "100%25 #?;.log" in each.attachments)
    async with Client(trac.url) as client:
        source = TracSource(_connection(trac), client)
        await source.login()
        record = await _record(source, number)
        for file in record.attachments:
            assert len((await source.download(file)).body) == file.file_size
            assert len(await taken(source, file)) == file.file_size


SAVED_PAGES = {
    "saved.html": b'<div id="metanav"><a href="/trac/login">Login</a></div><div id="main"></div></html>',
    "login": b'<form action="/login"><input type="password"></form></html>',
}


async def _files(
    log: list[tuple[str, str, bool]], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A Trac's answers: a login by cookie, files, and two that are refused in two ways."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, path, _ = head.split(" ", 2)
    log.append((method, path, "Authorization:" in head))
    name = path.rpartition("/")[2]
    status, more, body = "200 OK", "", SAVED_PAGES.get(name, b"bytes")
    if path == "/login" and "Authorization:" not in head:
        status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="trac"\r\n'
    elif path == "/login":
        status, more, body = "302 Found", "Location: /\r\nSet-Cookie: trac_auth=x; Path=/\r\n", b""
    elif name == "401.log":
        status = "401 Unauthorized"
    elif name == "redirected.log":
        status, more, body = "302 Found", "Location: /login\r\n", b""
    writer.write(
        f"HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    await writer.drain()
    writer.close()


@asynccontextmanager
async def _files_of(log: list[tuple[str, str, bool]]) -> AsyncIterator[TracSource]:
    async with await asyncio.start_server(partial(_files, log), "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client(url) as client:
            source = TracSource(Connection(base_url=url, username="kim", password="kim-secret"), client)
            await source.login()
            yield source


def _file(name: str) -> AttachmentRecord:
    return AttachmentRecord(filename=name, download_url=f"/raw-attachment/ticket/1/{name}")


@pytest.mark.parametrize("name", SAVED_PAGES)
async def test_a_file_that_holds_a_page_of_the_tracker_is_a_file(name: str) -> None:
    log: list[tuple[str, str, bool]] = []
    async with _files_of(log) as source:
        for _ in range(6):
            assert (await source.download(_file(name))).body == SAVED_PAGES[name]
            assert await taken(source, _file(name)) == SAVED_PAGES[name]
    assert sum(path == "/login" and with_password for _, path, with_password in log) == 1


@pytest.mark.parametrize("name", ["401.log", "redirected.log"])
async def test_a_file_that_asks_for_a_login_costs_one_login_and_only_itself(name: str) -> None:
    log: list[tuple[str, str, bool]] = []
    async with _files_of(log) as source:
        for _ in range(6):
            with pytest.raises(Forbidden):
                await source.download(_file(name))
        assert (await source.download(_file("fine.log"))).body == b"bytes"
    assert sum(path == "/login" and with_password for _, path, with_password in log) == 2


async def test_downloads_stay_logged_in_when_a_late_answer_takes_the_cookie_away(trac: TracServer) -> None:
    async with Client(trac.url, concurrency=8) as client:
        source = TracSource(_connection(trac), client)
        await source.login()
        trac.sql("DELETE FROM auth_cookie")
        await asyncio.gather(*(_record(source, number) for number in range(1, 17)))
        answer = await client.get("query", params={"id": 1})
    assert b"logged in as" in answer.body


async def test_what_is_no_number_is_not_found_without_asking(trac: TracServer) -> None:
    async with Client(trac.url) as client:
        source = TracSource(_connection(trac, None), client)
        for number in ("ABC-1", "../login", "٣", ""):
            with pytest.raises(NotFound):
                await source.fetch(Reference(issue_id=number))
        assert client.stats.requests == 0


async def test_who_may_see_no_ticket_is_told_so(trac: TracServer) -> None:
    async with _source(trac, "outsider") as source:
        with pytest.raises(NotPermitted):
            await numbers(source)


async def test_a_strange_cursor_is_refused(trac: TracServer) -> None:
    async with _source(trac, None) as source:
        for cursor in ("", "7", '{"below": "x"}', "[]"):
            with pytest.raises(UsageError):
                await numbers(source, cursor=cursor)


async def _some_other_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = b"<html><body>Welcome to my blog</body></html>"
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("user", ["kim", None])
async def test_a_server_that_is_no_trac_is_noticed_at_login(user: str | None) -> None:
    async with await asyncio.start_server(_some_other_server, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Client(url) as client:
            source = TracSource(Connection(base_url=url, username=user, password="secret"), client)
            with pytest.raises(TrackerError):
                await source.login()
