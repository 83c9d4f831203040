"""``ims.similar_issues``: the rarest shared words make issues alike, within one owner's issues."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db import Issue, IssueComment
from tests.fixtures.database import on_every_server
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database

pytestmark = [on_every_server, pytest.mark.xdist_group("similar")]


@pytest.fixture
def shelf(database: Database) -> Database:
    """Thirty issues of Alice's that say the same common words, and a few that share rare ones."""
    with database.session(ALICE) as session:
        session.add_all(
            Issue(
                issue_id=f"{number}", title="server error", description=f"the server stopped, unique{number}"
            )
            for number in range(100, 130)
        )
        session.add_all(
            [
                Issue(issue_id="1", title="ORA-01555 zebra", description="the server stopped with SVC99"),
                Issue(issue_id="2", title="a zebra, again", comments=[IssueComment(content="also SVC99")]),
                Issue(issue_id="3", title="server error", description="a zebra was seen"),
                Issue(issue_id="4", title="全文検索機能が遅い"),
                Issue(issue_id="5", title="検索機能について"),
                Issue(issue_id="6", title=r"it's a 'quoted\path' & | ! ( ) : * <-> owner"),
                Issue(issue_id="7", title=r"it's a 'quoted\path' once more"),
                Issue(issue_id="8", title="zebra", removed_at=func.now()),
                Issue(issue_id="9"),
            ]
        )
    with database.session(BOB) as session:
        session.add(Issue(issue_id="1", title="zebra SVC99 ORA-01555"))
    return database


def alike(session: Session, issue_id: str, limit: int | None = 10, owner: int = ALICE) -> list[str]:
    key = session.scalar(select(Issue.issue_pk).where(Issue.issue_id == issue_id, Issue.user_id == owner))
    query = text(
        "SELECT issue_id FROM ims.similar_issues(:key, :limit) JOIN ims.issues USING (issue_pk) "
        "ORDER BY score DESC"
    )
    return list(session.scalars(query, {"key": key, "limit": limit}))


def test_the_rarest_shared_words_count_and_common_ones_do_not(shelf: Database) -> None:
    with shelf.session(ALICE) as session:
        assert alike(session, "1") == ["2", "3"]
        assert alike(session, "1", limit=1) == ["2"]
        assert alike(session, "4") == ["5"]
        assert alike(session, "6") == ["7"]
        assert alike(session, "9") == alike(session, "1", limit=0) == alike(session, "1", limit=-1) == []
        key = session.scalar(select(Issue.issue_pk).where(Issue.issue_id == "1"))
        rows = session.execute(text("SELECT * FROM ims.similar_issues(:key)"), {"key": key}).all()
        assert set(rows[0].terms) == {"zebra", "svc99"}
        assert rows[0].score > rows[1].score > 0


def test_an_issue_that_one_does_not_see_has_nothing_similar_and_nobody_elses_is(shelf: Database) -> None:
    with shelf.superuser() as connection:
        theirs = connection.execute(
            "SELECT issue_pk FROM ims.issues WHERE user_id = 2 AND issue_id = '1'"
        ).fetchone()
    assert theirs is not None
    with shelf.session(BOB) as session:
        count = text("SELECT count(*) FROM ims.similar_issues(:key)")
        assert session.scalar(count, {"key": theirs[0]}) == 0
        assert session.scalar(count, {"key": -1}) == session.scalar(count, {"key": None}) == 0
        assert alike(session, "1", owner=BOB) == []
    with shelf.app() as connection:
        row = connection.execute("SELECT count(*) FROM ims.similar_issues(%s)", theirs).fetchone()
        assert row == (0,)
    for analyst in (ROOT, ANA):  # they see everything, and stay within the owner's
        with shelf.session(analyst) as session:
            assert alike(session, "1") == ["2", "3"]


def test_an_issue_with_more_words_than_are_looked_up_is_answered(shelf: Database) -> None:
    many = " ".join(f"word{number}" for number in range(5000))
    with shelf.session(ALICE) as session:
        session.add_all(
            [Issue(issue_id="20", title="okapi", description=many), Issue(issue_id="21", title="okapi")]
        )
    with shelf.session(ALICE) as session:
        assert alike(session, "20") == ["21"]


def test_what_is_similar_is_found_by_the_text_index_within_the_owners_part(shelf: Database) -> None:
    with shelf.superuser() as connection:
        connection.execute(
            "INSERT INTO ims.issues (user_id, issue_id, title) SELECT 2 + n % 2, 'x' || n, 'word' || n % 500 "
            "FROM generate_series(1, 4000) AS n"
        )
        connection.execute("VACUUM ANALYZE ims.issues")
        plans: list[str] = []
        connection.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
        connection.execute("LOAD 'auto_explain'")
        connection.execute("SET auto_explain.log_min_duration = 0")
        connection.execute("SET auto_explain.log_nested_statements = on")
        connection.execute("SET client_min_messages = log")
        with connection.transaction():
            connection.execute("SELECT ims.set_current_user(2)")
            plans.clear()
            key = "SELECT issue_pk FROM ims.issues WHERE issue_id = '1' AND user_id = 2"
            connection.execute(f"SELECT * FROM ims.similar_issues(({key}))".encode())  # noqa: S608 - no values
        plan = "\n".join(plans)
        assert "Bitmap Index Scan on issues_search_vector_idx" in plan, plan
        assert "'owner 2''" in plan, plan
