"""Users, their personal logins, and what the audit log keeps of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from db import AuditLog, CrawlSession, Issue, SavedSearch, Tracker, User, get_session
from db.audit import audit_entries
from db.db_logins import create_personal_login
from db.errors import DatabaseRefused, IdentityRefused, ValueRefused
from db.setup.bootstrap import initialise
from db.users import add_user, disable_user, enable_user, list_users, set_role
from tests.fixtures.database import on_every_server
from tests.fixtures.schema import ALICE, ANA, APP_PASSWORD, BOB, ROOT, Database

PASSWORD = "a made-up one: ü 비밀 '\\"


@pytest.fixture
def login(database: Database) -> Iterator[str]:
    """A name for a login, which is gone after the test."""
    name = f'Minji\'s "login" {database.name}'
    yield name
    with database.superuser() as connection:
        connection.execute(psycopg.sql.SQL("DROP ROLE IF EXISTS {}").format(psycopg.sql.Identifier(name)))


def test_an_admin_makes_lists_disables_and_enables_users(database: Database) -> None:
    with database.session(ROOT) as session:
        user = add_user(session, "minji", role="readonly", full_name="김민지")
        assert user.user_id > ANA
        assert [one.username for one in list_users(session)] == ["alice", "ana", "bob", "minji", "root"]
        assert [one.username for one in list_users(session, limit=2, offset=1)] == ["ana", "bob"]
        disable_user(session, "minji")
    with pytest.raises(IdentityRefused), database.session(user.user_id) as session:
        session.connection()
    with database.session(ROOT) as session:
        enable_user(session, "minji")
    with database.session(user.user_id) as session:
        assert len(list_users(session)) == 5


@pytest.mark.parametrize("user_id", [ALICE, ANA])
def test_nobody_else_does(database: Database, user_id: int) -> None:
    with database.session(user_id) as session:
        attempts: tuple[Callable[[], object], ...] = (
            lambda: add_user(session, "eve"),
            lambda: add_user(session, "eve", role="admin"),
            lambda: disable_user(session, "root"),
            lambda: disable_user(session, "bob"),
            lambda: enable_user(session, "alice"),
            lambda: set_role(session, "alice", "admin"),
            lambda: set_role(session, "root", "user"),
            lambda: disable_user(session, "nobody"),
            lambda: create_personal_login(session, "alice", "long enough"),
        )
        for attempt in attempts:
            with pytest.raises(DatabaseRefused, match="admin"):
                attempt()
        session.rollback()
    with database.session(ROOT) as session:
        assert [one.username for one in list_users(session)] == ["alice", "ana", "bob", "root"]


def test_what_cannot_be_a_user_is_one_sentence(database: Database) -> None:
    with database.session(ROOT) as session:
        for name, role in (("alice", "user"), ("", "user"), (" ", "user"), ("a\nb", "user"), ("eve", "king")):
            with pytest.raises((DatabaseRefused, ValueRefused)) as refusal:
                add_user(session, name, role=role)
            assert "\n" not in str(refusal.value)
        add_user(session, "eve")  # the session is still of use
        with pytest.raises(DatabaseRefused):
            disable_user(session, "nobody")
        disable_user(session, "bob")
        with pytest.raises(DatabaseRefused, match=r"disabled: .* users enable bob"):
            add_user(session, "bob")
        with pytest.raises(DatabaseRefused, match="no role"):
            set_role(session, "bob", "king")


LAST_ADMIN_GONE = (
    "UPDATE ims.users SET is_active = false WHERE username = 'root'",
    "UPDATE ims.users SET role = 'user' WHERE username = 'root'",
    "UPDATE ims.users SET role = 'readonly', is_active = false WHERE username = 'root'",
    "UPDATE ims.users SET is_active = false",
    "UPDATE ims.users SET role = 'user'",
    "DELETE FROM ims.users WHERE username = 'root'",
    "DELETE FROM ims.users",
)


@pytest.mark.parametrize("statement", LAST_ADMIN_GONE)
@pytest.mark.parametrize("more", [(), ("minji",)])
def test_no_statement_leaves_a_database_without_an_active_admin(
    database: Database, statement: str, more: tuple[str, ...]
) -> None:
    with database.session(ROOT) as session:
        for name in more:
            add_user(session, name, role="admin")
            disable_user(session, name)  # a disabled one does not count
    with pytest.raises(DBAPIError, match=r"last active admin|RESTRICT"), database.session(ROOT) as session:
        session.execute(text(statement))
    with (
        database.superuser() as connection,
        pytest.raises((psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.RestrictViolation)),
    ):
        connection.execute(statement.encode())
    with database.session(ROOT) as session:
        assert len(list_users(session)) == 4 + len(more)


def test_the_last_active_admin_is_told_what_to_do_first(database: Database) -> None:
    with database.session(ROOT) as session:
        for attempt in (
            lambda: disable_user(session, "root"),
            lambda: set_role(session, "root", "user"),
            lambda: set_role(session, "root", "readonly"),
        ):
            with pytest.raises(DatabaseRefused, match=r"root is the last active admin: .* users role"):
                attempt()
        set_role(session, "root", "admin")
        set_role(session, "bob", "admin")
        disable_user(session, "root")
    with database.session(BOB) as session:
        with pytest.raises(DatabaseRefused, match="last"):
            disable_user(session, "bob")
        enable_user(session, "root")
        set_role(session, "bob", "user")


def test_two_admins_cannot_disable_each_other_at_the_same_time(database: Database) -> None:
    with database.session(ROOT) as session:
        set_role(session, "bob", "admin")
    disable = "UPDATE ims.users SET is_active = false WHERE username = '{}'"
    with database.superuser() as one, database.superuser() as other, ThreadPoolExecutor(1) as thread:
        one.execute("BEGIN")
        one.execute(disable.format("root").encode())
        waiting = thread.submit(other.execute, disable.format("bob").encode())
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        one.execute("COMMIT")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            waiting.result(timeout=10)
    with database.session(BOB) as session:
        assert [one.username for one in list_users(session) if one.is_active] == ["alice", "ana", "bob"]


def test_setting_up_again_makes_an_admin_where_none_is_active(database: Database) -> None:
    with database.superuser() as connection:
        connection.execute("ALTER TABLE ims.users DISABLE TRIGGER b_keep_an_admin_updated")
        connection.execute("UPDATE ims.users SET is_active = false WHERE username = 'root'")
        connection.execute("ALTER TABLE ims.users ENABLE TRIGGER b_keep_an_admin_updated")
    initialise(database.superuser_url, app_password=APP_PASSWORD, first_admin="root")
    with database.session(ROOT) as session:
        assert len(list_users(session)) == 4
    initialise(database.superuser_url, app_password=APP_PASSWORD, first_admin="eve")
    with database.session(ROOT) as session:
        assert len(list_users(session)) == 4


@on_every_server
def test_a_personal_login_is_its_user_until_they_are_disabled(database: Database, login: str) -> None:
    with database.session(ALICE) as session:
        session.add(Issue(issue_id="1"))
    with database.session(ROOT) as session:
        assert create_personal_login(session, "alice", PASSWORD, login=login).db_login == login
    with contextlib.closing(database.login(login, PASSWORD)) as connection:
        assert _row(connection, "SELECT session_user, current_user, ims.current_user_id()") == (
            login,
            login,
            ALICE,
        )
        assert _row(connection, "SELECT array_agg(user_id) FROM ims.issues") == ([ALICE],)
        with pytest.raises(psycopg.OperationalError):
            database.login(login, "another one")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        assert _row(connection, "SELECT count(*) FROM ims.issues") == (1,)
        with database.session(ROOT) as session:
            disable_user(session, "alice")
        with pytest.raises(psycopg.OperationalError):  # cut off, an old snapshot is of no use
            connection.execute("SELECT count(*) FROM ims.issues")
    with pytest.raises(psycopg.OperationalError):
        database.login(login, PASSWORD)
    with database.session(ROOT) as session:
        enable_user(session, "alice")
    with contextlib.closing(database.login(login, PASSWORD)) as connection:
        assert _row(connection, "SELECT count(*) FROM ims.issues") == (1,)


@on_every_server
def test_a_login_has_what_its_users_role_has_and_follows_it(database: Database, login: str) -> None:
    for user_id in (ALICE, BOB):
        with database.session(user_id) as session:
            session.add(Issue(issue_id="1"))
    with database.session(ROOT) as session:
        create_personal_login(session, "ana", PASSWORD, login=login)
    with contextlib.closing(database.login(login, PASSWORD)) as connection:
        count = "SELECT count(*) FROM ims.issues"
        assert _row(connection, count) == (2,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ims.issues")
        _set_role(database, "admin")
        assert _row(connection, count) == (2,)
        connection.execute("UPDATE ims.issues SET title = 'repaired'")
        _set_role(database, "user")
        assert _row(connection, count) == (0,)
        connection.execute("INSERT INTO ims.issues (issue_id) VALUES ('mine')")
        assert _row(connection, count) == (1,)
        _set_role(database, "readonly")
        assert _row(connection, count) == (3,)


def test_the_password_of_a_login_is_sent_as_a_verifier_only(database: Database, login: str) -> None:
    sent: list[Any] = []
    with database.session(ROOT) as session:
        connection = session.connection()
        event.listen(
            connection,
            "before_cursor_execute",
            lambda c, cursor, statement, values, *_: sent.append((statement, values)),
        )
        create_personal_login(session, "alice", "topsecret", login=login)
    assert "SCRAM-SHA-256$" in str(sent)
    assert "topsecret" not in str(sent)
    with database.superuser() as superuser:
        assert "SCRAM" not in str(
            superuser.execute("SELECT string_agg(a::text, '') FROM ims.audit_log a").fetchone()
        )


def test_what_cannot_be_a_login_is_refused(database: Database, login: str) -> None:
    with database.session(ROOT) as session:
        for name in (
            "ims_owner",
            "ims_app",
            "IMS_x",
            "pg_monitor",
            "postgres",
            "public",
            "x" * 64,
            "가" * 22,
            "a\nb",
        ):
            with pytest.raises(DatabaseRefused, match=r"cannot have this name|already"):
                create_personal_login(session, "alice", PASSWORD, login=name)
        with pytest.raises(DatabaseRefused, match="too short"):
            create_personal_login(session, "alice", "short", login=login)
        with pytest.raises(DatabaseRefused, match="no such"):
            create_personal_login(session, "nobody", PASSWORD, login=login)
        disable_user(session, "bob")
        with pytest.raises(DatabaseRefused, match=r"bob is disabled: .* users enable bob"):
            create_personal_login(session, "bob", PASSWORD, login=login)
        create_personal_login(session, "alice", PASSWORD, login=login)
        with pytest.raises(DatabaseRefused, match="already"):
            create_personal_login(session, "alice", PASSWORD, login="another")
        with pytest.raises(DatabaseRefused, match="already"):
            create_personal_login(session, "ana", PASSWORD, login=login)
        for verifier in ("", "plain", "md5" + "0" * 32, "SCRAM-SHA-256$1:a$b:c'; DROP ROLE x"):
            with pytest.raises(Exception, match="SCRAM"), session.begin_nested():
                session.execute(text("SELECT ims.create_login(1, 'eve', :verifier)"), {"verifier": verifier})


def test_a_login_that_was_dropped_can_be_made_again(database: Database, login: str) -> None:
    with database.session(ROOT) as session:
        create_personal_login(session, "alice", PASSWORD, login=login)
    with database.superuser() as connection:
        connection.execute(psycopg.sql.SQL("DROP ROLE {}").format(psycopg.sql.Identifier(login)))
    with database.session(ROOT) as session:
        disable_user(session, "alice")
        enable_user(session, "alice")
        create_personal_login(session, "alice", PASSWORD, login=login)
    with contextlib.closing(database.login(login, PASSWORD)) as connection:
        assert _row(connection, "SELECT ims.current_user_id()") == (ALICE,)


def test_a_program_with_a_personal_login_acts_for_its_user_only(
    database: Database, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session(ROOT) as session:
        create_personal_login(session, "alice", PASSWORD, login=login)
    monkeypatch.setenv(
        "DATABASE_URL", database.server.url(user=login, password=PASSWORD, dbname=database.name)
    )
    monkeypatch.setenv("IMS_USER", "root")  # says nothing here
    for user_id in (None, ALICE):
        with get_session(user_id=user_id) as session:
            assert session.scalar(text("SELECT ims.current_user_id()")) == ALICE
            session.commit()
            session.add(Issue(issue_id=str(user_id)))
    for user_id in (ROOT, BOB, 99):
        with pytest.raises(IdentityRefused), get_session(user_id=user_id) as session:
            session.connection()


def test_the_log_says_who_changed_what_field_by_field(database: Database) -> None:
    with database.session(ALICE) as session:
        tracker = Tracker(name="desk", kind="trac", base_url="http://localhost", secret=b"sealed")
        saved = SavedSearch(name="crashes", query="+crash", tracker=tracker)
        run = CrawlSession(tracker=tracker)
        session.add_all([tracker, saved, run, Issue(issue_id="1", title="gone soon")])
        session.commit()
        tracker.rate, tracker.base_url = 2.0, "https://localhost"
        run.status, run.issues_crawled = "completed", 7
        saved.next_run_at = run.started_at
        session.commit()
        run.issues_crawled = 8
        tracker.secret = b"sealed again"
        session.execute(text("DELETE FROM ims.issues"))
        session.delete(run)
        session.delete(saved)
        session.commit()
        entries = [
            (one.action, one.resource_type, one.old_value, one.new_value)
            for one in reversed(audit_entries(session))
        ]
        kinds = [(action, kind) for action, kind, _, _ in entries]
        assert kinds.count(("insert", "trackers")) == kinds.count(("insert", "saved_searches")) == 1
        assert (
            "update",
            "trackers",
            {"rate": None, "base_url": "http://localhost"},
            {"rate": 2, "base_url": "https://localhost"},
        ) in entries
        assert ("update", "crawl_sessions", {"status": "running"}, {"status": "completed"}) in entries
        assert kinds.count(("update", "crawl_sessions")) == 1
        assert ("update", "saved_searches") not in kinds
        assert ("insert", "tracker_secrets", None, None) in entries
        assert ("update", "tracker_secrets", None, None) in entries
        assert "sealed" not in str(entries)
        assert {"title": "gone soon", "issue_id": "1"}.items() <= entries[kinds.index(("delete", "issues"))][
            2
        ].items()  # type: ignore[union-attr]  # a deletion has what was there
        assert ("delete", "crawl_sessions") in kinds
        assert ("delete", "saved_searches") in kinds
        assert {one.user_agent for one in audit_entries(session)} == {"ims-crawler"}


def test_one_reads_ones_own_entries_and_an_admin_all(database: Database) -> None:
    with database.session(ALICE) as session:
        session.add(SavedSearch(name="crashes", query="+crash"))
    with database.session(ROOT) as session:
        session.get_one(User, ALICE).department = "support"
    for user_id, seen in ((ALICE, {ALICE}), (BOB, set()), (ROOT, {ALICE, ROOT}), (ANA, {ALICE, ROOT})):
        with database.session(user_id) as session:
            assert {one.user_id for one in audit_entries(session, limit=None)} == seen
    with database.session(ROOT) as session:
        (entry,) = audit_entries(session, resource_type="users")
        assert (entry.user_id, entry.resource_id, entry.new_value) == (ROOT, "2", {"department": "support"})
        assert [one.user_id for one in audit_entries(session, user_id=ALICE)] == [ALICE]
        assert len(audit_entries(session, limit=1)) == 1
        assert session.scalars(select(AuditLog.log_id)).all()


def test_what_is_rolled_back_was_not(database: Database) -> None:
    with database.session(ALICE) as session:
        session.add(SavedSearch(name="crashes", query="+crash"))
        session.flush()
        session.rollback()
        assert audit_entries(session) == []


def _row(connection: psycopg.Connection, query: str) -> tuple[object, ...] | None:
    return connection.execute(query.encode()).fetchone()


def _set_role(database: Database, role: str) -> None:
    with database.session(ROOT) as session:
        session.scalars(select(User).where(User.username == "ana")).one().role = role
