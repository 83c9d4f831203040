"""A backup of one server, restored on another, is the same to everybody."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from db.embedded import EmbeddedServer
from db.settings import with_account
from tests.fixtures.database import libpq_url
from tests.fixtures.program import Program


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A machine on which two users have issues, and one has an attached file."""
    program = Program(tmp_path_factory.mktemp("full") / "home")
    assert program("demo").status == 0
    name = "ab" + "0" * 62
    folder = program.home / "attachments" / "ab"
    folder.mkdir(parents=True, mode=0o700)
    (folder / name).write_bytes(b"bytes")
    (program.home / "attachments" / "notes.txt").write_text("not one of ours")
    return program


@pytest.fixture(scope="module")
def file(full: Program) -> Path:
    """The backup of that machine."""
    path = full.home.parent / "ims.backup"
    done = full("db", "backup", str(path), "--json")
    assert done.status == 0, done.err
    assert done.document["key"].endswith("secret.key")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [name for name in path.parent.iterdir() if name.name.startswith(".")] == []
    return path


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An administrator's address of an empty database of one's own."""
    with EmbeddedServer(tmp_path_factory.mktemp("own") / "server") as address:
        with psycopg.connect(libpq_url(address.superuser_url()), autocommit=True) as connection:
            connection.execute("CREATE DATABASE issues")
        yield address.superuser_url("issues")


@pytest.fixture(scope="module")
def answers(full: Program) -> dict[tuple[str, ...], Any]:
    """What its two users are told there, by user and command."""
    asked = [(user, "search", "error timeout", "--json") for user in ("demo-kim", "demo-sato")]
    asked.append(("demo-kim", "sessions", "--json"))
    told = {(user, *command): full(*command, IMS_USER=user).document for user, *command in asked}
    assert all(told.values())
    return told


def told_the_same(program: Program, answers: dict[tuple[str, ...], Any], **environment: str) -> bool:
    return all(
        program(*command, IMS_USER=user, **environment).document == answer
        for (user, *command), answer in answers.items()
    )


def test_on_another_machine_without_a_server(
    answers: dict[tuple[str, ...], Any], file: Path, tmp_path: Path
) -> None:
    other = Program(tmp_path / "home")
    done = other("db", "restore", str(file), "--json")
    assert done.status == 0, done.err
    assert told_the_same(other, answers)
    (attached,) = (other.home / "attachments").rglob("ab*0")
    assert attached.read_bytes() == b"bytes"
    assert other("demo").status == 0  # sessions, rights and sequences go on where they were
    refused = other("db", "restore", str(file))
    assert refused.status in (3, 5)
    assert "not empty" in refused.sentence()


def test_on_a_server_of_ones_own_and_back(
    answers: dict[tuple[str, ...], Any], file: Path, own_server: str, tmp_path: Path
) -> None:
    other = Program(tmp_path / "home")
    done = other("db", "restore", str(file), DATABASE_URL=own_server, IMS_APP_PASSWORD="app-pw")
    assert done.status == 0, done.err
    login = with_account(make_url(own_server), "ims_app", "app-pw")
    url = login.set(drivername="postgresql").render_as_string(hide_password=False)
    assert told_the_same(other, answers, DATABASE_URL=url)
    with psycopg.connect(url) as nobody_in_particular:
        assert nobody_in_particular.execute("SELECT FROM ims.issues").fetchall() == []
    back = tmp_path / "back.backup"
    assert other("db", "backup", str(back), DATABASE_URL=own_server).status == 0
    third = Program(tmp_path / "third")
    assert third("trackers", "add", "t", "--kind", "ims", "--url", "http://h/").status == 0
    assert third("db", "restore", str(back), "--force").status == 0
    assert told_the_same(third, answers)


@pytest.mark.parametrize("damage", ["cut", "other tar"])
def test_what_is_no_backup_changes_nothing(full: Program, file: Path, tmp_path: Path, damage: str) -> None:
    bad = tmp_path / "bad"
    if damage == "cut":
        bad.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        with tarfile.open(bad, "w") as archive:
            archive.add(__file__, "../../etc/passwd")
    done = full("db", "restore", str(bad), "--force")
    assert done.status in (3, 5)
    done.sentence()
    assert full("search", "error timeout", "--json", IMS_USER="demo-kim").document


def test_a_file_that_is_there_is_not_overwritten(full: Program, file: Path) -> None:
    before = file.read_bytes()
    assert full("db", "backup", str(file)).status == 2
    assert file.read_bytes() == before
    assert full("db", "backup", "/absent/ims.backup").status == 2
    assert full("db", "restore", "/absent/ims.backup").status == 2
