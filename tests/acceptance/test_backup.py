"""A backup of one server, restored on another, is the same to everybody."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from db.embedded import EmbeddedServer
from db.settings import with_account
from tests.fixtures.database import libpq_url
from tests.fixtures.embedded import Home, folder_of_its_own
from tests.fixtures.program import Program
from tests.fixtures.stored_rows import Rows, stored_rows

pytestmark = pytest.mark.xdist_group("backup")

USER = "demo-sato"
SEARCH = ("search", "error timeout", "--json")


@dataclass(frozen=True)
class Full:
    """A machine on which two users have issues, and one has an attached file."""

    program: Program
    address: str = field(repr=False)  # of its database, for an administrator


@dataclass(frozen=True)
class Backup:
    """A backup of that machine."""

    file: Path
    rows: Rows  # what is stored there
    hits: Any  # what one of its users is told there


@pytest.fixture(scope="module")
def full(scratch_folder: Path) -> Iterator[Full]:
    """The machine; its server runs all the time, each command would start and stop it otherwise."""
    with folder_of_its_own(scratch_folder) as folder, EmbeddedServer(folder / "home") as address:
        program = Program(folder / "home")
        assert program("demo").status == 0
        name = "ab" + "0" * 62
        folder = program.home / "attachments" / "ab"
        folder.mkdir(parents=True, mode=0o700)
        (folder / name).write_bytes(b"bytes")
        (program.home / "attachments" / "notes.txt").write_text("not one of ours")
        yield Full(program, address.superuser_url("ims"))


@pytest.fixture(scope="module")
def backup(full: Full) -> Backup:
    hits = full.program(*SEARCH, IMS_USER=USER).document
    assert hits
    rows = rows_of(full.address)
    assert rows["issues"].total() > 100
    path = full.program.home.parent / "ims.backup"
    done = full.program("db", "backup", str(path), "--json")
    assert done.status == 0, done.err
    assert done.document["key"].endswith("secret.key")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [name for name in path.parent.iterdir() if name.name.startswith(".")] == []
    return Backup(path, rows, hits)


@pytest.fixture(scope="module")
def own_server(scratch_folder: Path) -> Iterator[str]:
    """An administrator's address of an empty database of one's own."""
    with folder_of_its_own(scratch_folder) as folder, EmbeddedServer(folder / "home") as address:
        with psycopg.connect(libpq_url(address.superuser_url()), autocommit=True) as connection:
            connection.execute("CREATE DATABASE issues")
        yield address.superuser_url("issues")


def rows_of(address: str) -> Rows:
    with psycopg.connect(libpq_url(address)) as connection:
        return stored_rows(connection)


def test_on_another_machine_without_a_server(backup: Backup, empty_home: Home) -> None:
    other = Program(empty_home.path)
    done = other("db", "restore", str(backup.file), "--json")
    assert done.status == 0, done.err
    (attached,) = (other.home / "attachments").rglob("ab*0")
    assert attached.read_bytes() == b"bytes"
    with EmbeddedServer(other.home) as address:
        assert rows_of(address.superuser_url("ims")) == backup.rows
        assert other(*SEARCH, IMS_USER=USER).document == backup.hits
        assert other("demo").status == 0  # sessions, rights and sequences go on where they were
        refused = other("db", "restore", str(backup.file))
    assert refused.status in (3, 5)
    assert "not empty" in refused.sentence()


def test_on_a_server_of_ones_own_and_back(
    backup: Backup, own_server: str, tmp_path: Path, empty_home: Home
) -> None:
    other = Program(tmp_path / "home")
    done = other("db", "restore", str(backup.file), DATABASE_URL=own_server, IMS_APP_PASSWORD="app-pw")
    assert done.status == 0, done.err
    assert rows_of(own_server) == backup.rows
    back = tmp_path / "back.backup"
    assert other("db", "backup", str(back), DATABASE_URL=own_server).status == 0
    login = with_account(make_url(own_server), "ims_app", "app-pw")
    url = login.set(drivername="postgresql").render_as_string(hide_password=False)
    assert other(*SEARCH, IMS_USER=USER, DATABASE_URL=url).document == backup.hits
    with psycopg.connect(url) as nobody_in_particular:
        assert nobody_in_particular.execute("SELECT FROM ims.issues").fetchall() == []
    third = Program(empty_home.path)
    with EmbeddedServer(third.home) as address:
        assert third("trackers", "add", "t", "--kind", "ims", "--url", "http://h/").status == 0
        assert third("db", "restore", str(back), "--force").status == 0
        assert rows_of(address.superuser_url("ims")) == backup.rows


@pytest.mark.parametrize("damage", ["cut", "other tar"])
def test_what_is_no_backup_changes_nothing(full: Full, backup: Backup, tmp_path: Path, damage: str) -> None:
    bad = tmp_path / "bad"
    if damage == "cut":
        bad.write_bytes(backup.file.read_bytes()[: backup.file.stat().st_size // 2])
    else:
        with tarfile.open(bad, "w") as archive:
            archive.add(__file__, "../../etc/passwd")
    done = full.program("db", "restore", str(bad), "--force")
    assert done.status in (3, 5)
    done.sentence()
    assert rows_of(full.address) == backup.rows


def test_a_file_that_is_there_is_not_overwritten(full: Full, backup: Backup) -> None:
    before = backup.file.read_bytes()
    assert full.program("db", "backup", str(backup.file)).status == 2
    assert backup.file.read_bytes() == before
    assert full.program("db", "backup", "/absent/ims.backup").status == 2
    assert full.program("db", "restore", "/absent/ims.backup").status == 2
