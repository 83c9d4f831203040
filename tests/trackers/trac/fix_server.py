"""A real Trac: installed once per machine, booted once per run, filled; and what its own database says."""

from __future__ import annotations

import base64
import configparser
import fcntl
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
import pytest

from tests.trackers.trac import issues

VERSION = "1.6"
ACCOUNTS = {"admin": "admin-secret", "kim": "kim-secret", "outsider": "outsider-secret"}
_FILL = Path(__file__).with_name("fill.py")

_SETTINGS = """
[ticket-custom]
customer = text
customer.label = Customer
customer.format = wiki
site = text
urgent = checkbox
urgent.label = Is it urgent
colour = select
colour.options = |red|green
notes = textarea
notes.label = Notes
notes.format = wiki
due = time
due.label = Due
due.format = relative
tags = text
tags.format = list
"""

# Hides tickets with the keyword "private" from all but administrators, as plugins do, and all from one user.
_PRIVATE = """
from trac.core import Component, implements
from trac.perm import IPermissionPolicy
from trac.ticket.model import Ticket

class PrivatePolicy(Component):
    implements(IPermissionPolicy)

    def check_permission(self, action, username, resource, perm):
        if username == "outsider" and action == "TICKET_VIEW":
            return False
        while resource is not None and resource.realm != "ticket":
            resource = resource.parent
        if resource is None or not resource.id or action == "TRAC_ADMIN" or "TRAC_ADMIN" in perm:
            return None
        for keywords, in self.env.db_query("SELECT keywords FROM ticket WHERE id=%s", (int(resource.id),)):
            return False if "private" in (keywords or "") else None
"""


# What `tracd` does, with the modules it will need taken out of the garbage collector's sight: Trac collects
# garbage after every request, which is half of the time that a request takes.
_SERVE = """
import gc
import trac.db.sqlite_backend, trac.prefs.web_ui, trac.search.web_ui, trac.ticket.query, trac.ticket.report
import trac.ticket.roadmap, trac.timeline.web_ui, trac.versioncontrol.web_ui, trac.web.standalone
import trac.wiki.web_ui
getattr(gc, "freeze", gc.collect)()
trac.web.standalone.main()
"""


@dataclass(frozen=True, kw_only=True)
class TicketFacts:
    """What Trac's database says about one ticket."""

    fields: dict[str, Any]  # the row of `ticket`, times as aware datetimes
    custom: dict[str, str]
    comments: dict[
        int, tuple[str, str, datetime]
    ]  # number: author, text as wiki markup, time; without empty ones
    changes: list[tuple[datetime, str, str, str, str]]  # time, author, field, old, new, in Trac's order
    edits: list[tuple[int, datetime, str, str]]  # number of the comment, time, author, the wording before
    attachments: dict[str, tuple[int, datetime, str, str]] = field(
        default_factory=dict
    )  # name: size, time, text, author


def moment(microseconds: int) -> datetime:
    """Read a time as Trac stores it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def read_facts(environment: Path, unit: int = 1) -> dict[int, TicketFacts]:
    """Read every ticket, comment, change and attachment from Trac's own SQLite database.

    Args:
        environment: of the Trac.
        unit: of its times, in microseconds.
    """
    db = sqlite3.connect(f"file:{environment / 'db' / 'trac.db'}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        return {row["id"]: _facts_of(db, row, unit) for row in db.execute("SELECT * FROM ticket ORDER BY id")}
    finally:
        db.close()


def _facts_of(db: sqlite3.Connection, row: sqlite3.Row, unit: int) -> TicketFacts:
    number = row["id"]
    fields = dict(row)
    fields["time"], fields["changetime"] = moment(fields["time"] * unit), moment(fields["changetime"] * unit)
    comments: dict[int, tuple[str, str, datetime]] = {}
    changes, numbers = [], {}
    edits: list[tuple[int, datetime, str, str]] = []
    rows = db.execute(
        "SELECT * FROM ticket_change WHERE ticket=? ORDER BY time, author, field", (number,)
    ).fetchall()
    for change in rows:
        if change["field"] == "comment":
            numbers[change["time"]] = int((change["oldvalue"] or "").rsplit(".", 1)[-1])
            if change["newvalue"]:
                comments[numbers[change["time"]]] = (
                    change["author"],
                    change["newvalue"],
                    moment(change["time"] * unit),
                )
    for change in rows:
        old, new = change["oldvalue"] or "", change["newvalue"] or ""
        if change["field"].startswith("_comment"):
            edits.append((numbers[change["time"]], moment(int(new)), change["author"], old))
        elif change["field"] != "comment" and old != new:
            changes.append((moment(change["time"] * unit), change["author"], change["field"], old, new))
    custom = db.execute(
        "SELECT name, value FROM ticket_custom WHERE ticket=? AND value IS NOT NULL", (number,)
    )
    attached = db.execute(
        "SELECT * FROM attachment WHERE type='ticket' AND id=? ORDER BY time", (str(number),)
    )
    return TicketFacts(
        fields=fields,
        custom=dict(custom.fetchall()),
        comments=comments,
        changes=changes,
        edits=sorted(edits),
        attachments={
            a["filename"]: (a["size"], moment(a["time"] * unit), a["description"], a["author"])
            for a in attached
        },
    )


@dataclass(frozen=True, kw_only=True)
class TracServer:
    """A running Trac."""

    url: str
    environment: Path
    python: Path
    log: Path
    username: str = "admin"
    password: str = ACCOUNTS["admin"]
    version: str = VERSION

    def facts(self) -> dict[int, TicketFacts]:
        """Say what is in Trac's database at this moment."""
        second = 1_000_000 if release_of(self.version) < (0, 12) else 1
        return read_facts(self.environment, second)

    def fill(self, issues: list[issues.Issue], components: tuple[str, ...] = ()) -> list[int]:
        """Insert tickets, or let more happen to those that have an ``id``; returns their numbers."""
        given = json.dumps({"components": components, "issues": issues})
        return list(json.loads(run([self.python, _FILL, self.environment], given)))

    def sql(self, statement: str, *values: object) -> None:
        """Do something behind Trac's back, such as letting every login expire."""
        db = sqlite3.connect(self.environment / "db" / "trac.db", timeout=10)
        with db:
            db.execute(statement, values)
        db.close()


def run(command: list[Any], given: str = "") -> str:
    """Run a command to its end, and return what it prints."""
    done = subprocess.run(
        [str(part) for part in command],
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _make_venv(place: Path) -> None:
    building = place.with_name(f"{place.name}.{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    run([sys.executable, "-m", "venv", building])
    pip = [building / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        run([*pip, f"Trac=={VERSION}", "setuptools<81", "Babel"])  # Babel: its languages
    except RuntimeError as error:
        shutil.rmtree(building, ignore_errors=True)
        pytest.skip(f"Trac {VERSION} cannot be installed here: {error}")
    building.rename(place)


@pytest.fixture(scope="session")
def trac_python() -> Path:
    """The interpreter of an environment that has Trac, made once per machine."""
    folder = Path(platformdirs.user_cache_dir("ims-crawler-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"trac-{VERSION}-babel-py{sys.version_info.major}.{sys.version_info.minor}"
    with (folder / "trac.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _make_venv(place)
    return place / "bin" / "python"


def release_of(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(part) for part in version.split(".")[:2])


def _hashed(password: str) -> str:
    """Hash a password in the one form of an htpasswd file that needs no system library."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "{SHA}" + base64.b64encode(digest).decode()


def _digested(user: str, password: str) -> str:
    return hashlib.md5(f"{user}:trac:{password}".encode(), usedforsecurity=False).hexdigest()


def make_environment(python: Path, folder: Path, *, version: str = VERSION) -> Path:
    """A Trac without tickets, in a folder of its own."""
    environment = folder / "env"
    admin = [python, "-m", "trac.admin.console", environment]
    repository = ["svn", ""] if release_of(version) < (1, 0) else []
    run([*admin, "initenv", "기록 Tracker", "sqlite:db/trac.db", *repository])
    run([*admin, "permission", "add", "admin", "TRAC_ADMIN"])
    settings = environment / "conf" / "trac.ini"
    text = settings.read_text("utf-8")
    if release_of(version) >= (1, 0):
        (environment / "plugins" / "private.py").write_text(_PRIVATE)
        text = text.replace("permission_policies = ", "permission_policies = PrivatePolicy, ")
        hashed = _hashed
    else:  # a form that these know

        def hashed(password: str) -> str:
            return run([python, "-c", f"import crypt; print(crypt.crypt({password!r}, 'ab'))"]).strip()

    lines = _SETTINGS.splitlines(keepends=True)
    if release_of(version) < (1, 2):  # times are no kind of field yet
        lines = [line for line in lines if not line.startswith("due")]
    settings.write_text(text + "".join(lines), "utf-8")
    lines = [f"{user}:{hashed(password)}\n" for user, password in ACCOUNTS.items()]
    (folder / "htpasswd").write_text("".join(lines))
    digests = [f"{user}:trac:{_digested(user, password)}\n" for user, password in ACCOUNTS.items()]
    (folder / "htdigest").write_text("".join(digests))
    return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback address
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


@pytest.fixture(scope="session")
def trac(trac_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracServer]:
    """A Trac with all of our tickets, real ones included where they are at hand.

    Its server lives in Korea, so that whoever forgets a time zone is nine hours off.
    """
    folder = tmp_path_factory.mktemp("trac")
    environment = make_environment(trac_python, folder)
    server = TracServer(url="", environment=environment, python=trac_python, log=folder / "tracd.log")
    filled = [*issues.own_issues(), *issues.hostile_issues(), *issues.real_issues()]
    server.fill(filled, issues.COMPONENTS)
    with serving(server) as running:
        yield running


def configure(server: TracServer, **sections: dict[str, str]) -> None:
    """Change settings of a Trac that is not running."""
    file = server.environment / "conf" / "trac.ini"
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(file, "utf-8")
    settings.read_dict(sections)
    with file.open("w", encoding="utf-8") as output:
        settings.write(output)


def copy_of(trac: TracServer, folder: Path) -> TracServer:
    """Another Trac of the same tickets; it is not running."""
    environment = folder / "env"
    shutil.copytree(trac.environment, environment)
    for name in ("htpasswd", "htdigest"):
        shutil.copy(trac.environment.parent / name, folder)
    return replace(trac, url="", environment=environment, log=folder / "tracd.log")


@contextmanager
def serving(
    server: TracServer, *, zone: str = "Asia/Seoul", login: str = "basic", plugins: Path | None = None
) -> Iterator[TracServer]:
    """Run `tracd` for a Trac that is there; at its own port, where it has had one.

    Args:
        server: the Trac.
        zone: where it lives.
        login: `basic`, `digest`, or `none` where a plugin sees to it.
        plugins: a folder with more packages.
    """
    folder, environment, log = server.environment.parent, server.environment, server.log
    port = urlsplit(server.url).port or _free_port()
    url = f"http://127.0.0.1:{port}"
    logins = {
        "basic": [f"--basic-auth=*,{folder / 'htpasswd'},trac"],
        "digest": [f"--auth=*,{folder / 'htdigest'},trac"],
        "none": [],
    }
    command = [
        server.python,
        "-c",
        _SERVE,
        "-s",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        *logins[login],
        environment,
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=output,
            env={**os.environ, "TZ": zone, **({"PYTHONPATH": str(plugins)} if plugins else {})},
        )
        try:
            if not _wait_until_up(url, process):
                raise RuntimeError(f"tracd did not start; its log: {log.read_text()}")
            yield replace(server, url=url)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
