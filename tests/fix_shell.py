"""Commands as a user types them, run within the test's own process on a database of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.app import _run
from tests.fix_program import Completed
from tests.fix_schema import Database


@dataclass(frozen=True)
class Shell:
    """Runs commands for a user, alice unless told otherwise."""

    database: Database = field(repr=False)
    home: Path
    monkeypatch: pytest.MonkeyPatch = field(repr=False)
    capsys: pytest.CaptureFixture[str] = field(repr=False)

    def __call__(self, *arguments: str, user: str = "alice") -> Completed:
        self.monkeypatch.setenv("IMS_USER", user)
        self.capsys.readouterr()
        status = _run(list(arguments))
        printed = self.capsys.readouterr()
        return Completed(status, printed.out, printed.err)


@pytest.fixture
def shell(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """A shell with a fresh database behind it; nothing that the environment sets reaches it."""
    for name in ("IMS_LLM_URL", "IMS_TRACKER_USERNAME", "IMS_TRACKER_PASSWORD", "IMS_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    monkeypatch.setenv("IMS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    return Shell(database, tmp_path, monkeypatch, capsys)
