"""A real Redmine: made once per machine of the distribution's packages, booted and filled once per run."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.trackers.redmine.fill import fill

PROGRAM = Path("/usr/share/redmine")
LOCK = Path("/var/lib/redmine/Gemfile.lock")
HERE = Path(__file__).parent
PASSWORD = "kim-password"
# Redmine 5 keeps times in its server's own zone, so whoever forgets zones is nine hours off.
ZONE = "Asia/Seoul"
_LIMIT = 180  # seconds for one of its programs


@dataclass(kw_only=True)
class RedmineServer:
    """A running Redmine."""

    home: Path
    url: str = ""
    known: dict[str, Any] = field(default_factory=dict)  # keys of accounts, and numbers by names

    def key(self, who: str = "kim") -> str:
        """An account's API access key."""
        return str(self.known["keys"][who])

    def get(self, path: str, who: str = "kim") -> Any:
        """What it answers, as JSON."""
        return self._ask("GET", path, None, who)

    def send(self, method: str, path: str, *, who: str = "kim", **document: Any) -> Any:
        """Change something."""
        body = json.dumps(document).encode() if document else None
        return self._ask(method, path, body, who)

    def change(self, number: int, *, who: str = "kim", **fields: Any) -> None:
        """Update an issue."""
        self.send("PUT", f"issues/{number}.json", who=who, issue=fields)

    def upload(self, path: str, body: bytes) -> str:
        """Bring a file; returns the token to attach it by."""
        return str(self._ask("POST", path, body, "kim", "application/octet-stream")["upload"]["token"])

    def issue(self, number: int | str, who: str = "kim") -> dict[str, Any]:
        """One issue with all that belongs to it."""
        included = "journals,attachments,relations,children,watchers,changesets"
        issue: dict[str, Any] = self.get(f"issues/{number}.json?include={included}", who)["issue"]
        return issue

    def _ask(
        self, method: str, path: str, body: bytes | None, who: str, kind: str = "application/json"
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/{path}",
            data=body,
            method=method,
            headers={"X-Redmine-API-Key": self.key(who), "Content-Type": kind},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            text = answer.read()
        return json.loads(text) if text.strip() else None


def missing() -> str | None:
    """Why there is no Redmine here; None: there is one."""
    programs = [name for name in ("puma", "bundle") if shutil.which(name) is None]
    if programs or not (PROGRAM / "config.ru").exists() or not LOCK.exists():
        return "There is no Redmine here: as root, apt-get install redmine redmine-sqlite puma."
    return None


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "X_DEBIAN_SITEID"}
    return {
        **kept,
        "RAILS_ENV": "production",
        "REDMINE_INSTANCE": "default",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": ZONE,
    }


def _run(home: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=home / "redmine",
        env=_environment(home),
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _use_own_database(home: Path) -> None:
    """Let a copy of the program have its database beside it."""
    lines = [
        "production:",
        "  adapter: sqlite3",
        f"  database: {home / 'redmine.sqlite'}",
        "  timeout: 15000",
    ]
    (home / "redmine/instances/default/config/database.yml").write_text("\n".join(lines) + "\n")


def _make(home: Path) -> None:
    """A Redmine without issues, in a folder of its own: the package's own folders are not ours to write."""
    shutil.copytree(PROGRAM, home / "redmine", ignore=shutil.ignore_patterns("instances", "Gemfile.lock"))
    shutil.copy(LOCK, home / "redmine" / "Gemfile.lock")
    for name in ("config", "files", "log", "tmp/pids", "tmp/cache", "public/plugin_assets"):
        (home / "redmine/instances/default" / name).mkdir(parents=True)
    (home / "redmine/instances/default/config/secret_key.txt").write_text(os.urandom(32).hex())
    _use_own_database(home)
    told = _run(home, "bundle", "exec", "rails", "runner", str(HERE / "seed.rb"))
    (home / "known.json").write_text(told.strip().splitlines()[-1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/issues.json?limit=1", timeout=10):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


@contextmanager
def serving(home: Path) -> Iterator[RedmineServer]:
    """Run the Redmine of a folder."""
    url = f"http://127.0.0.1:{_free_port()}"
    command = ["puma", "-e", "production", "-b", url.replace("http", "tcp"), "-t", "2:5", "config.ru"]
    log = home / "puma.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=home / "redmine", env=_environment(home), stdout=output, stderr=output
        )
        try:
            deadline = time.monotonic() + 60
            while not _is_up(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Redmine did not start; its log: {log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield RedmineServer(home=home, url=url, known=json.loads((home / "known.json").read_text()))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _made() -> Path:
    """The folder of a Redmine without issues, made where there is none of this package and these scripts."""
    content = b"".join((HERE / name).read_bytes() for name in ("seed.rb", "fix_server.py"))
    key = hashlib.sha256(content + LOCK.read_bytes() + (PROGRAM / "lib/redmine/version.rb").read_bytes())
    folder = Path(platformdirs.user_cache_dir("ims-crawler-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"redmine-{key.hexdigest()[:16]}"
    with (folder / "redmine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            building = place.with_name(f"{place.name}.{os.getpid()}")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            try:
                _make(building)
            except RuntimeError as error:
                shutil.rmtree(building, ignore_errors=True)
                pytest.skip(f"Redmine cannot be set up here: {error}")
            building.rename(place)
    return place


@pytest.fixture(scope="session")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedmineServer]:
    """A Redmine that tests may change."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("redmine") / "home"
    shutil.copytree(_made(), home, symlinks=True)
    _use_own_database(home)
    with serving(home) as server:
        fill(server)
        yield server
