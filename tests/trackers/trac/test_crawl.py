"""A crawl of a real Trac: what PostgreSQL has is what Trac's own database has, and again the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import make_url

from crawler.records import AttachmentRecord, ChangeRecord, CommentRecord, IssueRecord, State
from db.embedded import EmbeddedServer
from db.setup.bootstrap import libpq_url
from tests.fixtures.program import Program
from tests.trackers.trac.fix_server import TracServer
from tests.trackers.trac.test_contract import compare

pytestmark = pytest.mark.xdist_group("trac")

_TABLES = ("issues", "issue_comments", "issue_history", "attachments", "issue_relations", "raw_pages")


@pytest.fixture(scope="module")
def database(ims_crawl: Program) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """The program's database, as its superuser: row security hides nothing."""
    with EmbeddedServer(ims_crawl.home) as address:
        url = libpq_url(make_url(address.superuser_url("ims")).render_as_string(hide_password=False))
        with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
            yield connection


@pytest.fixture(scope="module")
def crawled(ims_crawl: Program, trac: TracServer) -> dict[str, Any]:
    """The whole Trac, crawled once by the user ``tester``."""
    assert ims_crawl(*_add(trac), stdin=trac.password).status == 0
    done = ims_crawl("crawl", "*", "--tracker", "trac", "--json")
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def _add(trac: TracServer) -> tuple[str, ...]:
    connection = ("--kind", "trac", "--url", trac.url, "--username", trac.username, "--password-stdin")
    return ("trackers", "add", "trac", *connection)


def test_every_ticket_comment_change_and_attachment_of_trac_is_in_postgresql(
    crawled: dict[str, Any], database: psycopg.Connection[dict[str, Any]], trac: TracServer
) -> None:
    facts = trac.facts()
    records = _records(database)
    assert crawled["status"] == "completed"
    assert crawled["issues_new"] == crawled["total_issues_found"] == len(facts) == len(records) > 30
    for number, each in facts.items():
        try:
            compare(each, records[str(number)])
        except AssertionError as error:
            raise AssertionError(f"ticket {number}: {error}") from error


@pytest.mark.usefixtures("crawled")
def test_a_test_says_which_trac_it_is(ims_crawl: Program, trac: TracServer) -> None:
    tested = ims_crawl("trackers", "test", "trac", "--json").document
    assert (tested["server"], tested["issues"]) == (f"Trac {trac.version}", len(trac.facts()))
    assert f"answers as Trac {trac.version} and shows" in ims_crawl("trackers", "test", "trac").out


@pytest.mark.usefixtures("crawled")
def test_the_same_again_changes_nothing(
    ims_crawl: Program, database: psycopg.Connection[dict[str, Any]]
) -> None:
    before = _versions(database)
    again = ims_crawl("crawl", "*", "--tracker", "trac", "--json").document
    assert again["issues_unchanged"] == again["total_issues_found"] > 30
    assert again["issues_new"] == again["issues_changed"] == 0
    assert _versions(database) == before


@pytest.mark.usefixtures("crawled")
def test_an_incremental_crawl_brings_the_changed_ticket_and_little_else(
    ims_crawl: Program, database: psycopg.Connection[dict[str, Any]], trac: TracServer
) -> None:
    number, since = max(
        ((number, each.fields["changetime"]) for number, each in trac.facts().items()),
        key=lambda pair: pair[1],
    )
    only = ims_crawl("crawl", "*", "--tracker", "trac", "--since", since.isoformat(), "--json").document
    assert only["status"] == "completed"
    assert 1 <= only["total_issues_found"] < 10
    assert str(number) in _records(database)


def _versions(database: psycopg.Connection[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Where each row is and which transaction wrote it: any write shows."""
    return {
        table: [
            (row["ctid"], row["xmin"])
            for row in database.execute(
                f"SELECT ctid::text, xmin::text FROM ims.{table} ORDER BY ctid"  # noqa: S608 - our own names
            )
        ]
        for table in _TABLES
    }


def _records(database: psycopg.Connection[dict[str, Any]]) -> dict[str, IssueRecord]:
    """The stored issues, as a source would give them."""
    comments = _children(database, "issue_comments", "comment_number")
    history = _children(database, "issue_history", "position")
    attachments = _children(database, "attachments", "attachment_id")
    own = set(IssueRecord.__struct_fields__)
    records = {}
    for row in database.execute("SELECT * FROM ims.issues"):
        key = row["issue_pk"]
        values = {name: value for name, value in row.items() if name in own}
        values["state"] = State(row["state"])
        records[row["issue_id"]] = IssueRecord(
            **values,
            extra=row["full_data"],
            comments=tuple(
                CommentRecord(
                    source_id=child["source_key"].removeprefix("id:"),
                    number=child["comment_number"],
                    author=child["author"],
                    content=child["content"],
                    commented_at=child["commented_at"],
                )
                for child in comments[key]
            ),
            history=tuple(_change(child) for child in history[key]),
            attachments=tuple(
                AttachmentRecord(
                    filename=child["filename"],
                    file_size=child["file_size"],
                    author=child["author"],
                    attached_at=child["attached_at"],
                    description=child["description"],
                )
                for child in attachments[key]
            ),
        )
    return records


def _change(row: dict[str, Any]) -> ChangeRecord:
    own = set(ChangeRecord.__struct_fields__)
    return ChangeRecord(**{name: value for name, value in row.items() if name in own})


def _children(
    database: psycopg.Connection[dict[str, Any]], table: str, order: str
) -> defaultdict[int, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in database.execute(f"SELECT * FROM ims.{table} ORDER BY issue_pk, {order}"):  # noqa: S608 - our own names
        found[row["issue_pk"]].append(row)
    return found
