"""Versions of Trac before 1.6, each read whole and held against its own database."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from crawler.client import Client
from crawler.html.text import one_line
from crawler.query import Clause, Occur, Tree
from crawler.records import ChangeRecord, IssueRecord
from crawler.source import Connection, Reference
from crawler.sources.trac.parse.ticket import TracParser
from crawler.sources.trac.source import TracSource
from tests.trackers.suite import numbers
from tests.trackers.trac.fix_server import ACCOUNTS, TicketFacts, TracServer, release_of
from tests.trackers.trac.test_contract import compare, same_words

pytestmark = pytest.mark.xdist_group("trac")

_PARSER = TracParser(Connection(base_url="http://127.0.0.1"))
_LISTS = ("cc", "keywords", "tags")
# Of a long text these pages tell only that it changed, of a time its words in the server's zone.
_LONG = ("description", "notes", "due")


def _items(text: str | None) -> frozenset[str]:
    return frozenset(re.split(r"[;,\s]+", text or "")) - {""}


def _cut(moment: datetime | None, version: str) -> datetime | None:
    """A time of a change as the page tells it: before 1.0 to the second."""
    return moment.replace(microsecond=0) if moment and release_of(version) < (1, 0) else moment


def _value(field: str, value: str | None) -> Any:
    if field in _LONG:
        return None
    return _items(value) if field in _LISTS else one_line(value or "")


def _stored(change: tuple[datetime, str, str, str, str], version: str) -> tuple[Any, ...]:
    moment, author, field, *values = change
    if field == "urgent":
        values = ["yes" if value == "1" else "no" for value in values]
    return (_cut(moment, version), author or "anonymous", field, *(_value(field, each) for each in values))


def _read(change: ChangeRecord) -> tuple[Any, ...]:
    field = change.field_name or ""
    values = (_value(field, each) for each in (change.old_value, change.new_value))
    return (change.changed_at, change.changed_by, field, *values)


def _compare(facts: TicketFacts, record: IssueRecord, version: str) -> None:
    """Hold a record of a version without a script in its pages against the database."""
    fields = facts.fields
    assert record.title == one_line(fields["summary"])
    assert same_words(fields["description"] or "", record.description)
    for name, value in {
        "status": record.status,
        "priority": record.priority,
        "severity": record.severity,
        "type": record.issue_type,
        "component": record.product,
        "milestone": record.target_version,
        "version": record.found_version,
        "reporter": record.reporter,
        "owner": record.owner,
        "resolution": record.extra.get("resolution"),
    }.items():
        assert (value or "") == (fields[name] or ""), name
    for name in _LISTS:
        stored = fields.get(name) or facts.custom.get(name)
        assert _items(str(record.extra.get(name) or "")) == _items(stored), name
    assert record.registered_date == fields["time"].replace(microsecond=0)
    assert record.modified_date is not None
    assert record.modified_date.replace(microsecond=0) == fields["changetime"].replace(microsecond=0)
    closed = [at for at, _, field, _, new in facts.changes if (field, new) == ("status", "closed")]
    expected = _cut(closed[-1], version) if closed and fields["status"] == "closed" else None
    assert record.closed_date == expected

    read = {comment.number: (comment.author, comment.commented_at) for comment in record.comments}
    assert read == {number: (author, _cut(at, version)) for number, (author, _, at) in facts.comments.items()}
    assert all(same_words(facts.comments[each.number or 0][1], each.content) for each in record.comments)
    changed = Counter(_read(each) for each in record.history if each.change_type == "field")
    assert changed == Counter(_stored(each, version) for each in facts.changes)
    last = {number: (at.replace(microsecond=0), author) for number, at, author, _ in facts.edits}
    edits = {
        each.field_name: (each.changed_at, each.changed_by)
        for each in record.history
        if each.change_type == "comment"
    }
    assert edits == {f"comment:{number}": edit for number, edit in last.items()}

    files = {file.filename: file for file in record.attachments}
    assert list(files) == list(facts.attachments)
    for name, (size, at, _, author) in facts.attachments.items():
        assert (files[name].file_size, files[name].author) == (size, author)
        assert files[name].attached_at == at.replace(microsecond=0)
    assert {each.change_type for each in record.history} <= {"field", "comment", "attachment"}


@asynccontextmanager
async def _source(trac: TracServer, **options: Any) -> AsyncIterator[TracSource]:
    connection = Connection(base_url=trac.url, username="admin", password=ACCOUNTS["admin"], options=options)
    async with Client(trac.url, concurrency=4) as client:
        source = TracSource(connection, client)
        await source.login()
        yield source


async def test_what_the_database_has_is_read(earlier_trac: TracServer) -> None:
    version, facts = earlier_trac.version, earlier_trac.facts()
    async with _source(earlier_trac) as source:
        references = [Reference(issue_id=str(number)) for number in facts]
        records = [_PARSER.parse(pages) for pages in await asyncio.gather(*map(source.fetch, references))]
        for file in [file for record in records for file in record.attachments]:
            assert len((await source.download(file)).body) == file.file_size
    wrong = []
    for (number, each), record in zip(facts.items(), records, strict=True):
        try:
            if release_of(version) >= (1, 4):
                compare(each, record)
            else:
                _compare(each, record, version)
        except AssertionError as error:
            wrong.append(f"ticket {number}: {error}")
    assert not wrong, "\n".join(wrong)
    assert [record.warnings for record in records if record.warnings] == []


async def test_what_is_looked_for_is_found(earlier_trac: TracServer) -> None:
    facts = earlier_trac.facts()

    def of(*components: str) -> list[str]:
        found = [number for number, each in facts.items() if each.fields["component"] in components]
        return [str(number) for number in sorted(found, reverse=True)]

    async with _source(earlier_trac, page_size=7) as source:
        pages = [page async for page in source.search(None)]
        assert {page.server for page in pages} == {f"Trac {earlier_trac.version}"}
        assert {page.total for page in pages} == {len(facts)}
        found = [int(ref.issue_id) for page in pages for ref in page.references]
        assert found == sorted(facts, reverse=True)
        assert await numbers(source, product="cli") == of("client", "client-tools")
        assert await numbers(source, product="SERVER") == of("server")
        assert await numbers(source, Tree((Clause("888888", Occur.SHOULD, number=True),))) == []
        changed = {number: each.fields["changetime"] for number, each in facts.items()}
        since = sorted(changed.values())[len(facts) // 2]
        later = {number for number, moment in changed.items() if moment >= since}
        given = {int(number) for number in await numbers(source, since=since)}
    # Trac 0.11 cannot be asked for times: it answers with all, which is never too few.
    assert given == (later if release_of(earlier_trac.version) >= (0, 12) else set(facts))
