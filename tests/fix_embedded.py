"""Data folders for the embedded server, and processes that use it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.embedded import EmbeddedServer
from db.embedded.locks import is_held
from db.embedded.postmaster import read_postmaster
from tests.fix_database import wait_until

REPOSITORY = Path(__file__).parent.parent
_PROGRAM = REPOSITORY / "tests" / "database" / "embedded_user.py"


@dataclass(frozen=True)
class Home:
    """An IMS_HOME and what runs in it."""

    path: Path

    @property
    def folder(self) -> Path:
        return self.path / "postgres"

    @property
    def postmaster(self) -> int:
        """The server's process."""
        found = read_postmaster(self.folder / "data")
        assert found is not None, "no server runs"
        return found.pid

    @property
    def keeper(self) -> int:
        """The process that keeps the server: its parent."""
        return int(Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()[1])

    @property
    def is_quiet(self) -> bool:
        """Whether neither a keeper nor any process of PostgreSQL is left."""
        return not is_held(self.folder / "keeper.lock") and not is_held(self.folder / "server.lock")

    def wait_until_quiet(self) -> None:
        wait_until(lambda: self.is_quiet, f"nothing of PostgreSQL is left in {self.folder}", 10)


@dataclass(frozen=True)
class User:
    """A process that uses the server."""

    process: subprocess.Popen[str]
    said: dict[str, Any]

    @property
    def url(self) -> str:
        """The superuser's URL for psycopg itself."""
        return str(self.said["url"]).replace("+psycopg", "")


@pytest.fixture(scope="session")
def scratch_folder() -> Iterator[Path]:
    """A folder for 60 MB of data folders at a time, in memory where it can be: no test is about disks."""
    memory = Path("/dev/shm")  # noqa: S108  # only mkdtemp makes something there
    for left in memory.glob("ims-tests-*-*"):  # by a run that was killed
        if left.stat().st_uid == os.geteuid() and not _lives(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    plenty = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    folder = Path(tempfile.mkdtemp(prefix=f"ims-tests-{os.getpid()}-", dir=memory if plenty else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="session")
def initialised_home(scratch_folder: Path) -> Path:
    """A home whose server was made and stopped; to be copied, never used."""
    home = Home(scratch_folder / "initialised")
    with EmbeddedServer(home.path):
        pass
    home.wait_until_quiet()
    return home.path


@pytest.fixture
def empty_home(scratch_folder: Path) -> Iterator[Home]:
    """A home in which nothing is yet, alone in its folder; nothing may be left running in it."""
    folder = Path(tempfile.mkdtemp(dir=scratch_folder))
    home = Home(folder / "home")
    yield home
    if home.folder.exists():
        home.wait_until_quiet()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home(empty_home: Home, initialised_home: Path) -> Home:
    """A home with a server that is not running."""
    shutil.copytree(initialised_home, empty_home.path, ignore=shutil.ignore_patterns("socket"))
    return empty_home


class Users:
    """Starts processes that use the server of one home, and kills those that are left at the end."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._begun: list[subprocess.Popen[str]] = []

    def begin(
        self, *arguments: str, prefix: Sequence[str] = (), python: str = sys.executable
    ) -> subprocess.Popen[str]:
        """Start a process and do not wait for what it says."""
        packages = [entry for entry in sys.path if entry.endswith("site-packages")]
        process = subprocess.Popen(
            [*prefix, python, str(_PROGRAM), str(self._home), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages]),
                "IMS_SECRET_KEY": "the-secret-of-the-user",
            },
        )
        self._begun.append(process)
        return process

    def start(self, *arguments: str, prefix: Sequence[str] = (), python: str = sys.executable) -> User:
        """Start a process and wait until it uses the server, or says why it cannot."""
        return hear(self.begin(*arguments, prefix=prefix, python=python))

    def kill_all(self) -> None:
        """Kill them as they stand."""
        for process in self._begun:
            process.kill()
            process.communicate()


def hear(process: subprocess.Popen[str]) -> User:
    """Wait for what a process says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the process ended without a word"
    return User(process, json.loads(line))


@pytest.fixture
def users(empty_home: Home) -> Iterator[Users]:
    """Processes that use the server of the test's home."""
    found = Users(empty_home.path)
    yield found
    found.kill_all()


@contextmanager
def limited_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a small disk on the folder, or skip where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
