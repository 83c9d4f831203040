"""The leaks of row security that are known, each tried by somebody with a login and SQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql as composing
from sqlalchemy import text

from tests.fixtures.database import on_every_server
from tests.fixtures.rls_identities import PASSWORD, World
from tests.fixtures.schema import ALICE, BOB, ROOT

pytestmark = [on_every_server, pytest.mark.xdist_group("leaks")]

# ruff: noqa: S608  # what is put into these statements is the test's own
WHO = "SELECT ims.current_user_id()"


def one(connection: psycopg.Connection, query: str, *values: object) -> object:
    """The one value that a query gives."""
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def state_of(connection: psycopg.Connection, statement: str, *values: object) -> str | None:
    """With which SQLSTATE a statement is refused; None where it is not. Nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode(), values or None)
    except psycopg.Error as error:
        return error.sqlstate
    return None


@contextlib.contextmanager
def bobs(world: World) -> Iterator[psycopg.Connection]:
    """Bob at his psql."""
    with contextlib.closing(world.login(BOB)) as connection:
        assert one(connection, WHO) == BOB
        yield connection


@contextlib.contextmanager
def application(world: World) -> Iterator[psycopg.Connection]:
    """The application's login, in autocommit."""
    with contextlib.closing(world.database.app(autocommit=True)) as connection:
        yield connection


def test_a_personal_login_stays_itself_whatever_it_sets(world: World) -> None:
    with bobs(world) as connection:
        with connection.transaction():
            start = one(connection, "SELECT extract(epoch FROM transaction_timestamp())")
            connection.execute("SELECT set_config('ims.identity', %s, true)", (f"{ALICE}/{start}",))
            assert one(connection, WHO) == BOB
        connection.execute(f"SET ims.identity = '{ALICE}/0'")
        assert one(connection, WHO) == BOB
        assert state_of(connection, "SELECT ims.set_current_user(%s)", BOB) is None
        for statement in (
            f"SELECT ims.set_current_user({ALICE})",
            f"SELECT ims.set_current_user({ROOT})",
            "SELECT ims.set_current_user(99)",
            "SELECT ims.set_current_user(NULL)",
            f'SET ROLE "{world.logins[ALICE]}"',
            "SET ROLE ims_admin",
            "SET ROLE ims_app",
            "SET ROLE ims_owner",
            "SET ROLE ims_searcher",
            "SET ROLE ims_login_maker",
            f'SET SESSION AUTHORIZATION "{world.logins[ALICE]}"',
            "SET SESSION AUTHORIZATION ims_app",
        ):
            assert state_of(connection, statement) == "42501", statement
        assert one(connection, "SELECT ims.find_user('alice')") is None
        assert one(connection, "SELECT count(*) FROM ims.issues") == 1


def test_options_of_the_connection_make_nobody_else(world: World) -> None:
    url = world.database.server.url(
        user=world.logins[BOB], password=PASSWORD, dbname=world.database.name
    ).replace("+psycopg", "")
    options = f"-c ims.identity={ALICE}/0 -c row_security=off"
    with contextlib.closing(psycopg.connect(url, options=options, autocommit=True)) as connection:
        assert state_of(connection, WHO) == "42501"
        assert state_of(connection, "SELECT * FROM ims.issues") == "42501"  # rather no rows than all rows
        connection.execute("SET row_security = on")
        assert one(connection, WHO) == BOB
        assert one(connection, "SELECT array_agg(DISTINCT user_id) FROM ims.issues") == [BOB]


def test_a_refused_identity_tells_nothing_of_whether_somebody_exists(world: World) -> None:
    said = set()
    with bobs(world) as connection, application(world) as app:
        for who, user_id in ((connection, ALICE), (connection, 99), (app, 99), (app, None)):
            with pytest.raises(psycopg.errors.InsufficientPrivilege) as refusal:
                who.execute("SELECT ims.set_current_user(%s)", (user_id,))
            said.add(refusal.value.diag.message_primary)
    assert said == {"You cannot act as this user."}


def test_the_applications_identity_ends_with_its_transaction(world: World) -> None:
    with application(world) as connection:
        with connection.transaction():
            connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
            kept = one(connection, "SELECT current_setting('ims.identity')")
            assert one(connection, WHO) == ALICE
            assert one(connection, "SELECT count(*) FROM ims.issues") == 1
        assert one(connection, WHO) is None
        assert one(connection, "SELECT current_user") == "ims_app"
        assert one(connection, "SELECT count(*) FROM ims.issues") == 0
        connection.execute("SELECT set_config('ims.identity', %s, false)", (kept,))  # left in the pool
        assert one(connection, WHO) is None
        with connection.transaction():
            assert one(connection, WHO) is None
            assert one(connection, "SELECT count(*) FROM ims.issues") == 0
        for forged in ("", "2", "2/", "abc/def", "2/2/2", "99999999999999/1", "2; DROP TABLE ims.users"):
            connection.execute("SELECT set_config('ims.identity', %s, false)", (forged,))
            assert one(connection, WHO) is None


def test_an_identity_in_a_savepoint_goes_with_it(world: World) -> None:
    with application(world) as connection, connection.transaction():
        with contextlib.suppress(ZeroDivisionError), connection.transaction():
            connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
            raise ZeroDivisionError
        assert one(connection, WHO) is None


def test_a_group_without_its_identity_has_nothing(world: World) -> None:
    with application(world) as connection:
        for role in ("ims_admin", "ims_readonly", "ims_user"):
            with connection.transaction(force_rollback=True):
                connection.execute(f"SET LOCAL ROLE {role}".encode())
                assert one(connection, "SELECT count(*) FROM ims.issues") == 0
            with connection.transaction(force_rollback=True):
                connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
                connection.execute(f"SET LOCAL ROLE {role}".encode())
                assert one(connection, "SELECT count(*) FROM ims.issues") == (1 if role == "ims_user" else 0)


def test_one_cached_plan_gives_each_user_their_own_rows(world: World) -> None:
    with application(world) as connection:
        connection.execute("PREPARE everything AS SELECT array_agg(DISTINCT user_id) FROM ims.issues")
        for user_id in (ALICE, BOB, ALICE, BOB, ALICE, BOB, ALICE):
            with connection.transaction():
                connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
                assert one(connection, "EXECUTE everything") == [user_id]


def test_temporary_objects_of_the_names_that_functions_use_mislead_none(world: World) -> None:
    with bobs(world) as connection:
        connection.execute(
            "CREATE TEMP TABLE identities (user_id int, username text, role text, is_active bool)"
        )
        connection.execute("CREATE TEMP TABLE pg_roles (oid oid, rolname name)")
        connection.execute(
            "INSERT INTO pg_temp.pg_roles "
            "SELECT oid, session_user FROM pg_catalog.pg_roles WHERE rolname = %s",
            (world.logins[ALICE],),
        )
        connection.execute(
            "CREATE FUNCTION pg_temp.pg_has_role(name, text, text) RETURNS boolean LANGUAGE sql RETURN true"
        )
        connection.execute("SET search_path = pg_temp, ims, pg_catalog")
        assert one(connection, WHO) == BOB
        assert one(connection, "SELECT ims.current_user_role()") == "user"
        assert one(connection, "SELECT count(*) FROM ims.search_issues('crash')") == 1


def test_what_is_private_is_closed(world: World) -> None:
    with bobs(world) as connection:
        for statement in (
            "TABLE ims_private.identities",
            "TABLE ims_private.alembic_version",
            f"SELECT ims_private.enrol({BOB}, 0)",
            f"SELECT ims_private.cut_off('{world.logins[ALICE]}')",
            f"SELECT ims.create_login({BOB}, 'eve', 'x')",
            "SELECT ims.analyze_tables()",
            "SELECT last_value FROM ims.issues_issue_pk_seq",
            "SELECT nextval('ims.issues_issue_pk_seq')",
            "SELECT * FROM pg_authid",
            "CREATE TABLE ims.mine (a integer)",
            "CREATE TABLE ims_private.mine (a integer)",
            "ALTER TABLE ims.issues DISABLE ROW LEVEL SECURITY",
            "DROP POLICY own_rows ON ims.issues",
            "CREATE TABLE pg_temp.mine (issue_pk bigint REFERENCES ims.issues)",
        ):
            assert state_of(connection, statement) in {"42501", "42P16"}, statement


def test_a_foreign_key_tells_no_foreign_row_from_an_absent_one(world: World) -> None:
    with world.database.superuser() as superuser:
        alices = one(superuser, "SELECT issue_pk FROM ims.issues WHERE user_id = %s", ALICE)
        session_id = one(superuser, "SELECT session_id FROM ims.crawl_sessions WHERE user_id = %s", ALICE)
        key = one(superuser, "SELECT source_key FROM ims.issue_comments WHERE user_id = %s", ALICE)
    with bobs(world) as connection:
        for statement, foreign in (
            ("INSERT INTO ims.issue_comments (issue_pk) VALUES (%s)", alices),
            (f"INSERT INTO ims.issue_comments (issue_pk, source_key) VALUES (%s, '{key}')", alices),
            (
                f"INSERT INTO ims.issue_comments (issue_pk, source_key) VALUES (%s, '{key}') "
                "ON CONFLICT DO NOTHING",
                alices,
            ),
            ("INSERT INTO ims.session_errors (session_id, error_type) VALUES (%s, 'x')", session_id),
            (
                "INSERT INTO ims.session_frontier (session_id, issue_id, position) VALUES (%s, '1', 0) "
                "ON CONFLICT DO NOTHING",
                session_id,
            ),
            ("INSERT INTO ims.tracker_secrets (tracker_id, secret) VALUES (%s, 'x')", 1),
            ("INSERT INTO ims.issues (tracker_id, issue_id) VALUES (%s, '1')", 1),
        ):
            absent = 999_999
            assert state_of(connection, statement, foreign) == "23503", statement
            assert state_of(connection, statement, absent) == "23503", statement


def test_another_users_keys_are_free(world: World) -> None:
    with world.database.superuser() as superuser:
        uuid = one(superuser, "SELECT session_uuid FROM ims.crawl_sessions WHERE user_id = %s", ALICE)
    with bobs(world) as connection:
        for statement in (
            f"INSERT INTO ims.crawl_sessions (session_uuid) VALUES ('{uuid}')",
            "UPDATE ims.saved_searches SET name = 'like alice''s'",
        ):
            assert state_of(connection, statement) is None, statement
        # keys come from the server: nobody can try which are taken
        assert state_of(connection, "INSERT INTO ims.issues (issue_pk, issue_id) VALUES (1, 'x')") == "42501"


def test_functions_in_a_condition_see_no_foreign_row(world: World) -> None:
    with bobs(world) as connection:
        heard: list[str | None] = []
        connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        connection.execute(
            "CREATE FUNCTION pg_temp.tell(bigint, integer) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS "
            "$$ BEGIN RAISE NOTICE '%', $2; RETURN true; END $$"
        )
        connection.execute("SELECT FROM ims.issues WHERE pg_temp.tell(issue_pk, user_id)")
        assert heard == [str(BOB)]
        with world.database.superuser() as superuser:
            alices = one(superuser, "SELECT issue_pk FROM ims.issues WHERE user_id = %s", ALICE)
        assert state_of(connection, "SELECT FROM ims.issues WHERE 1 / (issue_pk - %s) = 7", alices) is None


def test_a_view_that_a_user_makes_runs_as_whoever_asks_or_not_at_all(world: World) -> None:
    with contextlib.closing(world.login(ALICE)) as connection, bobs(world) as other:
        connection.execute("CREATE TEMP VIEW mine AS SELECT * FROM ims.issues")
        assert one(connection, "SELECT count(*) FROM mine") == 1
        schema = one(connection, "SELECT pg_my_temp_schema()::regnamespace::text")
        assert state_of(other, f"SELECT * FROM {schema}.mine") == "42501"


def test_what_is_typed_in_for_analyze_stays_with_the_application(world: World) -> None:
    with application(world) as connection, connection.transaction():
        connection.execute("SELECT ims.set_current_user(%s)", (ALICE,))
        connection.execute("SELECT ims.analyze_tables()")
    with bobs(world) as connection:
        assert one(connection, "SELECT count(*) FROM pg_stats WHERE schemaname = 'ims'") == 0


def test_copy_into_a_table_and_row_security_off_are_refused(world: World) -> None:
    with bobs(world) as connection:
        assert state_of(connection, "COPY ims.issues (issue_id) FROM STDIN") == "0A000"
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL row_security = off")
            assert state_of(connection, "SELECT * FROM ims.issues") == "42501"


def test_nobody_raises_themselves(world: World) -> None:
    with bobs(world) as connection, application(world) as app, app.transaction(force_rollback=True):
        app.execute("SELECT ims.set_current_user(%s)", (BOB,))
        for who in (connection, app):
            for assignment in (
                "role = 'admin'",
                "is_active = true",
                "db_login = 'alice'",
                "username = 'alice'",
                "user_id = 1",
            ):
                assert state_of(who, f"UPDATE ims.users SET {assignment}") == "42501", assignment
            assert state_of(who, "INSERT INTO ims.users (username, role) VALUES ('eve', 'admin')") == "42501"
            assert state_of(who, "DELETE FROM ims.users") == "42501"
            assert state_of(who, "UPDATE ims.users SET email = 'bob@localhost', preferences = '{}'") is None


def test_the_audit_log_is_written_by_nobody(world: World) -> None:
    for name, identity in world.identities.items():
        if name == "the owner":
            continue
        for statement in (
            b"INSERT INTO ims.audit_log (action, resource_type) VALUES ('made', 'up')",
            b"UPDATE ims.audit_log SET action = 'other'",
            b"DELETE FROM ims.audit_log",
            b"TRUNCATE ims.audit_log",
        ):
            with identity.transaction() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_a_stored_password_is_its_owners_alone(world: World) -> None:
    for name, identity in world.identities.items():
        with identity.transaction() as connection:
            rows = connection.execute("SELECT user_id FROM ims.tracker_secrets").fetchall()
            assert {row[0] for row in rows} == ({identity.user_id} if identity.user_id else set()), name
    with world.database.superuser() as superuser:
        for (entry,) in superuser.execute(
            "SELECT audit_log::text FROM ims.audit_log WHERE resource_type = 'tracker_secrets'"
        ):
            assert "secret" not in entry.replace("tracker_secrets", "")


def test_the_text_index_brings_nobody_elses_issues_even_where_words_are_forged(world: World) -> None:
    with bobs(world) as connection, contextlib.closing(world.login(ALICE)) as other:
        for owner in (ALICE, ROOT):
            with connection.transaction(force_rollback=True):
                connection.execute("SET LOCAL ims.bulk = 'on'")
                connection.execute(
                    "UPDATE ims.issues "
                    "SET search_vector = ims.document_vector(%s, 'planted', NULL, NULL, NULL)",
                    (owner,),
                )
                assert one(other, "SELECT count(*) FROM ims.search_issues('planted')") == 0
        assert one(other, f"SELECT count(*) FROM ims.search_issues('\"owner {BOB}\"')") == 0
        assert one(other, f"SELECT count(*) FROM ims.search_issues('owner {BOB}')") == 0
        assert one(
            other,
            "SELECT array_agg(i.user_id) FROM ims.search_issues('') s JOIN ims.issues i USING (issue_pk)",
        ) == [ALICE]
    for name, identity in world.identities.items():
        with identity.transaction() as connection:
            if identity.role == "ims_owner":
                continue
            found = one(connection, "SELECT count(*) FROM ims.search_issues('crash')")
            assert found == (3 if identity.sees_all else 1 if identity.user_id else 0), name


def test_an_outdated_role_of_a_login_gives_nothing(world: World) -> None:
    """A login that is still in the admins' group, but whose user is no admin any more, is no admin."""
    with contextlib.closing(world.login(ROOT)) as connection, world.database.superuser() as superuser:
        assert one(connection, "SELECT count(*) FROM ims.issues") == 3
        superuser.execute("ALTER TABLE ims.users DISABLE TRIGGER b_align_login")
        superuser.execute("ALTER TABLE ims.users DISABLE TRIGGER b_keep_an_admin_updated")
        try:
            superuser.execute("UPDATE ims.users SET role = 'user' WHERE user_id = %s", (ROOT,))
            assert one(connection, "SELECT count(*) FROM ims.issues") == 0
        finally:
            superuser.execute("UPDATE ims.users SET role = 'admin' WHERE user_id = %s", (ROOT,))
            superuser.execute("ALTER TABLE ims.users ENABLE TRIGGER b_keep_an_admin_updated")
            superuser.execute("ALTER TABLE ims.users ENABLE TRIGGER b_align_login")
        assert one(connection, "SELECT count(*) FROM ims.issues") == 3


def test_a_login_of_another_name_in_capitals_is_not_its_namesake(world: World) -> None:
    name = world.logins[ALICE].upper()
    with world.database.superuser() as superuser:
        superuser.execute(
            composing.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE ims_user").format(
                composing.Identifier(name), composing.Literal(PASSWORD)
            )
        )
        try:
            with contextlib.closing(world.database.login(name, PASSWORD)) as connection:
                assert one(connection, WHO) is None
                assert one(connection, "SELECT count(*) FROM ims.issues") == 0
        finally:
            superuser.execute(composing.SQL("DROP ROLE {}").format(composing.Identifier(name)))


def test_the_statements_of_others_are_not_seen_and_carry_no_values(world: World) -> None:
    with world.database.session(ALICE) as session, bobs(world) as connection:
        session.execute(text("SELECT * FROM ims.search_issues(:words)"), {"words": "topsecretword"})
        assert (
            one(connection, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%topsecretword%'") == 1
        )
        with world.database.superuser() as superuser:
            seen = one(
                superuser,
                "SELECT string_agg(query, ' ') FROM pg_stat_activity "
                "WHERE usename = 'ims_app' AND datname = current_database()",
            )
        assert "search_issues" in str(seen)
        assert "topsecretword" not in str(seen)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ims.attachments SET sha256 = 'aa'",
        "UPDATE ims.attachments SET downloaded = true",
        "UPDATE ims.attachments SET file_path = 'attachments/aa/aa'",
        "INSERT INTO ims.attachments (issue_pk, sha256) SELECT issue_pk, 'aa' FROM ims.issues",
    ],
)
def test_nobody_says_that_a_file_of_theirs_has_anothers_bytes(world: World, statement: str) -> None:
    """Bytes are kept under their hash for all: whoever could name a hash would be handed them."""
    with bobs(world) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
        connection.rollback()
        connection.execute("UPDATE ims.attachments SET filename = 'renamed.log'")
        connection.rollback()
