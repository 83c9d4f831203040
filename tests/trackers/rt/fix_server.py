"""A real Request Tracker: made and filled once per machine of Debian's packages, booted for each module."""

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

PROGRAM = Path("/usr/share/request-tracker5/libexec/rt-server")
VERSION = Path("/usr/share/request-tracker5/lib/RT/Generated.pm")
HERE = Path(__file__).parent
PASSWORD = "kim-secret"
# Times in questions are of the account's zone, which is the server's: whoever forgets it is nine hours off.
ZONE = "Asia/Seoul"
_LIMIT = 120  # seconds for one of its programs


@dataclass(kw_only=True)
class RtServer:
    """A running Request Tracker."""

    home: Path
    url: str = ""
    known: dict[str, Any] = field(default_factory=dict)  # tokens of accounts

    def token(self, who: str = "kim") -> str:
        """An account's authentication token."""
        return str(self.known["tokens"][who])

    def get(self, path: str, who: str = "kim") -> Any:
        """What it answers, as JSON."""
        return self._ask("GET", path, None, who)

    def send(self, method: str, path: str, document: dict[str, Any]) -> Any:
        """Change something as kim."""
        return self._ask(method, path, json.dumps(document).encode(), "kim")

    def asked(self, path: str) -> int:
        """How often something below a path was asked for until now, by its own log."""
        return (self.home / "server.log").read_text("utf-8", "replace").count(f'"GET /REST/2.0/{path}')

    def _ask(self, method: str, path: str, body: bytes | None, who: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}/REST/2.0/{path}",
            data=body,
            method=method,
            headers={"Authorization": f"token {self.token(who)}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
            text = answer.read()
        return json.loads(text) if text.strip() else None


def missing() -> str | None:
    """Why there is no Request Tracker here; None: there is one."""
    programs = [name for name in ("plackup", "perl", "rt-setup-database-5") if shutil.which(name) is None]
    if programs or not PROGRAM.exists():
        return (
            "There is no Request Tracker here: as root, apt-get install request-tracker5 rt5-db-sqlite"
            " rt5-standalone starlet."
        )
    return None


def _configure(home: Path, port: int) -> None:
    lines = [
        "Set($rtname, 'example.com'); Set($Organization, 'example.com'); Set($WebPath, '');",
        f"Set($WebDomain, '127.0.0.1'); Set($WebPort, {port}); Set($Timezone, '{ZONE}');",
        "Set($CorrespondAddress, 'rt@example.com'); Set($CommentAddress, 'rtc@example.com');",
        f"Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{home / 'database'}');",
        "Set($WebSessionClass, 'Apache::Session::File'); Set($MailCommand, 'testfile');",
        "Set($LogToSyslog, undef); Set($LogToSTDERR, 'error');",
        # With its own number of rounds each request spends a quarter of a second on the token.
        "Set($BcryptCost, 4);",
        # Beside the usual one a lifecycle whose words nobody knows.
        "my $from = [qw(new open shelved), 'wrapped up', 'deleted'];",
        "Set(%Lifecycles, slow => { initial => ['new'], active => ['open', 'shelved'],",
        "  inactive => ['wrapped up', 'deleted'], defaults => { on_create => 'new' }, rights => {},",
        "  actions => [], transitions => { '' => ['new'], map { $_ => $from } @$from } },",
        "  __maps__ => { map { $_ => { new => 'new', open => 'open' } } 'default -> slow',",
        "    'slow -> default' });",
        f"$RT::MasonDataDir = '{home / 'obj'}'; $RT::VarPath = '{home}';",
        f"$RT::MasonSessionDir = '{home / 'session'}'; 1;",
    ]
    for folder in ("etc.d", "obj", "session"):
        (home / folder).mkdir(exist_ok=True)
    (home / "RT_SiteConfig.pm").write_text("\n".join(lines) + "\n")


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "RT_SITE_CONFIG": str(home / "RT_SiteConfig.pm"),
        "RT_SITE_CONFIG_DIR": str(home / "etc.d"),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
    }


def _run(home: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=home, env=_environment(home), capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def _make(home: Path) -> None:
    """A database with people and tickets."""
    _configure(home, 80)
    try:
        _run(home, "rt-setup-database-5", "--action", "init", "--skip-create")
    except RuntimeError as error:
        pytest.skip(f"Request Tracker cannot be set up here: {error}")
    (home / "known.json").write_text(_run(home, "perl", str(HERE / "seed.pl")).strip().splitlines()[-1])


def _made() -> Path:
    """The folder of a filled one, made where there is none of this package and these scripts."""
    content = b"".join((HERE / name).read_bytes() for name in ("seed.pl", "fix_server.py"))
    key = hashlib.sha256(content + VERSION.read_bytes())
    folder = Path(platformdirs.user_cache_dir("ims-crawler-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"rt-{key.hexdigest()[:16]}"
    with (folder / "rt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            building = place.with_name(f"{place.name}.{os.getpid()}")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            _make(building)
            building.rename(place)
    return place


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/REST/2.0/rt", timeout=20):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


@contextmanager
def serving(home: Path) -> Iterator[RtServer]:
    """Run the Request Tracker of a folder."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    _configure(home, port)
    command = ["plackup", "-s", "Starlet", "--host", "127.0.0.1", "--port", str(port), "--max-workers", "2"]
    log = home / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, str(PROGRAM)],
            cwd=home,
            env=_environment(home),
            stdout=output,
            stderr=output,
        )
        try:
            deadline = time.monotonic() + 60
            while not _is_up(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Request Tracker did not start; its log: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield RtServer(home=home, url=url, known=json.loads((home / "known.json").read_text()))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtServer]:
    """A Request Tracker that the tests of a module may change."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    home = tmp_path_factory.mktemp("rt") / "home"
    shutil.copytree(_made(), home)
    with serving(home) as server:
        yield server
