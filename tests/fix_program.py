"""The program as a user runs it: a process of its own, a data folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from db.embedded import EmbeddedServer

ROOT = Path(__file__).parent.parent
LIMIT = 120  # seconds after which a command counts as hanging

# Whatever the environment of the tests sets must not reach the program.
_OURS = ("IMS_", "DATABASE_URL")


@dataclass(frozen=True)
class Completed:
    """A command that ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)

    def sentence(self) -> str:
        """The one line that an error is told in."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


@dataclass(frozen=True)
class Program:
    """Runs commands with one data folder."""

    home: Path

    def environment(self, **changed: str) -> dict[str, str]:
        """The environment of a command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return {**kept, "IMS_HOME": str(self.home), "IMS_USER": "tester", "COLUMNS": "120", **changed}

    def start(self, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        """Begin a command and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "run_crawl.py"), *arguments],
            env=self.environment(**changed),
            cwd=self.home.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, stdin: str = "", **changed: str) -> Completed:
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_crawl.py"), *arguments],
            env=self.environment(**changed),
            cwd=self.home.parent,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def ims_crawl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a fresh data folder; its server lives as long as the module's tests."""
    home = tmp_path_factory.mktemp("program") / "home"
    with EmbeddedServer(home):
        yield Program(home)


class Tracker:
    """The stand-in as a process of its own."""

    ACCOUNT: ClassVar = {"IMS_TRACKER_USERNAME": "kim", "IMS_TRACKER_PASSWORD": "kim-secret"}

    def __init__(self, url: str) -> None:
        self.url = url
        self.options = ("--kind", "ims", "--url", url)


@pytest.fixture(scope="module")
def ims_process() -> Iterator[Tracker]:
    """A stand-in with the written issues."""
    with run_standin() as process:
        assert process.stdout is not None
        yield Tracker(process.stdout.readline().strip())
        process.terminate()


def run_standin(*arguments: str) -> subprocess.Popen[str]:
    """Start a stand-in; its first line is its address, and it ends when its standard input is closed."""
    return subprocess.Popen(
        [sys.executable, "-m", "crawler.standin", "--until-eof", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
