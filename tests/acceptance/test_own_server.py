"""A PostgreSQL of one's own: set up once by an administrator, used by everybody else without one's rights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from db.embedded import EmbeddedServer
from tests.fixtures.database import libpq_url
from tests.fixtures.embedded import folder_of_its_own
from tests.fixtures.program import Program

pytestmark = pytest.mark.xdist_group("own_server")


@pytest.fixture(scope="module")
def admin_url(scratch_folder: Path) -> Iterator[str]:
    """An administrator's address of a server on which nothing of ours was ever set up."""
    with folder_of_its_own(scratch_folder) as folder, EmbeddedServer(folder / "home") as address:
        with psycopg.connect(libpq_url(address.superuser_url()), autocommit=True) as connection:
            connection.execute("CREATE DATABASE issues")
        yield address.superuser_url("issues")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, with a data folder in which there is no server."""
    return Program(tmp_path_factory.mktemp("client") / "home")


@pytest.fixture(scope="module")
def app_url(program: Program, admin_url: str) -> str:
    """What ``db init`` prints."""
    done = program("db", "init", DATABASE_URL=admin_url)
    assert done.status == 0, done.err
    return done.out.strip()


def test_before_it_is_set_up_the_program_says_what_to_run(program: Program, admin_url: str) -> None:
    done = program("sessions", DATABASE_URL=admin_url.replace("/issues", "/postgres"))
    assert done.status in (3, 5)
    done.sentence()


def test_the_printed_address_is_all_that_is_needed(program: Program, app_url: str) -> None:
    assert program("sessions", "--json", DATABASE_URL=app_url).document == []
    with psycopg.connect(app_url) as connection:  # libpq's way of reading it, which is psql's too
        assert connection.info.user == "ims_app"
    status = program("db", "status", "--json", DATABASE_URL=app_url).document
    assert status["schema"] == "current"
    assert not (program.home / "postgres").exists()
    users = program("users", "list", "--json", DATABASE_URL=app_url).document
    assert [(user["username"], user["role"]) for user in users] == [("tester", "admin")]


@pytest.mark.usefixtures("app_url")
def test_an_administrators_login_is_refused_for_everything_else(program: Program, admin_url: str) -> None:
    done = program("sessions", DATABASE_URL=admin_url)
    assert done.status == 3
    assert "row security" in done.sentence()
    assert done.out == ""


def test_setting_it_up_again_and_upgrading_it_change_nothing(
    program: Program, admin_url: str, app_url: str
) -> None:
    done = program("db", "init", DATABASE_URL=admin_url)
    assert done.status == 0
    assert "ims_app keeps its password" in done.err
    assert make_url(admin_url).password not in done.out + done.err
    printed, first = make_url(done.out.strip()), make_url(app_url)
    assert printed.password == "PASSWORD"
    assert printed.set(password=first.password) == first
    assert program("db", "upgrade", DATABASE_URL=admin_url).status == 0
    assert program("sessions", "--json", DATABASE_URL=app_url).document == []


@pytest.mark.parametrize("form", ["{user}:{word}@{rest}", "{rest}&user={user}&password={word}"])
def test_the_shells_password_is_not_in_the_process_list(
    program: Program, app_url: str, tmp_path: Path, form: str
) -> None:
    (tmp_path / "psql").write_text('#!/bin/sh\necho "$@"; echo "$PGPASSWORD" | wc -c\n')
    (tmp_path / "psql").chmod(0o755)
    word = make_url(app_url).password
    assert word is not None
    rest = app_url.partition("@")[2]
    done = program(
        "db",
        "shell",
        DATABASE_URL="postgresql://" + form.format(user="ims_app", word=word, rest=rest),
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )
    assert "ims_app" in done.out
    assert word not in done.out + done.err
    assert done.out.split()[-1] == str(len(word) + 1)


def test_somebody_who_is_no_user_is_refused(program: Program, app_url: str) -> None:
    done = program("sessions", DATABASE_URL=app_url, IMS_USER="nobody-here")
    assert done.status == 3
    done.sentence()


def test_a_personal_login_is_its_user_and_nobody_else(program: Program, app_url: str) -> None:
    added = program(
        "users",
        "add",
        "alice",
        "--login",
        "--password-stdin",
        "--json",
        stdin="alice-secret\n",
        DATABASE_URL=app_url,
    )
    assert added.document["db_login"] == "alice"
    server, _, rest = app_url.partition("://")
    alice = f"{server}://alice:alice-secret@{rest.partition('@')[2]}"
    with psycopg.connect(added.document["url"], password="alice-secret") as connection:  # as psql reads it
        assert connection.info.user == "alice"
    assert "alice-secret" not in added.out
    with psycopg.connect(libpq_url(alice), autocommit=True) as connection:
        seen = connection.execute("SELECT username FROM ims.users").fetchall()
        assert seen == [("alice",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT ims.set_current_user(1)")
    assert program("users", "role", "alice", "readonly", DATABASE_URL=app_url).status == 0
    with psycopg.connect(libpq_url(alice), autocommit=True) as connection:
        assert len(connection.execute("SELECT username FROM ims.users").fetchall()) == 2
    refused = program("users", "disable", "tester", DATABASE_URL=app_url)
    assert (refused.status, refused.out) == (3, "")
    assert "last active admin" in refused.sentence()
    assert program("users", "role", "tester", "user", DATABASE_URL=app_url).status == 3
    for verb in ("disable", "enable", "disable"):
        assert program("users", verb, "alice", DATABASE_URL=app_url).status == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(libpq_url(alice)).close()


def test_a_database_whose_path_is_not_ours_is_left_alone(program: Program, tmp_path: Path) -> None:
    done = program("db", "init", DATABASE_URL=f"postgresql://admin:pw-canary@/x?host={tmp_path}")
    assert done.status == 5
    assert "canary" not in done.sentence()
