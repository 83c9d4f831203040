"""Every policy matters: with any one of them dropped, the matrix or a probe turns red."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from db.setup.schema_version import status
from tests.database.security import row_access
from tests.fixtures.rls_identities import World
from tests.fixtures.schema import ALICE, ROOT

pytestmark = pytest.mark.xdist_group("mutations")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy as the catalogue has it."""

    table: str
    name: str
    definition: str  # makes it again
    permissive: bool


def test_without_any_one_policy_the_matrix_turns_red(world: World) -> None:
    policies = [one for one in _policies(world) if one.table.startswith("ims.") and one.name not in PROBES]
    assert len(policies) == 6 * 26 + 3
    green = []
    for policy in policies:
        with _without(world, policy):
            if not _red(world, policy.table.removeprefix("ims.")):
                green.append(policy)
    assert green == []
    for table in world.tables:
        assert not _red(world, table), f"{table} was not put back as it was"


def test_without_any_inner_policy_what_it_is_for_fails(world: World) -> None:
    policies = [one for one in _policies(world) if one.name in PROBES]
    assert len(policies) == 9
    for policy in policies:
        probe = PROBES[policy.name]
        assert probe(world), policy
        with _without(world, policy):
            assert not probe(world), policy


def _logins_can_be_looked_up(world: World) -> bool:
    """The maker of logins finds the user: the refusal is that they have a login already."""
    with world.identities["the application as an admin"].transaction() as connection:
        try:
            connection.execute("UPDATE ims.users SET is_active = true WHERE user_id = %s", (ALICE,))
            connection.execute("SELECT ims.create_login(%s, 'fresh', 'no verifier')", (ALICE,))
        except psycopg.Error as error:
            return error.sqlstate == "42710"
    raise AssertionError("a login was made without a verifier")


def _changes_are_audited(world: World) -> bool:
    with world.identities["the application as alice"].transaction() as connection:
        try:
            connection.execute("UPDATE ims.saved_searches SET query = '+other'")
        except psycopg.errors.InsufficientPrivilege:
            return False
        row = connection.execute("SELECT count(*) FROM ims.audit_log WHERE action = 'update'").fetchone()
        return row == (1,)


def _logins_cannot_be_made_up(world: World) -> bool:
    with world.identities["the application as an admin"].transaction() as connection:
        try:
            connection.execute("INSERT INTO ims.users (username, db_login) VALUES ('eve', 'bob')")
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


def _functions_know_users_and_versions(world: World) -> bool:
    identity = world.identities["alice's login"]
    with identity.transaction() as connection:
        row = connection.execute("SELECT ims.current_user_id() = %s", (ALICE,)).fetchone()
        if row != (True,) or status(connection).revision is None:
            return False
        try:
            connection.execute("SELECT ims.lock_refresh()")
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True


def _hosts_are_shared_out(world: World) -> bool:
    with world.identities["the application"].transaction() as connection:
        try:
            row = connection.execute(
                "SELECT slots FROM ims.renew_host_lease(gen_random_uuid(), 'h', 'p', 2, NULL, 0, 0, 0)"
            ).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            return False
    return row == (2,)


PROBES: dict[str, Callable[[World], bool]] = {
    "login_maker_rows": _logins_can_be_looked_up,
    "no_login_yet": _logins_cannot_be_made_up,
    "written_by_triggers": _changes_are_audited,
    "for_functions": _functions_know_users_and_versions,
    "for_leases": _hosts_are_shared_out,
}


def _red(world: World, table: str) -> bool:
    try:
        for identity in world.identities.values():
            row_access.check(world, identity, table)
    except (AssertionError, pytest.fail.Exception, psycopg.Error):
        return True
    return False


@contextmanager
def _without(world: World, policy: Policy) -> Iterator[None]:
    """Drop a policy for a while. A ceiling holds back what somebody adds: so somebody adds something."""
    generous = f"CREATE POLICY generous ON {policy.table} USING (true)"
    ceiling = not policy.permissive and policy.name not in PROBES
    with world.database.superuser() as connection:
        try:
            connection.execute(f"DROP POLICY {policy.name} ON {policy.table}".encode())
            if ceiling:
                connection.execute(generous.encode())
            yield
        finally:
            if ceiling:
                connection.execute(f"DROP POLICY generous ON {policy.table}".encode())
            connection.execute(policy.definition.encode())


def _policies(world: World) -> list[Policy]:
    with world.database.superuser() as connection:
        rows = connection.execute(
            "SELECT polrelid::regclass::text, polname, polpermissive, "
            "       CASE polcmd WHEN '*' THEN 'ALL' WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' END, "
            "       array_to_string(ARRAY(SELECT rolname FROM pg_roles WHERE oid = ANY (polroles)), ', '), "
            "       ' USING (' || pg_get_expr(polqual, polrelid) || ')', "
            "       ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')' "
            "FROM pg_policy JOIN pg_class c ON c.oid = polrelid "
            "WHERE c.relnamespace IN ('ims'::regnamespace, 'ims_private'::regnamespace) ORDER BY 1, 2"
        ).fetchall()
    return [
        Policy(
            table=table,
            name=name,
            permissive=permissive,
            definition=f"CREATE POLICY {name} ON {table} AS {'PERMISSIVE' if permissive else 'RESTRICTIVE'} "
            f"FOR {command} TO {roles}{using or ''}{check or ''}",
        )
        for table, name, permissive, command, roles, using, check in rows
    ]


def test_with_its_ceiling_a_careless_policy_gives_nothing(world: World) -> None:
    for table in world.tables:
        with world.database.superuser() as connection:
            connection.execute(f"CREATE POLICY generous ON ims.{table} USING (true)".encode())
            try:
                for name in ("bob's login", "the application as bob", "the application", "an unmapped login"):
                    row_access.check_reading(world, world.identities[name], table)
            finally:
                connection.execute(f"DROP POLICY generous ON ims.{table}".encode())
    assert world.count("issues", ROOT) == 1
