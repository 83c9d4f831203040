"""Full-text search over what is stored, by every way in which something is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from db import Attachment, Issue, IssueComment, Tracker
from tests.fixtures.database import Server, on_every_server
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database, fresh_database

pytestmark = pytest.mark.xdist_group("search")


def found(session: Session, query: str | None, product: str | None = None, limit: int = 100) -> list[str]:
    """The ids of the issues that a query finds, the best first."""
    return list(
        session.scalars(
            text("SELECT issue_id FROM ims.search_issues(:query, :product, :limit)"),
            {"query": query, "product": product, "limit": limit},
        )
    )


@pytest.fixture(scope="module")
def shelf(server: Server, template: str) -> Iterator[Database]:
    """Alice's issues and one of Bob's, to be looked at only."""
    with fresh_database(server, template) as database:
        _fill(database)
        yield database


def _fill(database: Database) -> None:
    with database.session(ALICE) as session:
        session.add_all(
            [
                Issue(
                    issue_id="101",
                    title="Server crashes on connect",
                    description="The server crashed with ORA-00600 while connecting.",
                    product="Tibero 7",
                ),
                Issue(
                    issue_id="102",
                    title="Slow query",
                    description="A timeout, not a crash",
                    product="Tibero 6",
                ),
                Issue(issue_id="103", title="접속 오류", description="서버에서 에러가 발생", product="JEUS"),
                Issue(issue_id="104", title="接続エラー", description="タイムアウト 発生", product="jeus 8"),
                Issue(issue_id="105", title="See 101", description="<b>tags</b> if a<b and c>d, off by one"),
            ]
        )
    with database.session(BOB) as session:
        session.add(Issue(issue_id="101", title="Bob's crash and timeout", product="Tibero 7"))


@on_every_server
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("crash timeout", {"101", "102"}),
        ("+crash +timeout", {"102"}),
        ("+crash -timeout", {"101"}),
        ("crash timeout +timeout", {"102"}),
        ("crash -crash", set()),
        ("crashing", {"101", "102"}),
        ("'server crashed'", {"101"}),
        ('"crashed server"', set()),
        ("+'a crash'", {"102"}),
        ("not", {"102"}),
        ("off", {"105"}),
        ("'a<b and c>d'", {"105"}),
        ("ORA-00600", {"101"}),
        ("+ORA-00600 +crash", {"101"}),
        ("오류", {"103"}),
        ("+접속 +에러가", {"103"}),
        ("発生", {"104"}),
        ("101", {"101", "105"}),
        ("#101", {"101", "105"}),
        ("IMS-101", {"101", "105"}),
        ("+101 +server", {"101"}),
        ("+101 -server", {"105"}),
        ("-101 crash", {"101", "102", "105"}),  # a minus before a digit belongs to an error code
        ("-#101 crash", {"102"}),
        ("-crash", {"103", "104", "105"}),
        ("*", {"101", "102", "103", "104", "105"}),
        ("", {"101", "102", "103", "104", "105"}),
        ("nowhere", set()),
        ("+nowhere crash", set()),
        ("!&|():* '", set()),
        ("don't", set()),
        ("'", set()),
    ],
)
def test_the_direct_syntax_finds_what_it_asks_for(shelf: Database, query: str, ids: set[str]) -> None:
    with shelf.session(ALICE) as session:
        hits = found(session, query)
        assert len(hits) == len(set(hits))
        assert set(hits) == ids if query not in {"!&|():* '", "'", "don't"} else len(hits) <= 5


def test_titles_weigh_more_and_a_number_is_first(shelf: Database) -> None:
    with shelf.session(ALICE) as session:
        assert found(session, "crash")[0] == "101"
        assert found(session, "slow 101")[0] == "101"
        assert found(session, "101") == ["101", "105"]


def test_a_product_is_a_name_or_a_family_in_whatever_case(shelf: Database) -> None:
    with shelf.session(ALICE) as session:
        assert set(found(session, "", "tibero")) == {"101", "102"}
        assert set(found(session, "", "TIBERO 7")) == {"101"}
        assert set(found(session, "", "Jeus")) == {"103", "104"}
        assert found(session, "crash", "jeus") == []
        assert found(session, "", "100%_\\") == []


def test_at_most_so_many_rows_come(shelf: Database) -> None:
    with shelf.session(ALICE) as session:
        assert len(found(session, "", limit=2)) == 2
        assert found(session, "", limit=0) == []
        assert found(session, "", limit=-1) == []
        assert len(session.execute(text("SELECT * FROM ims.search_issues('crash')")).all()) == 2
        assert len(session.execute(text("SELECT * FROM ims.search_issues('crash', NULL, NULL)")).all()) == 2
        assert len(found(session, None)) == 5


def test_everybody_finds_what_they_may_see(shelf: Database) -> None:
    for user_id, count in ((ALICE, 2), (BOB, 1), (ROOT, 3), (ANA, 3)):
        with shelf.session(user_id) as session:
            assert len(found(session, "crash")) == count
            assert len(found(session, "101")) == (1 if user_id == BOB else 2 if user_id == ALICE else 3)
    with shelf.session(ROOT) as session:
        assert len(found(session, "")) == 6


def test_the_columns_are_those_that_were_promised_and_the_snippet_shows_the_hit(shelf: Database) -> None:
    with shelf.session(ALICE) as session:
        row = session.execute(text("SELECT * FROM ims.search_issues('+timeout', NULL, 10)")).one()
        assert tuple(row._fields) == (
            "issue_pk",
            "issue_id",
            "title",
            "description",
            "product",
            "status",
            "rank",
            "snippet",
        )
        assert 0 < row.rank < 1
        assert row.snippet == "A <mark>timeout</mark>, not a crash"
        row = session.execute(text("SELECT snippet FROM ims.search_issues('off')")).one()
        assert row.snippet == "<b>tags</b> if a<b and c>d, <mark>off</mark> by one"


def test_what_changes_is_found_as_it_is(database: Database) -> None:
    _fill(database)
    with database.session(ALICE) as session:
        issue = session.scalars(select(Issue).where(Issue.issue_id == "102")).one()
        comment = IssueComment(content="Looks like a zebra to me. " * 50 + "A giraffe, rather.")
        issue.comments.append(comment)
        session.commit()
        assert found(session, "+zebra +slow") == ["102"]
        snippet = session.scalar(text("SELECT snippet FROM ims.search_issues('giraffe')"))
        assert "<mark>giraffe</mark>" in str(snippet)
        comment.content = "Looks like a horse"
        session.commit()
        assert (found(session, "zebra"), found(session, "horse")) == ([], ["102"])
        comment.removed_at = func.now()
        session.commit()
        assert found(session, "horse") == []
        comment.removed_at = None
        issue.title = "Fast query"
        session.commit()
        assert (found(session, "slow"), found(session, "+fast +horse")) == ([], ["102"])
        issue.attachments.append(Attachment(filename="log.txt", extracted_text="an okapi in the log"))
        session.commit()
        assert found(session, "+okapi +horse") == ["102"]
        session.execute(delete(IssueComment))
        session.commit()
        assert (found(session, "horse"), found(session, "okapi")) == ([], ["102"])
        issue.removed_at = func.now()
        session.commit()
        assert found(session, "okapi") == []


def test_many_rows_in_one_statement_are_all_found(database: Database) -> None:
    _fill(database)
    with database.session(ALICE) as session:
        session.execute(
            text(
                "INSERT INTO ims.issue_comments (issue_pk, content) SELECT issue_pk, 'llama' FROM ims.issues"
            )
        )
        assert len(found(session, "llama")) == 5
        session.execute(update(IssueComment).values(content="alpaca"))
        assert (found(session, "llama"), len(found(session, "alpaca"))) == ([], 5)


def test_a_key_with_letters_names_its_issue(database: Database) -> None:
    with database.session(ALICE) as session:
        tracker = Tracker(name="desk", kind="jira", base_url="http://localhost")
        session.add(tracker)
        session.add(Issue(issue_id="KAFKA-17", title="Broker", tracker=tracker))
        session.add(Issue(issue_id="KAFKA-18", title="Like kafka-17", tracker=tracker))
    with database.session(ALICE) as session:
        assert found(session, "kafka-17") == ["KAFKA-17", "KAFKA-18"]
        assert found(session, "+KAFKA-17 -like") == ["KAFKA-17"]


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(
            lambda: " ".join(f"word{number:06x}" for number in range(400_000)),
            id="four hundred thousand words",
        ),
        pytest.param(
            lambda: " ".join(f"a-{number}-b.c/{number}@x.example" for number in range(100_000)), id="tangles"
        ),
        pytest.param(lambda: "가나다라 " * 500_000, id="two million letters"),
        pytest.param(lambda: "x" * 3_000_000, id="one long word"),
        pytest.param(
            lambda: "".join(chr(0xAC00 + n % 11172) + " " for n in range(600_000)), id="every syllable"
        ),
    ],
)
def test_a_text_of_any_size_is_stored_and_its_beginning_is_found(
    database: Database, write: Callable[[], str]
) -> None:
    content = write()
    with database.session(ALICE) as session:
        issue = Issue(issue_id="1", title="zebra " + content, description="giraffe " + content)
        issue.comments.append(IssueComment(content="okapi " + content))
        issue.comments.append(IssueComment(content=content))
        session.add(issue)
    with database.session(ALICE) as session:
        for word in ("zebra", "giraffe", "okapi"):
            assert found(session, word) == ["1"], word
        assert session.scalar(text("SELECT length(snippet) FROM ims.search_issues('giraffe')")) < 1000


def test_a_search_goes_by_the_text_index_and_never_through_the_table(database: Database) -> None:
    with database.app() as connection:
        for user_id in (ALICE, BOB):
            connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
            connection.execute(
                "INSERT INTO ims.issues (issue_id, title) "
                "SELECT n, 'word' || n % 500 FROM generate_series(1, 3000) AS n"
            )
            connection.commit()
    with database.superuser() as connection:
        connection.execute("VACUUM ANALYZE ims.issues")
        plans: list[str] = []
        connection.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
        connection.execute("LOAD 'auto_explain'")
        connection.execute("SET auto_explain.log_min_duration = 0")
        connection.execute("SET auto_explain.log_nested_statements = on")
        connection.execute("SET client_min_messages = log")
        for query in ("word7", "+word7 -word8", "17", "word7 word8 word9"):
            with connection.transaction():
                connection.execute("SELECT ims.set_current_user(2)")
                plans.clear()
                rows = connection.execute("SELECT * FROM ims.search_issues(%s)", (query,)).fetchall()
            plan = "\n".join(plans)
            assert rows, query
            assert "Bitmap Index Scan on issues_search_vector_idx" in plan, plan
            assert "Seq Scan on issues" not in plan, plan
