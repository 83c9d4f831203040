"""``ims.similar_issues`` and ``ims.similar_to_text``: what tells is shared, within one owner's issues."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db import Issue, IssueComment
from tests.fixtures.database import Server, on_every_server
from tests.fixtures.schema import ALICE, ANA, BOB, ROOT, Database, fresh_database

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


TRACE = """java.lang.IllegalStateException: pool is closed
\tat com.example.pool.Pool.borrow(Pool.java:88)
\tat com.example.dao.OrderDao$2.find(OrderDao.java:41)
\tat com.example.web.OrderServlet.doGet(OrderServlet.java:17)
"""


# The words of its frames, which tell nothing by themselves.
PARTS = (
    "java lang illegalstateexception pool is closed at com example borrow dao orderdao 1 2 find "
    "web orderservlet doget"
)


@pytest.fixture
def desk(database: Database) -> Database:
    """Forty issues with a common vocabulary and their own, and those that the tests are about."""
    greeting = "Hello, thank you for your help during the week. Best regards. 안녕하세요 감사합니다"
    with database.session(ALICE) as session:
        session.add_all(
            Issue(
                issue_id=f"{number}",
                title="order page",
                description=f"the page is empty, word{number}. {PARTS}",
                product="Shop",
                module=f"m{number % 8}",
            )
            for number in range(100, 140)
        )
        session.add_all(
            [
                Issue(
                    issue_id="1",
                    title="Orders cannot be found",
                    description=f"Since the update of the gizmo cluster.\n{TRACE}",
                    state="done",
                ),
                Issue(
                    issue_id="2",
                    title="Pool trouble",
                    description="Other words altogether.\n"
                    + TRACE.replace(":88)", ":91)").replace("$2", "$1"),
                    state="open",
                ),
                Issue(issue_id="3", title="gizmo cluster updated", state="open"),
                Issue(issue_id="4", title="Login", description=greeting, state="open"),
                Issue(issue_id="5", title="Printer", description=greeting, state="open"),
                Issue(issue_id="6", title="QWE-04031 at night", description="a walrus", state="open"),
                Issue(issue_id="7", title="at noon", description="QWE04031, no animal", state="open"),
                Issue(issue_id="8", title="at dawn", description="a walrus", state="open"),
                Issue(issue_id="9", title="yak", module="billing", state="open"),
                Issue(issue_id="10", title="yak", module="cache", state="open"),
                Issue(issue_id="11", title="yak", module="billing", state="open"),
            ]
        )
    return database


def like_text(session: Session, pasted: str | None, *, only_open: bool = False, limit: int = 10) -> list[str]:
    query = text(
        "SELECT issue_id FROM ims.similar_to_text(:pasted, :limit, :only_open) "
        "JOIN ims.issues USING (issue_pk) ORDER BY score DESC"
    )
    return list(session.scalars(query, {"pasted": pasted, "limit": limit, "only_open": only_open}))


def test_the_same_uppermost_frames_are_more_alike_than_the_same_words(desk: Database) -> None:
    with desk.session(ALICE) as session:
        assert alike(session, "1")[:2] == ["2", "3"]
        query = text(
            "SELECT found.terms FROM ims.issues issue "
            "CROSS JOIN LATERAL ims.similar_issues(issue.issue_pk, 1) AS found WHERE issue_id = '1'"
        )
        assert {"pool.borrow", "orderdao.find"} <= set(session.scalar(query) or [])


def test_a_code_tells_more_than_a_word_and_has_or_has_not_its_hyphen(desk: Database) -> None:
    with desk.session(ALICE) as session:
        assert alike(session, "6") == ["7", "8"]
        assert "6" in alike(session, "7")


def test_greetings_and_thanks_tell_nothing(desk: Database) -> None:
    with desk.session(ALICE) as session:
        assert alike(session, "4") == []


def test_the_same_module_is_more_alike(desk: Database) -> None:
    with desk.session(ALICE) as session:
        assert alike(session, "9") == ["11", "10"]


def test_a_pasted_trace_finds_where_it_happened_before(desk: Database) -> None:
    with desk.session(ALICE) as session:
        assert set(like_text(session, TRACE)[:2]) == {"1", "2"}
        assert like_text(session, TRACE.replace(":", ":1"), only_open=True)[0] == "2"
        assert "1" not in like_text(session, TRACE, only_open=True)
        assert like_text(session, TRACE, limit=1) in (["1"], ["2"])
        assert like_text(session, None) == like_text(session, "") == like_text(session, "the, of \n\n") == []


def test_a_text_finds_nothing_of_others(desk: Database) -> None:
    with desk.session(BOB) as session:
        assert (
            session.execute(text("SELECT * FROM ims.similar_to_text(:pasted)"), {"pasted": TRACE}).all() == []
        )
        session.add(Issue(issue_id="b", title="mine", description=TRACE))
        session.flush()
        assert like_text(session, TRACE) == ["b"]
    with desk.session(ROOT) as session:
        assert set(like_text(session, TRACE)[:3]) == {"b", "1", "2"}
    with desk.app() as connection:
        assert connection.execute("SELECT * FROM ims.similar_to_text(%s)", (TRACE,)).fetchall() == []


@pytest.fixture(scope="module")
def engine(server: Server, template: str) -> Iterator[psycopg.Connection]:
    """A connection in autocommit, for functions that read no table."""
    with fresh_database(server, template) as database, database.superuser() as connection:
        yield connection


def frames(engine: psycopg.Connection, document: str) -> list[str] | None:
    row = engine.execute("SELECT ims.stack_frames(%s)", (document,)).fetchone()
    return row and row[0] and row[0].replace("ǃ", " ").split()


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        (TRACE, "pool borrow orderdao find orderservlet doget"),
        ("x\n   at Acme.Web.Home.Index(String id) in C:\\x.cs:line 3", "home index"),
        (
            "TypeError\n    at Shop.total (/srv/shop.js:1:2)\n    at main (/srv/shop.js:9:1)",
            "shop total main",
        ),
        ('Traceback\n  File "/srv/app/jobs.py", line 3, in run\n    go()\nValueError', "jobs run"),
        ("dump\n#0  0x00007f12 in exec_plan (a=1) at x.c:3\n#1  main ()", "exec plan main"),
        ("dump\n/usr/lib/libtb.so(tb_exec+0x12) [0x7f]\n[0x1] tb_main+0x3", "tb exec tb main"),
        ("it happens\nat noon (we think), at 12.30 (local)", None),
        ("at once\n#12 is a number (see #13)", None),
    ],
)
def test_frames_of_stacks_are_read(engine: psycopg.Connection, trace: str, told: str | None) -> None:
    assert frames(engine, trace) == (told.split() if told else None)


NAME = st.text(st.sampled_from("abcXYZ_$1"), min_size=1, max_size=8).map(lambda name: "f" + name)
CALLED = st.tuples(NAME, NAME)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(CALLED, min_size=1, max_size=8),
    prose=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=80),
    line=st.integers(1, 9999),
)
def test_any_stack_has_its_frames_whatever_stands_around_it(
    engine: psycopg.Connection, calls: list[tuple[str, str]], prose: str, line: int
) -> None:
    prose = prose.replace("\n", " ").replace("\x01", " ")
    trace = "\n".join(f"\tat com.example.{one}.{other}(X.java:{line})" for one, other in calls)
    plain = frames(engine, f"x\n{trace}")
    assert plain
    assert frames(engine, f"{prose}\n{trace}\n\n{prose}") == plain
    engine.execute("SELECT ims.stack_frames(%s)", (f"\n\tat {prose}\n#1 {prose}(",))


def test_a_hostile_trace_costs_little(engine: psycopg.Connection) -> None:
    began = monotonic()
    for document in ("\n at a." + "b." * 100_000 + "c(", "\n\tat a.b(" * 60_000, "\n#1 " + "\n" * 250_000):
        engine.execute("SELECT length(ims.document_vector(1, NULL, %s, NULL, NULL))", (document,))
    assert monotonic() - began < 15
