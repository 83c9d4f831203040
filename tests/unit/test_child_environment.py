"""What we start for a user gets none of our secrets, neither in its environment nor in its arguments."""

from __future__ import annotations

import os
import pydoc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from cli import database, pager
from cli.children import child_environment, secrets_put_away

SECRETS = ("IMS_SECRET_KEY", "IMS_TRACKER_PASSWORD", "IMS_PROXY_PASSWORD", "IMS_APP_PASSWORD", "DATABASE_URL")


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "c4nary")


def started() -> str:
    """What a program that is started now has in its environment."""
    return subprocess.run(
        [sys.executable, "-c", "import os; print(dict(os.environ))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def test_our_variables_are_put_away_and_come_back() -> None:
    with secrets_put_away():
        told = started()
    assert "c4nary" not in told
    assert "PATH" in told
    assert [os.environ[name] for name in SECRETS] == ["c4nary"] * len(SECRETS)
    assert "c4nary" not in child_environment().values()


def test_the_pager_gets_none_and_the_lines_are_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"cli.pager.sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setattr(pydoc, "pager", lambda text: seen.extend((text, started())))
    pager.show_lines(os.environ[name] for name in ("DATABASE_URL",))
    assert seen[0] == "c4nary\n"
    assert "c4nary" not in seen[1]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://kim:pa55word@h/d?sslpassword=pa55word",
        "postgresql://kim@h/d?password=pa55word&application_name=a%20b",
    ],
    ids=("of TLS", "in the query"),  # the name of a test is in the environment
)
def test_psql_gets_its_password_and_nothing_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> Any:
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("IMS_HOME", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", run)
    # No database is asked who that is: what psql is started with is all that is looked at.
    monkeypatch.setattr("pipeline.bootstrap.start", lambda: SimpleNamespace(user_id=2))
    shell: Callable[[], None] = database.shell
    with pytest.raises(typer.Exit):
        shell()
    ((command, env),) = calls
    assert "pa55word" not in " ".join(command)
    assert command[1].startswith("postgresql://kim@h/d")
    assert env.pop("PGPASSWORD") == "pa55word"
    assert not any("pa55word" in value or "c4nary" in value for value in env.values())
