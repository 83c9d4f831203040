"""A real Roundup: installed once per machine, booted and filled once per run."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import platformdirs
import pytest

VERSION = "2.6.0"
PASSWORD = "kim-secret"
HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class RoundupServer:
    """A running Roundup tracker."""

    url: str
    home: Path
    python: Path

    def change(self, number: int, *changes: str) -> None:
        """Let something happen to an issue, see change.py."""
        run([self.python, HERE / "change.py", self.home, number, *changes])

    def pages_asked(self) -> int:
        """How many pages of issues it has given until now, by its own log."""
        return (self.home.parent / "server.log").read_text("utf-8", "replace").count('"GET /tracker/issue')

    def get(self, path: str) -> Any:
        """What it answers to kim, as JSON or, of its pages, as text."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/{quote(path, safe='/?=&@,')}",
            headers={
                "Authorization": "Basic " + base64.b64encode(f"kim:{PASSWORD}".encode()).decode(),
                "X-Requested-With": "rest",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            text = answer.read().decode()
        return json.loads(text) if path.startswith("rest/") else text


def run(command: list[Any]) -> str:
    """Run a command to its end, and return what it prints."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _make_venv(place: Path) -> None:
    building = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    run([sys.executable, "-m", "venv", building])
    pip = [building / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        run([*pip, f"roundup=={VERSION}"])
    except RuntimeError as error:
        shutil.rmtree(building, ignore_errors=True)
        pytest.skip(f"Roundup {VERSION} cannot be installed here: {error}")
    building.rename(place)


def interpreter() -> Path:
    """The interpreter of an environment that has Roundup, made once per machine."""
    folder = Path(platformdirs.user_cache_dir("ims-crawler-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"roundup-{VERSION}-py{sys.version_info.major}.{sys.version_info.minor}"
    with (folder / "roundup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _make_venv(place)
    return place / "bin" / "python"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/", timeout=10):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


@contextmanager
def booted(folder: Path, script: str, *filling: object) -> Iterator[RoundupServer]:
    """A tracker of the classic template, filled by a script beside this one with its arguments."""
    home, python = folder / "home", interpreter()
    home.mkdir()
    port = _free_port()
    url = f"http://127.0.0.1:{port}/tracker"
    mail = f"mail_domain=example.com,mail_host=localhost,mail_debug={folder / 'mail.log'}"
    # The command lies beside the interpreter; a folder that was renamed has wrong first lines in its scripts.
    admin = [python, "-m", "roundup.scripts.roundup_admin", "-i", home]
    # Each request proves the password anew, a quarter of a second with the usual number of rounds.
    quick = "password_pbkdf2_default_rounds=1000"
    run([*admin, "install", "classic", "sqlite", f"tracker_web={url}/,{mail},{quick}"])
    run([*admin, "initialise", "admin-secret"])
    run([python, HERE / script, home, *filling])
    user = ["-u", "root"] if os.getuid() == 0 else []
    command = [python, "-m", "roundup.scripts.roundup_server", "-n", "127.0.0.1", "-p", str(port)]
    command += ["-t", "thread", *user, f"tracker={home}"]
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=output, cwd=folder)
        try:
            deadline = time.monotonic() + 30
            while not _is_up(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Roundup did not start; its log: {log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield RoundupServer(url=url, home=home, python=python)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def roundup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundupServer]:
    """A tracker with issues, which tests may change."""
    with booted(tmp_path_factory.mktemp("roundup"), "fill.py") as server:
        yield server
