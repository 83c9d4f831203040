"""Setting a database up, again, at once with others, and where it cannot be."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

import sql
from db import get_session
from db.engine import dispose_engines
from db.errors import DatabaseError, DatabaseRefused, DatabaseUnfit
from db.setup.bootstrap import ensure_database, ensure_user, initialise, schema_status, upgrade
from db.setup.schema_version import State, head
from tests.fixtures.database import Server, on_every_server
from tests.fixtures.schema import APP_PASSWORD, Database


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """A superuser's address of a database without anything in it."""
    name = f"empty_{secrets.token_hex(4)}"
    ensure_database(server.superuser_url, name)
    yield server.url(dbname=name)
    dispose_engines()
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@on_every_server
def test_an_empty_database_is_set_up_and_twice_is_once(empty: str, server: Server) -> None:
    assert schema_status(empty).state is State.ABSENT
    login = initialise(empty, app_password=APP_PASSWORD, first_admin="root")
    assert schema_status(empty).state is schema_status(login.url).state is State.CURRENT
    assert schema_status(login.url).revision == head()
    again = initialise(empty, app_password=APP_PASSWORD, first_admin="somebody else")
    assert again == login
    with get_session(user_id=1, url=login.url) as session:
        assert session.connection().exec_driver_sql("SELECT username, role FROM ims.users").all() == [
            ("root", "admin")
        ]
    assert APP_PASSWORD not in repr(login)


def test_a_password_that_works_is_left_and_another_one_is_set(empty: str, server: Server) -> None:
    def stored() -> object:
        with server.connect() as connection:
            return connection.execute(
                "SELECT rolpassword FROM pg_authid WHERE rolname = 'ims_app'"
            ).fetchone()

    initialise(empty, app_password=APP_PASSWORD, first_admin="root")
    before = stored()
    initialise(empty, app_password=APP_PASSWORD, first_admin="root")
    unknown = initialise(empty, first_admin="root")
    assert stored() == before
    assert unknown.password is None
    assert APP_PASSWORD not in unknown.url
    elsewhere = make_url(empty)
    canary = elsewhere.password
    assert canary is not None
    query = {**elsewhere.query, "user": "postgres", "password": canary}
    in_query = elsewhere._replace(username=None, password=None).set(query=query)
    for url in (empty, in_query.render_as_string(hide_password=False)):
        again = initialise(url, first_admin="root")
        assert canary not in again.url
        parameters = conninfo_to_dict(again.url)  # as psql reads it
        assert (parameters["user"], parameters["password"]) == ("ims_app", "PASSWORD")
    try:
        changed = initialise(empty, app_password="another, made up: %20+/@?#é", first_admin="root")
        assert schema_status(changed.url).state is State.CURRENT
        assert "another" not in str(stored())
    finally:
        initialise(empty, app_password=APP_PASSWORD, first_admin="root")


def test_many_processes_may_set_the_same_and_other_databases_up_at_once(empty: str, server: Server) -> None:
    other = f"other_{secrets.token_hex(4)}"
    ensure_database(server.superuser_url, other)
    failures: list[Exception] = []

    def run(url: str) -> None:
        try:
            initialise(url, app_password=APP_PASSWORD, first_admin="root")
        except Exception as error:
            failures.append(error)

    urls = [empty, empty, server.url(dbname=other), server.url(dbname=other)]
    threads = [threading.Thread(target=run, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = {schema_status(url).state for url in urls}
    with server.connect() as connection:
        connection.execute(f"DROP DATABASE {other} WITH (FORCE)")
    assert failures == []
    assert states == {State.CURRENT}


def test_a_changed_text_of_an_object_is_applied_by_an_upgrade_and_told_before(database: Database) -> None:
    with database.superuser() as connection:
        connection.execute("UPDATE ims_private.applied_sql SET digest = 'of an older program'")
        connection.execute("ALTER FUNCTION ims.find_user(text) SECURITY INVOKER")
    assert schema_status(database.app_url).state is State.BEHIND
    with pytest.raises(DatabaseUnfit, match="db upgrade"), database.session(2) as session:
        session.connection()
    upgrade(database.superuser_url)
    assert schema_status(database.app_url).state is State.CURRENT
    with database.superuser() as connection:
        row = connection.execute("SELECT prosecdef FROM pg_proc WHERE proname = 'find_user'").fetchone()
    assert row == (True,)
    with database.session(2) as session:
        session.connection()


def test_a_database_of_a_newer_program_is_left_alone(database: Database) -> None:
    with database.superuser() as connection:
        connection.execute("UPDATE ims_private.alembic_version SET version_num = '9999'")
    assert schema_status(database.app_url).state is State.AHEAD
    for attempt in (upgrade, lambda url: initialise(url, first_admin="root")):
        with pytest.raises(DatabaseUnfit, match="newer"):
            attempt(database.superuser_url)
    with pytest.raises(DatabaseUnfit, match="newer"), database.session(2) as session:
        session.connection()


def test_an_upgrade_leaves_rows_logins_and_protection_as_they_are(database: Database) -> None:
    with database.session(2) as session:
        session.connection().exec_driver_sql("INSERT INTO ims.issues (issue_id) VALUES ('1')")
    with database.superuser() as connection:
        connection.execute("UPDATE ims_private.applied_sql SET digest = 'of an older program'")
    upgrade(database.superuser_url)
    for user_id, count in ((2, 1), (3, 0)):
        with database.session(user_id) as session:
            assert session.connection().exec_driver_sql("SELECT count(*) FROM ims.issues").scalar() == count


def test_setting_up_needs_a_superuser_and_half_a_set_up_is_none(
    empty: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    initialise(server.url(dbname="postgres"), app_password=APP_PASSWORD, first_admin="root")  # for the login
    name = empty.rsplit("/", 1)[1].split("?")[0]
    with pytest.raises(DatabaseRefused, match="administrator"):
        initialise(server.url(user="ims_app", password=APP_PASSWORD, dbname=name), first_admin="root")
    broken = sql.SqlFile(name="policies/zz", text="SELECT no_such_function()")
    whole = sql.repeatable()
    monkeypatch.setattr(sql, "repeatable", lambda: (*whole, broken))
    with pytest.raises(DatabaseError):
        initialise(empty, app_password=APP_PASSWORD, first_admin="root")
    assert schema_status(empty).state is State.ABSENT
    with server.connect(dbname=name) as connection:
        assert connection.execute("SELECT to_regnamespace('ims')").fetchone() == (None,)


def test_a_database_that_is_not_in_utf8_is_refused(server: Server) -> None:
    name = f"latin_{secrets.token_hex(4)}"
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            with pytest.raises(DatabaseUnfit, match="UTF-8"):
                initialise(server.url(dbname=name), first_admin="root")
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_user_is_made_on_first_use_once(database: Database) -> None:
    for _ in range(2):
        ensure_user(database.superuser_url, "minji")
    with database.superuser() as connection:
        rows = connection.execute("SELECT role FROM ims.users WHERE username = 'minji'").fetchall()
    assert rows == [("user",)]


def test_a_dropped_role_that_comes_back_is_nobody(database: Database) -> None:
    """A login is known by its role's number too, not by its name alone."""
    name = f"alice_{database.name}"
    make = f"CREATE ROLE {name} LOGIN PASSWORD 'made-up' IN ROLE ims_user"
    enrol = "SELECT ims_private.enrol(2, to_regrole(%s)::oid)"
    with database.superuser() as connection:
        connection.execute(make)
        connection.execute(enrol, (name,))
        assert _user_of(database, name) == 2
        connection.execute(f"DROP ROLE {name}")
        connection.execute(make)
        try:
            assert _user_of(database, name) is None
        finally:
            connection.execute(f"DROP ROLE {name}")


def _user_of(database: Database, login: str) -> object:
    with database.login(login, "made-up") as connection:
        row = connection.execute("SELECT ims.current_user_id()").fetchone()
    assert row is not None
    return row[0]


def test_secrets_that_earlier_versions_kept_readable_are_gone_after_an_upgrade(
    server: Server, empty: str
) -> None:
    initialise(empty, app_password=APP_PASSWORD, first_admin="root")
    name = make_url(empty).database
    with server.connect(dbname=name) as connection:
        connection.execute("ALTER TABLE ims.trackers DROP CONSTRAINT trackers_base_url_query_check")
        # As it was: what went into the log was not looked at.
        connection.execute(
            "CREATE OR REPLACE FUNCTION ims_private.without_secrets(fields jsonb) RETURNS jsonb LANGUAGE sql"
            " IMMUTABLE SET search_path = pg_catalog, pg_temp AS 'SELECT fields'"
        )
        connection.execute("UPDATE ims_private.applied_sql SET digest = 'of before'")
        connection.execute("UPDATE ims_private.alembic_version SET version_num = '0006'")
        connection.execute(
            "INSERT INTO ims.trackers (user_id, name, kind, base_url)"
            " VALUES (1, 'x', 'ims', 'https://h/x?api_key=canary')"
        )
        connection.execute(
            "INSERT INTO ims.saved_searches (user_id, name, query, options) VALUES (1, 'x', 'x',"
            """ '{"webhook": "https://hooks.example/T0/canary?x", "notify": "desk"}')"""
        )
        assert "canary" in str(connection.execute("SELECT audit_log::text FROM ims.audit_log").fetchall())
        upgrade(empty)
        for table in ("trackers", "saved_searches", "audit_log"):
            kept = str(connection.execute(f"SELECT t::text FROM ims.{table} t").fetchall())  # noqa: S608
            assert "canary" not in kept, table
        options = connection.execute("SELECT options FROM ims.saved_searches").fetchone()
        assert options == ({"webhook": {"shown": "https://hooks.example"}, "notify": "desk"},)
        forced = "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE oid = ANY(%s::regclass[])"
        tables = ["ims.trackers", "ims.saved_searches", "ims.audit_log"]
        assert connection.execute(forced, (tables,)).fetchone() == (True,)
        connection.execute(
            "INSERT INTO ims.saved_searches (user_id, name, query, options)"
            """ VALUES (1, 'y', 'y', '{"webhook": {"sealed": "canary"}}')"""
        )
        assert "canary" not in str(connection.execute("SELECT audit_log::text FROM ims.audit_log").fetchall())
