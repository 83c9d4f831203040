"""What a shell offers beside search: a readable issue, past questions, favorites, similar issues."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper

import pytest

from db import Attachment, CrawlSession, Issue, IssueComment, IssueHistory, Tracker
from tests.fixtures.schema import ALICE
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")

# Clears the screen, sets the title, turns the line around, and says it in one byte of C1.
HOSTILE = "zebra\x1b[2J\x1b]0;owned\x07\u202etxt.exe\u2066\x9b31m\x7f\r"
STEERING = "\x1b\x07\u202e\u2066\x9b\x7f\r"


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


@pytest.fixture
def story(shell: Shell) -> Shell:
    """An issue on which something happened."""
    with shell.database.session(ALICE) as session:
        session.add(
            Issue(
                issue_id="7",
                title="Zebra crossing",
                url="http://localhost/7",
                comments=[
                    IssueComment(author="kim", content="second\nthing", commented_at=at(3)),
                    IssueComment(author="lee", content="undated"),
                ],
                history=[
                    IssueHistory(
                        changed_by="sato",
                        changed_at=at(2),
                        field_name="status",
                        old_value="New",
                        new_value="Open",
                    ),
                    IssueHistory(
                        changed_by="sato", changed_at=at(5), field_name="status", new_value="Closed"
                    ),
                ],
                attachments=[Attachment(filename="core.1", author="kim", attached_at=at(4), file_size=1234)],
            )
        )
    return shell


def test_a_timeline_tells_everything_in_the_order_of_time(story: Shell) -> None:
    page = story("show", "7", "--timeline").out
    told = ["New → Open", "second", "core.1", "→ Closed", "undated"]
    assert sorted(told, key=page.index) == told
    assert "Timeline (5)" in page
    assert "Comments" not in page
    sections = story("show", "7").out
    assert "http://localhost/7" in sections
    assert all(name in sections for name in ("Comments (2)", "History (2)", "Attachments (1)"))


def test_a_page_goes_through_the_pager_on_a_terminal_only(
    story: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged: list[str] = []
    monkeypatch.setattr("pydoc.pager", paged.append)
    assert "Zebra crossing" in story("show", "7").out
    assert paged == []
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"cli.pager.sys.{stream}.isatty", lambda: True, raising=False)
    assert story("show", "7").out == ""
    assert "Zebra crossing" in paged[0]


def test_history_lists_ones_own_questions_the_newest_first(story: Shell) -> None:
    assert story("history").err.startswith("There are no queries yet")
    story("search", "에러와 크래시 찾아줘")
    story("search", "zebra")
    story("search", "zebra", user="bob")
    rows = story("history", "--json").document
    assert [(row["original_query"], row["results_count"]) for row in rows] == [
        ("zebra", 1),
        ("에러와 크래시 찾아줘", 0),
    ]
    assert rows[1]["parsed_query"] == "+에러 +크래시"
    assert rows[1]["parsing_method"] == "rules"
    assert rows[0]["session_uuid"] is None
    (only,) = story("history", "--json", "--limit", "1", "--offset", "1").document
    assert only == rows[1]
    assert "+에러 +크래시" in story("history").out
    assert len(story("history", "--json", user="root").document) == 0


def test_a_favorite_is_kept_changed_run_and_forgotten(story: Shell) -> None:
    with story.database.session(ALICE) as session:
        session.add(Tracker(name="desk", kind="ims", base_url="http://localhost"))
    assert story("favorites", "list").err.startswith("There are no favorites yet")
    assert story("favorites", "add", "animals", "crossing", "--tracker", "desk").status == 0
    assert story("favorites", "run", "animals", "--json").document == []
    assert "animals" in story("trackers", "remove", "desk").sentence()
    assert story("favorites", "add", "animals", "zebra").status == 0
    (kept,) = story("favorites", "list", "--json").document
    assert (kept["name"], kept["query"], kept["tracker"], kept["product"]) == ("animals", "zebra", None, None)
    assert [hit["issue_id"] for hit in story("favorites", "run", "animals", "--json").document] == ["7"]
    assert story("history", "--json").document[0]["original_query"] == "zebra"
    assert story("favorites", "run", "animals", user="bob").status == 2
    assert story("favorites", "remove", "animals", user="root").status == 2
    assert story("favorites", "remove", "animals").status == 0
    assert story("trackers", "remove", "desk").status == 0
    assert (
        story("favorites", "run", "animals").sentence()
        == "There is no favorite called 'animals': see favorites list."
    )


@pytest.mark.parametrize(
    "arguments", [("x", "'"), ("x", "zebra", "--tracker", "nonesuch"), ("  ", "zebra"), ("a\x1bb", "zebra")]
)
def test_a_favorite_that_could_not_be_run_is_not_kept(story: Shell, arguments: tuple[str, ...]) -> None:
    assert story("favorites", "add", *arguments).status == 2
    assert story("favorites", "list", "--json").document == []


def test_a_schedule_is_no_favorite(story: Shell) -> None:
    story("favorites", "add", "nightly", "zebra")
    with story.database.superuser() as connection:
        connection.execute("UPDATE ims.saved_searches SET cron = '0 3 * * *'")
    assert story("favorites", "list", "--json").document == []
    for arguments in (("run", "nightly"), ("remove", "nightly"), ("add", "nightly", "other")):
        assert story("favorites", *arguments).status == 2
    with story.database.superuser() as connection:
        assert connection.execute("SELECT query FROM ims.saved_searches").fetchone() == ("zebra",)


def test_an_analyst_is_told_that_favorites_are_not_for_them(story: Shell) -> None:
    done = story("favorites", "add", "x", "zebra", user="ana")
    assert (done.status, done.sentence()) == (
        3,
        "Analysts look and do not write: keep the question elsewhere.",
    )


def test_similar_issues_are_listed_with_what_they_share(story: Shell) -> None:
    with story.database.session(ALICE) as session:
        session.add(Issue(issue_id="8", title="A zebra"))
    (found,) = story("similar", "7", "--json").document
    assert set(found) == {"issue_id", "tracker", "title", "product", "status", "score", "terms", "url"}
    assert (found["issue_id"], found["terms"]) == ("8", ["zebra"])
    assert "zebra" in story("similar", "7").out
    assert story("similar", "7", user="bob").status == 2


def test_similar_takes_a_text_and_only_open_issues(story: Shell) -> None:
    with story.database.session(ALICE) as session:
        session.add(Issue(issue_id="8", title="A zebra", state="open"))
    pasted = story.home / "pasted.txt"
    pasted.write_bytes("zebra\x00 한".encode() + b"\xff")
    found = story("similar", "--text", str(pasted), "--json").document
    assert {row["issue_id"] for row in found} == {"7", "8"}
    (only,) = story("similar", "--text", str(pasted), "--open", "--json").document
    assert only["issue_id"] == "8"
    assert story("similar", "--text", str(pasted), "--json", user="bob").document == []
    assert [row["issue_id"] for row in story("similar", "7", "--open", "--json").document] == ["8"]


def test_similar_reads_standard_input(story: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"a zebra\nwas seen")))
    (found,) = story("similar", "--text", "-", "--json").document
    assert found["issue_id"] == "7"


@pytest.mark.parametrize(
    "arguments",
    [(), ("7", "--text", "-"), ("--text", "nowhere.txt"), ("--text", "-", "--tracker", "t"), ("--text", "/")],
)
def test_similar_says_what_it_needs(story: Shell, arguments: tuple[str, ...]) -> None:
    done = story("similar", *arguments)
    assert done.status == 2
    assert done.sentence()


COMMANDS = (
    ("search", "zebra"),
    ("search", "zebra", "--json"),
    ("search", "zebra", "--csv"),
    ("search", "zebra", "--csv", "--raw"),
    ("search", "zebra", "--open", "1"),
    ("search", HOSTILE),
    ("show", "7"),
    ("show", "7", "--timeline"),
    ("show", "7", "--json"),
    ("similar", "7"),
    ("similar", "7", "--json"),
    ("history",),
    ("history", "--json"),
    ("favorites", "list"),
    ("favorites", "list", "--json"),
    ("favorites", "run", "x"),
    ("sessions",),
    ("sessions", "--json"),
    ("trackers", "list"),
    ("trackers", "list", "--json"),
    ("users", "list"),
    ("audit",),
    ("audit", "--json"),
    ("query", HOSTILE),
    ("query", HOSTILE, "--json"),
    ("show", HOSTILE),
    ("trackers", "remove", "no" + HOSTILE),
    (HOSTILE,),
)


def test_what_steers_a_terminal_never_reaches_it(story: Shell) -> None:
    with story.database.superuser() as connection:
        connection.execute(
            "UPDATE ims.issues SET title = %(x)s, description = %(x)s, product = %(x)s, status = %(x)s,"
            " reporter = %(x)s, url = 'http://localhost/' || %(x)s,"
            " full_data = jsonb_build_object(%(x)s::text, %(x)s::text)",
            {"x": HOSTILE},
        )
        for statement in (
            "UPDATE ims.issue_comments SET author = %(x)s, content = %(x)s",
            "UPDATE ims.issue_history SET changed_by = %(x)s, field_name = %(x)s, new_value = %(x)s",
            "UPDATE ims.attachments SET author = %(x)s, filename = %(x)s",
            "INSERT INTO ims.issues (user_id, issue_id, title) VALUES (2, '8' || %(x)s, %(x)s)",
            "INSERT INTO ims.issue_relations (user_id, issue_pk, related_issue_id, relation_type, title)"
            " SELECT user_id, issue_pk, %(x)s, %(x)s, %(x)s FROM ims.issues",
            "INSERT INTO ims.trackers (user_id, name, kind, base_url, username)"
            " VALUES (2, %(x)s, 'ims', 'http://localhost', %(x)s)",
            "INSERT INTO ims.crawl_sessions (user_id, original_query, product) VALUES (2, %(x)s, %(x)s)",
            "INSERT INTO ims.search_queries (user_id, original_query, product, parsed_query)"
            " VALUES (2, %(x)s, %(x)s, %(x)s)",
            "INSERT INTO ims.saved_searches (user_id, name, query, product) VALUES (2, 'x', 'zebra', NULL),"
            " (2, 'y' || %(x)s, %(x)s, %(x)s)",
            "UPDATE ims.users SET full_name = %(x)s, department = %(x)s WHERE user_id = 2",
        ):
            connection.execute(statement.encode(), {"x": HOSTILE})
    for arguments in COMMANDS:
        done = story(*arguments)
        assert done.out + done.err, arguments
        found = {character for character in done.out + done.err if character in STEERING}
        assert not found, (arguments, found)


SESSIONS = ("a3352aac-286b-49ec-b197-015aa3529217", "a3352aac-2999-49ec-b197-015aa3529217")


@pytest.mark.parametrize("command", ["receipt", "resume", "reparse"])
def test_a_session_is_named_by_its_first_digits(story: Shell, command: str) -> None:
    with story.database.superuser() as connection:
        for one in (*SESSIONS, "ffffffff-ffff-4fff-8fff-ffffffffffff"):
            connection.execute(
                "INSERT INTO ims.crawl_sessions (user_id, session_uuid, original_query, status)"
                " VALUES (2, %s, 'what', 'completed')",
                (one,),
            )
    several = story(command, "a3352aac")
    assert several.status == 2
    assert all(one in several.sentence() for one in SESSIONS)
    for wrong in (
        "deadbeef",
        "a335-2aac-3",
        "zzzz",
        "a33",
        "a335_2aac",
        "%",
        "a3352aac-286b-49ec-b197-015aa35292170",
    ):
        done = story(command, wrong)
        assert done.status == 2
        assert wrong in done.sentence()
    assert story(command, "a3352aac", user="bob").sentence() == "There is no session a3352aac: see sessions."
    whole = story(command, SESSIONS[0])
    for beginning in ("a3352aac-2999", "A3352AAC2999", "ffff"):
        done = story(command, beginning)
        assert (done.status, "several" in done.err) == (whole.status, False), done.err


def test_a_list_of_sessions_shows_ids_that_can_be_typed(
    story: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with story.database.session(ALICE) as session:
        session.add(CrawlSession(original_query="what", status="completed"))
    (kept,) = story("sessions", "--json").document
    assert kept["session_uuid"] in story("sessions").out
    monkeypatch.setattr("cli.output.sys.stdout.isatty", lambda: True, raising=False)
    shown = story("sessions").out
    assert kept["session_uuid"] not in shown
    assert kept["session_uuid"][:8] in shown
    assert story("receipt", kept["session_uuid"][:8]).status == 0
