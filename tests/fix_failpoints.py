"""The program that dies where it is told to, and what it must leave behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fix_program import ROOT, Tracker, run_standin
from tests.fix_schema import Database


@dataclass(frozen=True)
class Ended:
    """A command that ended, one way or another."""

    status: int  # below 0: the signal
    boundaries: int  # commits begun and commits ended
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class FailingProgram:
    """Runs commands that may die at a commit."""

    process: subprocess.Popen[str] = field(repr=False)
    home: Path

    def run(
        self, database: Database, *arguments: str, kill_at: int | None = None, **environment: str
    ) -> Ended:
        """Run a command to its end, or to its death at a boundary."""
        known = {
            "DATABASE_URL": database.app_url,
            "IMS_HOME": str(self.home),
            "IMS_USER": "alice",
            **Tracker.ACCOUNT,
            **environment,
        }
        command = {"arguments": arguments, "environment": known, "kill_at": kill_at}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))


@contextmanager
def start_failing_program(home: Path) -> Iterator[FailingProgram]:
    """Start it; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.failing_program"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield FailingProgram(process, home)


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingProgram]:
    """The program that dies where it is told to."""
    with start_failing_program(tmp_path_factory.mktemp("failing")) as program:
        yield program


@pytest.fixture(scope="module")
def sixty_issues() -> Iterator[str]:
    """The address of a tracker with sixty issues."""
    with run_standin("--issues", "60") as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
