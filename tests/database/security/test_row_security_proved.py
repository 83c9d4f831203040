"""Row security by proof: pgrls shows of every table that no session gets past its policies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.database import libpq_url
from tests.fixtures.schema import Database

CONFIGURATION = Path(__file__).parents[3] / "pgrls.toml"
AUTH = ("--auth-function", "ims.current_user_id")


def pgrls(database: Database, *arguments: str) -> str:
    """What pgrls says of a database; it fails on anything that is not proven or allowed."""
    done = subprocess.run(
        [sys.executable, "-m", "pgrls", arguments[0], "--config", str(CONFIGURATION), *arguments[1:]],
        env={**os.environ, "DATABASE_URL": libpq_url(database.superuser_url)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tables(database: Database) -> int:
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'ims'::regnamespace AND relkind = 'r'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def without_those_who_see_all(database: Database) -> None:
    """Leave the policies that bind a user: admins and analysts see everybody's rows, which is no leak."""
    with database.superuser() as connection:
        for table, name in connection.execute(
            "SELECT polrelid::regclass::text, quote_ident(polname) FROM pg_policy p "
            "WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = ANY (p.polroles) "
            "                  AND r.rolname IN ('ims_user', 'ims_app'))"
        ).fetchall():
            connection.execute(f"DROP POLICY {name} ON {table}".encode())


def test_without_an_identity_nobody_reads_a_row_of_any_table(database: Database) -> None:
    assert f"{tables(database)} proven isolated, 0 leaking, 0 unverified" in pgrls(
        database, "verify", "--strict"
    )


@pytest.mark.parametrize("mode", ["cross-tenant", "write"])
def test_no_user_reads_or_writes_anothers_row_of_any_table(database: Database, mode: str) -> None:
    without_those_who_see_all(database)
    said = pgrls(database, "verify", "--strict", "--mode", mode, *AUTH)
    assert f"{tables(database)} proven isolated, 0 leaking, 0 unverified" in said


def test_a_policy_that_lets_others_in_is_no_longer_proven(database: Database) -> None:
    without_those_who_see_all(database)
    with database.superuser() as connection:
        connection.execute("DROP POLICY own_ceiling ON ims.issues")
        connection.execute("ALTER POLICY own_rows ON ims.issues USING (true)")
    with pytest.raises(AssertionError, match=r"ims\.issues +(LEAK|UNVERIFIED)"):
        pgrls(database, "verify", "--strict", "--mode", "cross-tenant", *AUTH)


def test_the_linter_finds_nothing_that_is_not_explained(database: Database) -> None:
    pgrls(database, "lint")
