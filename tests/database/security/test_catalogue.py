"""What the catalogue must say of every object, whoever adds one."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.fixtures.database import on_every_server
from tests.fixtures.rls_identities import World

pytestmark = [on_every_server, pytest.mark.xdist_group("catalogue")]

# ruff: noqa: S608  # the only thing put into these queries is SCHEMAS
SCHEMAS = "('ims'::regnamespace, 'ims_private'::regnamespace)"
GROUPS = {"ims_user", "ims_readonly", "ims_admin"}
# Definer functions, and as whom they run: each is a door that somebody must have looked at.
# With a path of its own a function is called for each row; the path of whoever calls these is pinned.
PUT_INTO_THEIR_CALLERS = {
    "ims.query_clauses",
    "ims.search_issues",
    "ims_private.grade",
    "ims_private.is_wanted",
    "ims_private.misses",
    "ims.title_words",
}
DEFINERS = {
    "ims.admit": "ims_owner",
    "ims.analyze_tables": "ims_owner",
    "ims.due_alerts": "ims_searcher",
    "ims.due_schedules": "ims_searcher",
    "ims.end_host_lease": "ims_owner",
    "ims.check_login": "ims_login_maker",
    "ims.create_login": "ims_login_maker",
    "ims.delete_own_sessions": "ims_acting_user",
    "ims.current_user_id": "ims_owner",
    "ims.current_user_role": "ims_owner",
    "ims.find_user": "ims_owner",
    "ims.lost_runs": "ims_searcher",
    "ims.open_visit": "ims_login_maker",
    "ims.lock_refresh": "ims_owner",
    "ims.renew_host_lease": "ims_owner",
    "ims.schema_version": "ims_owner",
    "ims.search_hits": "ims_searcher",
    "ims.similar_issues": "ims_searcher",
    "ims.similar_to_text": "ims_searcher",
    "ims_private.align_login": "ims_login_maker",
    "ims_private.audit_deletions": "ims_owner",
    "ims_private.audit_row": "ims_owner",
    "ims_private.cut_off": "ims_disconnector",
    "ims_private.enrol": "ims_owner",
    "ims_private.forget_texts": "ims_acting_user",
    "ims_private.is_enrolled": "ims_owner",
    "ims_private.keep_an_admin": "ims_owner",
    "ims_private.keep_identity": "ims_owner",
}
# Policies for others than the groups and the application.
INNER_POLICIES = {
    ("ims.users", "login_maker_rows", "ims_login_maker"),
    ("ims.audit_log", "written_by_triggers", "ims_owner"),
    ("ims_private.identities", "for_functions", "ims_owner"),
    ("ims_private.applied_sql", "for_functions", "ims_owner"),
    ("ims_private.alembic_version", "for_functions", "ims_owner"),
    ("ims_private.refresh_locks", "for_functions", "ims_owner"),
    ("ims_private.hosts", "for_leases", "ims_owner"),
    ("ims_private.host_leases", "for_leases", "ims_owner"),
}


def ask(world: World, query: str) -> list[tuple[object, ...]]:
    """Ask the catalogue as the superuser."""
    with world.database.superuser() as connection:
        return connection.execute(query.encode()).fetchall()


def test_row_security_is_enabled_and_forced_on_every_table(world: World) -> None:
    tables = ask(
        world,
        f"SELECT oid::regclass::text, relrowsecurity, relforcerowsecurity FROM pg_class "
        f"WHERE relnamespace IN {SCHEMAS} AND relkind IN ('r', 'p', 'f')",
    )
    assert len(tables) > 18
    assert [name for name, enabled, forced in tables if not (enabled and forced)] == []


def test_every_table_has_its_owner_column_with_the_acting_user_as_default(world: World) -> None:
    without = ask(
        world,
        "SELECT relname FROM pg_class WHERE relnamespace = 'ims'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = pg_class.oid AND attname = 'user_id' "
        "                AND attnotnull AND atttypid = 'integer'::regtype)",
    )
    assert without == []


def test_each_group_has_a_policy_and_a_ceiling_of_the_same_condition_on_every_table(world: World) -> None:
    policies = ask(
        world,
        "SELECT t.relname, p.polpermissive, r.rolname, p.polcmd, pg_get_expr(p.polqual, p.polrelid), "
        "       pg_get_expr(p.polwithcheck, p.polrelid) "
        "FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid CROSS JOIN unnest(p.polroles) AS role "
        "LEFT JOIN pg_roles r ON r.oid = role "
        "WHERE t.relnamespace = 'ims'::regnamespace AND p.polqual IS NOT NULL",
    )
    for table in world.tables:
        for role in GROUPS | {"ims_app"}:
            granting = [row for row in policies if row[:3] == (table, True, role)]
            ceiling = [row for row in policies if row[:3] == (table, False, role)]
            assert len(granting) == len(ceiling) == 1, (table, role)
            assert granting[0][4] == ceiling[0][4], (table, role)
            assert ceiling[0][3] == "*", (table, role)
            if role == "ims_readonly":
                assert granting[0][3] == "r", table
            else:
                assert granting[0][4] == granting[0][5] == ceiling[0][5], (table, role)


def test_no_policy_is_for_anybody_else(world: World) -> None:
    others = ask(
        world,
        "SELECT p.polrelid::regclass::text, p.polname, coalesce(r.rolname, 'PUBLIC') FROM pg_policy p "
        "CROSS JOIN unnest(p.polroles) AS role LEFT JOIN pg_roles r ON r.oid = role "
        "WHERE coalesce(r.rolname, 'PUBLIC') NOT IN ('ims_user', 'ims_readonly', 'ims_admin', 'ims_app')",
    )
    assert set(others) == INNER_POLICIES


def test_views_run_as_whoever_asks_and_nothing_is_materialised_where_users_reach(world: World) -> None:
    views = ask(
        world,
        f"SELECT oid::regclass::text, relkind, coalesce(reloptions, '{{}}') FROM pg_class "
        f"WHERE relnamespace IN {SCHEMAS} AND relkind IN ('v', 'm')",
    )
    for name, kind, options in views:
        assert kind == "v" or str(name).startswith("ims_private."), name
        assert kind == "m" or {"security_invoker=true", "security_barrier=true"} <= set(options), name  # type: ignore[call-overload]


def test_the_queue_is_the_applications_alone(world: World) -> None:
    grants = ask(
        world,
        "SELECT acl.grantee::regrole::text, acl.privilege_type FROM pg_class c "
        "CROSS JOIN aclexplode(c.relacl) AS acl "
        "WHERE c.relnamespace = 'ims_jobs'::regnamespace AND c.relkind IN ('r', 'S') "
        "UNION SELECT coalesce(g.rolname, 'PUBLIC'), acl.privilege_type FROM pg_proc p "
        "CROSS JOIN aclexplode(p.proacl) AS acl LEFT JOIN pg_roles g ON g.oid = acl.grantee "
        "WHERE p.pronamespace = 'ims_jobs'::regnamespace "
        "UNION SELECT acl.grantee::regrole::text, acl.privilege_type FROM pg_namespace n "
        "CROSS JOIN aclexplode(n.nspacl) AS acl WHERE n.nspname = 'ims_jobs'",
    )
    assert {who for who, _ in grants} == {"ims_owner", "ims_app"}
    assert {what for who, what in grants if who == "ims_app"} == {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "USAGE",
        "EXECUTE",
    }
    definers = "SELECT proname FROM pg_proc WHERE pronamespace = 'ims_jobs'::regnamespace AND prosecdef"
    assert ask(world, definers) == []


def test_no_column_is_given_statistics_which_would_tell_of_others_values(world: World) -> None:
    with world.database.superuser() as connection:
        connection.execute("ANALYZE")  # as autovacuum does
    columns = ask(
        world,
        f"SELECT attrelid::regclass::text, attname, attstattarget FROM pg_attribute a "
        f"JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_index i ON i.indexrelid = c.oid "
        f"WHERE c.relnamespace IN {SCHEMAS} AND attnum > 0 AND NOT attisdropped "
        f"AND (c.relkind IN ('r', 'p', 'm', 'f') OR i.indkey[attnum - 1] = 0)",
    )
    assert len(columns) > 200
    assert [row for row in columns if row[2] != 0] == []
    kept = ask(
        world,
        f"SELECT DISTINCT attname, stadistinct, stakind1 + stakind2 + stakind3 + stakind4 + stakind5, "
        f"num_nonnulls(stavalues1, stavalues2, stavalues3, stavalues4, stavalues5), "
        f"stanullfrac, stawidth FROM pg_statistic JOIN pg_class c ON c.oid = starelid "
        f"JOIN pg_attribute ON attrelid = starelid AND attnum = staattnum "
        f"WHERE c.relnamespace IN {SCHEMAS} ORDER BY attname",
    )
    # What we made up, the same everywhere.
    assert kept == [
        ("removed_at", pytest.approx(-0.01), 0, 0, pytest.approx(0.99), 8),
        ("user_id", 4, 0, 0, 0, 4),
    ]
    assert ask(world, "SELECT stxname FROM pg_statistic_ext") == []


def test_no_user_has_truncate_references_trigger_or_a_sequence(world: World) -> None:
    grants = ask(
        world,
        f"SELECT c.oid::regclass::text, acl.grantee::regrole::text, acl.privilege_type, c.relkind "
        f"FROM pg_class c "
        f"CROSS JOIN aclexplode(c.relacl) AS acl WHERE c.relnamespace IN {SCHEMAS} "
        f"AND acl.grantee NOT IN ('ims_owner'::regrole, c.relowner)",
    )
    assert grants
    assert {kind for _, _, kind, _ in grants} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {kind for *_, kind in grants} <= {"r", "p", "v"}
    assert not {name for name, _, _, _ in grants if str(name).startswith("ims_private.")}


def test_no_key_can_be_chosen_by_a_user(world: World) -> None:
    chosen = ask(
        world,
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
        "CROSS JOIN unnest(ARRAY['ims_user', 'ims_app', 'ims_readonly']) AS role "
        "WHERE c.relnamespace = 'ims'::regnamespace AND attidentity <> '' "
        "AND (has_column_privilege(role, attrelid, attnum, 'INSERT') OR "
        "     has_column_privilege(role, attrelid, attnum, 'UPDATE'))",
    )
    assert chosen == []


def test_no_unique_key_is_shared_between_users(world: World) -> None:
    shared = ask(
        world,
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "WHERE c.relnamespace = 'ims'::regnamespace AND i.indisunique "
        # an identity column's values come from the server, and cannot be tried out
        "AND NOT EXISTS (SELECT FROM pg_attribute a "
        "                WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
        "                AND (a.attname = 'user_id' OR (a.attidentity <> '' AND i.indnatts = 1)))",
    )
    # Only admins write names and logins of users.
    assert {str(row[0]) for row in shared} == {"ims.users_username_key", "ims.users_db_login_key"}


def test_every_index_leads_with_the_owner(world: World) -> None:
    others = ask(
        world,
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE c.relnamespace = 'ims'::regnamespace AND a.attname <> 'user_id' AND a.attidentity = ''",
    )
    # Names of users are unique for all; no operator of the index of words is leakproof.
    assert {str(row[0]) for row in others} == {
        "ims.users_username_key",
        "ims.users_db_login_key",
        "ims.issues_search_vector_idx",
        "ims.file_text_parts_search_vector_idx",
    }


def test_children_point_to_their_parents_with_the_owner(world: World) -> None:
    alone = ask(
        world,
        "SELECT conrelid::regclass::text, conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
        "WHERE contype = 'f' AND t.relnamespace = 'ims'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_attribute a "
        "                WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) "
        "                AND a.attname = 'user_id')",
    )
    assert alone == []


def test_every_function_is_pinned_owned_and_closed(world: World) -> None:
    functions = ask(
        world,
        f"SELECT p.pronamespace::regnamespace || '.' || p.proname, p.prosecdef, r.rolname, "
        f"       coalesce(array_to_string(p.proconfig, ','), ''), p.proleakproof, "
        f"       has_function_privilege('public', p.oid, 'EXECUTE') "
        f"FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.pronamespace IN {SCHEMAS}",
    )
    assert {name: owner for name, definer, owner, *_ in functions if definer} == DEFINERS
    for name, definer, owner, settings, leakproof, public in functions:
        assert "search_path=pg_catalog, pg_temp" in str(settings) or name in PUT_INTO_THEIR_CALLERS, name
        assert not leakproof, name
        assert not public, name
        assert definer or owner == "ims_owner", name


def test_the_roles_have_no_more_than_they_need(world: World) -> None:
    roles = ask(
        world,
        "SELECT rolname, rolcanlogin, rolbypassrls, rolcreaterole, rolsuper OR rolcreatedb OR rolreplication "
        "FROM pg_roles WHERE rolname LIKE 'ims\\_%'",
    )
    visits = {row[0] for row in roles if str(row[0]).startswith("ims_visit_")}  # of other tests too
    assert {row[0] for row in roles if row[1]} - visits == {"ims_app"}
    assert {row[0] for row in roles if row[2]} == {"ims_searcher"}
    assert {row[0] for row in roles if row[3]} == {"ims_login_maker"}
    assert not [row[0] for row in roles if row[4]]
    members = ask(
        world,
        "SELECT g.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
        "JOIN pg_roles m ON m.oid = a.member WHERE g.rolname LIKE 'ims\\_%' OR m.rolname LIKE 'ims\\_%'",
    )
    personal = re.compile(r"(alice|bob|ana|root|stranger)_test_\d+_\d+")
    for group, member in members:
        if member == "ims_login_maker":  # makes logins, and hands groups out
            assert group in {*GROUPS, *visits} or personal.fullmatch(str(group)), group
        elif member in visits:
            assert group == "ims_user"
        elif member == "ims_app":
            assert group in {*GROUPS, "ims_acting_user", "ims_delegate"}
        elif member == "ims_acting_user":  # what the program becomes for a user
            assert group == "ims_user"
        elif member == "ims_disconnector":
            assert group == "pg_signal_backend"
        elif member != "postgres":
            assert group in GROUPS, (group, member)
            assert personal.fullmatch(str(member)), member


def test_new_objects_start_closed(world: World) -> None:
    with world.database.superuser() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL ROLE ims_owner")
        connection.execute("CREATE TABLE ims.fresh (a integer)")
        connection.execute("CREATE FUNCTION ims.fresh() RETURNS integer LANGUAGE sql RETURN 1")
        for role in ("ims_app", *GROUPS):
            connection.execute(f"SET LOCAL ROLE {role}".encode())
            for statement in ("TABLE ims.fresh", "SELECT ims.fresh()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(statement.encode())
