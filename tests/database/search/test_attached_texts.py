"""Searching what attached files say: which issues, where in them, in what order, and for whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from db import Attachment, FileText, FileTextPart, Issue, IssueComment
from tests.fixtures.database import Server
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database, fresh_database

pytestmark = pytest.mark.xdist_group("search")

LOG = "\n".join(
    [*(f"line {number} is quiet" for number in range(1, 1204)), "Caused by: ORA-01555 wombat", "the end"]
)


def file(name: str, *parts: FileTextPart, content: str = "") -> tuple[Attachment, FileText]:
    """A file that was fetched and read; equal parts make equal bytes."""
    parts = parts or (FileTextPart(content=content),)
    told = repr([(part.member, part.content) for part in parts])
    digest = hashlib.sha256(told.encode()).hexdigest()
    for position, part in enumerate(parts):
        part.position = position
    attached = Attachment(filename=name, sha256=digest, downloaded=True, text_extracted=True)
    return attached, FileText(sha256=digest, kind="log", parts=list(parts))


def search(database: Database, query: str, user: int = ALICE, **filters: Any) -> list[tuple[Any, ...]]:
    """The hits of a query: issue_id, found_in, snippet, rank."""
    with database.session(user) as session:
        rows = session.execute(
            text(
                "SELECT issue_id, found_in, snippet, rank "
                "FROM ims.search_hits(:query, NULL, 100, cast(:filters AS jsonb))"
            ),
            {"query": query, "filters": json.dumps(filters)},
        )
        return [tuple(row) for row in rows]


@pytest.fixture(scope="module")
def shelf(server: Server, template: str) -> Iterator[Database]:
    """Alice's issues with files, and one of Bob's, to be looked at only."""
    with fresh_database(server, template) as database:
        _fill(database, ALICE)
        with database.session(BOB) as session:
            attached, told = file("bobs.log", content="a secret platypus and a wombat")
            session.add_all([told, Issue(issue_id="9", title="Bob's", attachments=[attached])])
        yield database


def _fill(database: Database, user: int) -> None:
    zipped, in_zip = file(
        "threaddump.zip",
        FileTextPart(member="server.log", content=LOG),
        FileTextPart(member="inner.zip!/접속.log", content="연결이 끊어졌습니다", first_line=41),
    )
    capped, in_capped = file(
        "big.log",
        FileTextPart(
            content="ERROR one\nERROR two quokka\nERROR three", line_numbers=[7, 9000, 2**30 % 10**9]
        ),
    )
    patch, in_patch = file("снимок fix.diff", content="+int old_esc_mode = 1;")
    again, _ = file("copy of it.diff", content="+int old_esc_mode = 1;")
    with database.session(user) as session:
        session.add_all([in_zip, in_capped, in_patch])
        session.add_all(
            [
                Issue(issue_id="1", title="Hangs", description="nothing moves", attachments=[zipped]),
                Issue(issue_id="2", title="Slow", description="a wombat", attachments=[capped]),
                Issue(issue_id="3", title="Escape", attachments=[patch]),
                Issue(
                    issue_id="4",
                    title="Wombat",
                    attachments=[again],
                    comments=[IssueComment(content="an echidna", comment_number=3)],
                ),
            ]
        )


def test_a_word_that_only_a_file_has_is_found_with_its_place(shelf: Database) -> None:
    ((issue, place, lines, _),) = search(shelf, "ORA-01555")
    assert (issue, place) == ("1", "attachment threaddump.zip!/server.log:1204")
    assert lines == "line 1203 is quiet\nCaused by: <mark>ORA-01555</mark> wombat\nthe end"
    ((issue, place, lines, _),) = search(shelf, "quokka")
    assert (issue, place) == ("2", "attachment big.log:9000")
    assert lines == "ERROR one\nERROR two <mark>quokka</mark>\nERROR three"
    ((issue, place, _, _),) = search(shelf, "연결")
    assert (issue, place) == ("1", "attachment threaddump.zip!/inner.zip!/접속.log:41")


def test_names_of_files_and_members_are_found(shelf: Database) -> None:
    assert [hit[:2] for hit in search(shelf, "снимок")] == [("3", "attachment снимок fix.diff")]
    assert [hit[:2] for hit in search(shelf, "threaddump.zip")] == [("1", "attachment threaddump.zip")]
    assert [hit[:2] for hit in search(shelf, "접속")] == [
        ("1", "attachment threaddump.zip!/inner.zip!/접속.log")
    ]


def test_the_same_file_is_found_in_each_issue_that_has_it(shelf: Database) -> None:
    assert sorted(hit[:2] for hit in search(shelf, "old_esc_mode")) == [
        ("3", "attachment снимок fix.diff:1"),
        ("4", "attachment copy of it.diff:1"),
    ]


def test_what_the_issue_itself_says_comes_first(shelf: Database) -> None:
    assert [hit[:2] for hit in search(shelf, "wombat")] == [
        ("4", "title"),
        ("2", "description"),
        ("1", "attachment threaddump.zip!/server.log:1204"),
    ]
    assert [hit[:2] for hit in search(shelf, "echidna")] == [("4", "comment 3")]


def test_fields_and_files_together_have_what_is_required(shelf: Database) -> None:
    assert [hit[0] for hit in search(shelf, "+hangs +wombat")] == ["1"]
    assert [hit[0] for hit in search(shelf, "+hangs +quokka")] == []
    assert [hit[0] for hit in search(shelf, "wombat -quokka")] == ["4", "1"]
    assert [hit[0] for hit in search(shelf, "wombat -hangs")] == ["4", "2"]


def test_a_search_in_one_place_finds_nothing_elsewhere(shelf: Database) -> None:
    assert [hit[0] for hit in search(shelf, "wombat", **{"in": "title"})] == ["4"]
    assert [hit[0] for hit in search(shelf, "wombat", **{"in": ["description", "title"]})] == ["4", "2"]
    assert [hit[:2] for hit in search(shelf, "wombat", **{"in": "attachments"})] == [
        ("1", "attachment threaddump.zip!/server.log:1204")
    ]
    assert [hit[0] for hit in search(shelf, "echidna", **{"in": "comments"})] == ["4"]
    assert search(shelf, "1", **{"in": "title"}) == []
    with pytest.raises(Exception, match="title, description, comments or attachments"):
        search(shelf, "wombat", **{"in": "mail"})
    with pytest.raises(Exception, match="title, description, comments or attachments"):
        search(shelf, "wombat", **{"in": ["title", "mail"]})


def test_nobody_finds_what_anothers_file_says(shelf: Database) -> None:
    assert search(shelf, "platypus") == []
    assert [hit[0] for hit in search(shelf, "platypus", user=BOB)] == ["9"]
    assert [hit[0] for hit in search(shelf, "wombat", user=BOB)] == ["9"]
    assert [hit[0] for hit in search(shelf, "platypus", user=ROOT)] == ["9"]  # an admin
    assert [hit[0] for hit in search(shelf, "platypus", user=ANA)] == ["9"]  # an analyst
    assert search(shelf, "platypus", user=ROOT, user_id=ALICE) == []


def test_the_same_bytes_are_each_users_own(shelf: Database) -> None:
    _, told = file("mine.log", content="a secret platypus and a wombat")
    with shelf.session(ALICE) as session:
        assert session.get(FileText, (BOB, told.sha256)) is None
        session.add(told)  # no conflict that would tell of Bob's
        session.flush()
        assert told.user_id == ALICE
        session.rollback()


def test_texts_go_with_the_last_file_that_has_them(database: Database) -> None:
    _fill(database, ALICE)
    with database.session(ALICE) as session:
        before = len(session.scalars(select(FileText)).all())
        session.execute(delete(Issue).where(Issue.issue_id == "3"))
        session.commit()
        assert len(session.scalars(select(FileText)).all()) == before  # issue 4 has the same bytes
    assert [hit[0] for hit in search(database, "old_esc_mode")] == ["4"]
    with database.session(ALICE) as session:
        session.execute(delete(Issue).where(Issue.issue_id == "4"))
        session.commit()
        assert len(session.scalars(select(FileText)).all()) == before - 1
        assert not session.scalars(select(FileTextPart).where(FileTextPart.content.contains("old_esc"))).all()


def test_a_file_that_was_removed_is_found_no_more(database: Database) -> None:
    _fill(database, ALICE)
    with database.session(ALICE) as session:
        session.execute(text("UPDATE ims.attachments SET removed_at = now() WHERE filename = 'big.log'"))
    assert search(database, "quokka") == []
    assert search(database, "big.log") == []


WORDS = ("apple", "banana", "cherry", "damson")


@given(
    fields=st.lists(st.sets(st.sampled_from(WORDS)), min_size=4, max_size=4),
    files=st.lists(st.sets(st.sampled_from(WORDS)), min_size=4, max_size=4),
    signs=st.lists(st.sampled_from(["", "+", "-", None]), min_size=4, max_size=4),
)
def test_an_issue_is_found_by_all_that_its_texts_have_together(
    model: Database, fields: list[set[str]], files: list[set[str]], signs: list[str | None]
) -> None:
    terms = {word: sign for word, sign in zip(WORDS, signs, strict=True) if sign is not None}
    query = " ".join(f"{sign}{word}" for word, sign in terms.items())
    with model.session(ALICE) as session:
        session.execute(delete(Issue))
        session.flush()
        for number, (said, attached) in enumerate(zip(fields, files, strict=True), 1):
            attachment, told = file(f"{number}.txt", content=f"{number} " + " ".join(sorted(attached)))
            session.add(told)
            session.add(Issue(issue_id=f"X-{number}", title=" ".join(sorted(said)), attachments=[attachment]))
    expected = {
        f"X-{number}"
        for number, (said, attached) in enumerate(zip(fields, files, strict=True), 1)
        if _answers(said | attached, terms)
    }
    hits = search(model, query)
    assert {hit[0] for hit in hits} == expected
    if len(terms) == 1 and "-" not in terms.values():
        (word,) = terms
        ranked = [word in fields[int(hit[0].removeprefix("X-")) - 1] for hit in hits]
        assert ranked == sorted(ranked, reverse=True)


def _answers(has: set[str], terms: dict[str, str]) -> bool:
    signed = {sign: {word for word, given in terms.items() if given == sign} for sign in ("", "+", "-")}
    wanted = signed["+"] <= has if signed["+"] else bool(signed[""] & has) or not signed[""]
    return wanted and not signed["-"] & has


@pytest.fixture(scope="module")
def model(server: Server, template: str) -> Iterator[Database]:
    """A database for the property above."""
    with fresh_database(server, template) as database:
        yield database
