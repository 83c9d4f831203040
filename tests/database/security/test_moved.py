"""A database on another server: its logins are nobody there, whatever numbers and names roles have."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from db.db_logins import create_personal_login
from db.embedded import EmbeddedServer
from db.embedded.binaries import find_binaries
from db.setup.bootstrap import ensure_database, initialise, upgrade
from tests.fixtures.database import DEBIAN_15, Server, libpq_url, on_every_server
from tests.fixtures.schema import ALICE, APP_PASSWORD, BOB, ROOT, Database

pytestmark = [on_every_server, pytest.mark.xdist_group("moved")]

PASSWORD = "made-up-for-tests"
WHO = b"SELECT ims.current_user_id()"


@pytest.fixture(scope="module")
def elsewhere(scratch_folder: Path) -> Iterator[Server]:
    """Another server, where the product has been set up before."""
    with EmbeddedServer(scratch_folder / "elsewhere") as address:
        server = Server(name="elsewhere", superuser_url=address.superuser_url())
        initialise(server.superuser_url, app_password=APP_PASSWORD, first_admin="root")
        yield server


@pytest.fixture
def logins(database: Database) -> Iterator[dict[int, str]]:
    """Personal logins of root, alice and bob."""
    names = {
        user_id: f"{name}_{database.name}"
        for user_id, name in ((ROOT, "root"), (ALICE, "alice"), (BOB, "bob"))
    }
    try:
        with database.session(ROOT) as session:
            for name in names.values():
                create_personal_login(session, name.partition("_")[0], PASSWORD, login=name)
        yield names
    finally:
        with database.superuser() as connection:
            for name in names.values():
                connection.execute(f"DROP ROLE IF EXISTS {name}".encode())


def restored(database: Database, server: Server, dump: Path) -> Database:
    """The database's dump, restored into a new database of a server."""
    name = f"copy_of_{database.name}"
    ensure_database(server.superuser_url, name)
    copy = Database(
        server=server, name=name, app_url=server.url(user="ims_app", password=APP_PASSWORD, dbname=name)
    )
    _run(database, "pg_dump", "--format=custom", f"--file={dump}")
    _run(copy, "pg_restore", "--exit-on-error", str(dump))
    return copy


def _run(database: Database, program: str, *arguments: str) -> None:
    """Run a program of the server's own version on a database."""
    own = database.server.name == "debian15"
    path = str(DEBIAN_15 / program) if own else find_binaries().program(program)
    url = make_url(database.superuser_url)
    subprocess.run(
        [path, "--dbname", libpq_url(str(url._replace(password=None))), *arguments],
        env={**os.environ, "PGPASSWORD": str(url.password)},
        check=True,
        capture_output=True,
    )


def who(database: Database, login: str) -> object:
    """Whom a login is in a database."""
    with database.login(login, PASSWORD) as connection:
        row = connection.execute(WHO).fetchone()
        assert row is not None
        seen = connection.execute("SELECT array_agg(user_id) FROM ims.users").fetchone()
        assert seen == ([row[0]] if row[0] else None,) or row[0] == ROOT
    return row[0]


def make_role(server: Server, name: str) -> None:
    with server.connect() as connection:
        connection.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE ims_user, ims_admin".encode()
        )


def give_number(database: Database, user_id: int, login: str) -> None:
    """What two fresh servers do by themselves: a role has the number that somebody's had elsewhere."""
    with database.superuser() as connection:
        connection.execute(
            "UPDATE ims_private.identities SET login_oid = NULL, login_name = NULL, login_cluster = NULL "
            "WHERE login_oid = to_regrole(%s)",
            (login,),
        )
        connection.execute(
            "UPDATE ims_private.identities SET login_oid = to_regrole(%s) WHERE user_id = %s",
            (login, user_id),
        )


def test_on_another_server_nobody_becomes_somebody_else(
    database: Database, logins: dict[int, str], elsewhere: Server, tmp_path: Path
) -> None:
    assert {user_id: who(database, login) for user_id, login in logins.items()} == {n: n for n in logins}
    for user_id in (BOB, ALICE, ROOT):  # in another order
        make_role(elsewhere, logins[user_id])
    copy = restored(database, elsewhere, tmp_path / "dump")
    assert [who(copy, login) for login in logins.values()] == [None, None, None]
    # Whose number bob's role has here: first alice's, then root's, then his own.
    for user_id in (ALICE, ROOT, BOB):
        give_number(copy, user_id, logins[BOB])
        assert who(copy, logins[BOB]) is None, user_id
    with copy.session(ROOT) as session:
        create_personal_login(session, "alice", PASSWORD, login=f"fresh_{copy.name}")
    assert who(copy, f"fresh_{copy.name}") == ALICE
    assert [who(copy, login) for login in logins.values()] == [None, None, None]


def test_the_upgrade_forgets_logins_of_another_server_and_keeps_those_of_its_own(
    database: Database, logins: dict[int, str], elsewhere: Server, tmp_path: Path
) -> None:
    def known(where: Database) -> list[tuple[object, ...]]:
        with where.superuser() as connection:
            return connection.execute(
                "SELECT user_id, login_name, login_oid IS NULL, db_login FROM ims_private.identities "
                "JOIN ims.users USING (user_id) ORDER BY user_id"
            ).fetchall()

    before = known(database)
    upgrade(database.superuser_url)
    assert known(database) == before
    assert [row[1] for row in before] == [*logins.values(), None]
    copy = restored(database, elsewhere, tmp_path / "dump")
    upgrade(copy.superuser_url)
    assert known(copy) == [(n, None, True, None) for n in (1, 2, 3, 4)]


def test_beside_itself_on_its_own_server_everybody_is_who_they_were(
    database: Database, logins: dict[int, str], tmp_path: Path
) -> None:
    copy = restored(database, database.server, tmp_path / "dump")
    try:
        assert [who(copy, login) for login in logins.values()] == list(logins)
        with database.superuser() as connection:
            connection.execute(f"ALTER ROLE {logins[ALICE]} RENAME TO gone_{database.name}".encode())
            connection.execute(f"ALTER ROLE {logins[BOB]} RENAME TO {logins[ALICE]}".encode())
            connection.execute(f"ALTER ROLE {logins[ALICE]} PASSWORD '{PASSWORD}'".encode())
        assert who(copy, logins[ALICE]) is None  # alice's name, bob's number
        assert who(database, logins[ALICE]) is None
    finally:
        with database.superuser() as connection:
            connection.execute(f"DROP DATABASE {copy.name} WITH (FORCE)".encode())
            connection.execute(f"DROP ROLE IF EXISTS gone_{database.name}".encode())
