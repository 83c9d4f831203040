"""Where the data lives, which database, and for whom: flag, then variable, then .env."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import platformdirs
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from db.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnfit,
    DatabaseUnreachable,
    translated,
)
from db.settings import _PLAIN, _parsed, driver_url, environment, read_settings

ROOT = Path(__file__).parents[2]


def test_a_flag_wins_over_a_variable_and_a_variable_over_a_default() -> None:
    variables = {"IMS_HOME": "/variable", "IMS_USER": "minji", "DATABASE_URL": "postgresql://a@h/d"}
    read = read_settings(variables=variables)
    assert (read.home, read.user) == (Path("/variable"), "minji")
    assert read.database_url == "postgresql+psycopg://a@h/d"
    read = read_settings(home=Path("/flag"), user="eve", database_url="postgres://b@h/d", variables=variables)
    assert (read.home, read.user, read.database_url) == (Path("/flag"), "eve", "postgresql+psycopg://b@h/d")


def test_without_anything_the_platforms_folder_and_the_login_name_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "sora")
    read = read_settings(variables={"IMS_HOME": "", "IMS_USER": "", "DATABASE_URL": ""})
    assert read.home == platformdirs.user_data_path("ims-crawler")
    assert (read.user, read.database_url) == ("sora", None)


def test_an_account_without_a_name_is_a_user_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert read_settings(variables={}).user == "ims"


def test_lines_of_dotenv_stand_below_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("IMS_USER=of-the-file\nIMS_HOME=/of/the/file\nEMPTY\n", "utf-8")
    monkeypatch.setenv("IMS_USER", "of-the-process")
    monkeypatch.delenv("IMS_HOME", raising=False)
    known = environment(dotenv)
    assert (known["IMS_USER"], known["IMS_HOME"]) == ("of-the-process", "/of/the/file")
    assert "EMPTY" not in known
    assert "IMS_HOME" not in environment(tmp_path / "absent")


def test_a_password_is_not_in_the_repr() -> None:
    assert "secret" not in repr(read_settings(variables={"DATABASE_URL": "postgresql://a:secret@h/d"}))


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "secret", "", "sqlite:///secret", "postgresql"])
def test_what_is_no_address_of_a_postgresql_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DatabaseUnfit) as refusal:
        driver_url(url)
    assert "secret" not in str(refusal.value)


def test_an_address_keeps_every_part_in_a_form_that_libpq_reads() -> None:
    given = "postgresql+asyncpg://na%20me:p%40ss%20w%2Brd@/d?host=/a%20folder&port=5"
    url = driver_url(given)
    assert make_url(url).password == "p@ss w+rd"
    parts = psycopg.conninfo.conninfo_to_dict(url.replace("+psycopg", ""))
    assert parts == {
        "user": "na me",
        "password": "p@ss w+rd",
        "dbname": "d",
        "host": "/a folder",
        "port": "5",
    }


class Failure(psycopg.OperationalError):
    """An error with whatever state."""

    def __init__(self, state: str | None, words: str = "") -> None:
        super().__init__(words)
        self.sqlstate = state


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Failure(None, "connection refused"), DatabaseUnreachable),
        (Failure(None, 'FATAL:  password authentication failed for user "x"'), DatabaseRefused),
        (Failure(None, 'FATAL:  role "x" does not exist'), DatabaseRefused),
        (Failure(None, 'FATAL:  database "x" does not exist'), DatabaseUnfit),
        (Failure("28P01"), DatabaseRefused),
        (Failure("42501"), DatabaseRefused),
        (Failure("42P01"), DatabaseUnfit),
        (Failure("08006"), DatabaseUnreachable),
        (Failure("57P03"), DatabaseUnreachable),
        (Failure("53100"), DatabaseUnreachable),
        (Failure("22P02", "invalid input: secret"), DatabaseError),
    ],
)
def test_a_drivers_error_becomes_one_sentence_without_its_values(
    error: Failure, kind: type[DatabaseError]
) -> None:
    told = translated(error)
    assert type(told) is kind
    assert "secret" not in str(told)
    assert str(told).endswith(".")
    assert "\n" not in str(told)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h:5433/d?user=kim&password=c4nary&sslmode=require",
        "postgresql://nobody:old@h:5433/d?sslmode=require&user=kim&password=c4nary",
        "postgresql://kim@h:5433/d?password=c4n%61ry&sslmode=require",
    ],
)
def test_a_password_in_the_query_is_one_that_others_hide_too(url: str) -> None:
    parsed = make_url(driver_url(url))
    assert (parsed.username, parsed.password, dict(parsed.query)) == ("kim", "c4nary", {"sslmode": "require"})
    assert "c4nary" not in parsed.render_as_string(hide_password=True)
    assert parsed.set(username="ims_app", password="other").password == "other"


@given(st.from_regex(_PLAIN, fullmatch=True))
def test_a_plain_address_is_what_parsing_makes_of_it(url: str) -> None:
    assert driver_url(url) == _parsed(url)


def test_a_plain_address_is_read_without_a_large_import() -> None:
    code = (
        "import sys; from db.settings import driver_url\n"
        "driver_url('postgresql://ims_app:pw@db:5432/ims?sslmode=require')\n"
        "sys.exit('sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
