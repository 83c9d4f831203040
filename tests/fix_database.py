"""Real PostgreSQL servers for the tests that need one.

``server`` is the embedded server, one a test process. A test marked with ``on_every_server`` runs on Debian's
PostgreSQL 15 as well, where that is installed. With ``IMS_TEST_DATABASE_URL``, an administrator's URL of some
PostgreSQL of version 15 or later, every test runs on that server instead.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from db.embedded import EmbeddedServer
from db.embedded.binaries import find_binaries
from db.embedded.identity import Identity, namespaces_work

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

on_every_server = pytest.mark.parametrize("server", ["embedded", "debian15"], indirect=True)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL on which a test may do as it likes with what it made itself."""

    name: str  # embedded, debian15 or given
    superuser_url: str = field(repr=False)  # for SQLAlchemy with psycopg 3

    def url(self, *, user: str | None = None, password: str | None = None, dbname: str | None = None) -> str:
        """An URL of the same server with another login or database."""
        url = make_url(self.superuser_url)
        if user is not None:
            url = url.set(username=user, password=password)
        if dbname is not None:
            url = url.set(database=dbname)
        return url.render_as_string(hide_password=False)

    def connect(
        self, *, user: str | None = None, password: str | None = None, dbname: str | None = None
    ) -> psycopg.Connection:
        """A plain psycopg connection in autocommit; as the superuser unless told otherwise."""
        url = self.url(user=user, password=password, dbname=dbname)
        return psycopg.connect(libpq_url(url), autocommit=True)


def libpq_url(url: str) -> str:
    """The same for psycopg itself, which reads neither SQLAlchemy's driver names nor its quoting."""
    parts = make_url(url)
    options = {name: str(value) for name, value in parts.query.items()}
    return make_conninfo(**options, **parts.translate_connect_args(username="user", database="dbname"))


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """The server of this test process: the embedded one, unless a test or the environment says otherwise."""
    name = getattr(request, "param", "embedded")
    given = os.environ.get("IMS_TEST_DATABASE_URL")
    if given is not None:
        if name != "embedded":
            pytest.skip("IMS_TEST_DATABASE_URL names the one server to run on")
        return Server(name="given", superuser_url=given)
    found: Server = request.getfixturevalue(f"{name}_server")
    return found


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded server in a folder of its own."""
    embedded = EmbeddedServer(tmp_path_factory.mktemp("embedded"))
    with embedded as address:
        found = Server(name="embedded", superuser_url=address.superuser_url())
        _make_fast(found)
        yield found


@pytest.fixture(scope="session")
def debian15_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's PostgreSQL 15; it ends with this process, however that ends."""
    if not (DEBIAN_15 / "postgres").exists():
        pytest.skip("PostgreSQL 15 is not installed (apt-get install postgresql-15)")
    identity = Identity("plain", os.geteuid(), os.getegid())
    if os.geteuid() == 0:
        if not namespaces_work(find_binaries()):
            pytest.skip("PostgreSQL does not run as root, and user namespaces are forbidden here")
        identity = Identity("namespace", 65534, 65534)
    folder = tmp_path_factory.mktemp("pg15")
    password = secrets.token_urlsafe()
    (folder / "password").write_text(password)
    options = ["-A", "scram-sha-256", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    command = [str(DEBIAN_15 / "initdb"), "-D", str(folder / "data"), *options]
    subprocess.run(
        identity.command(*command, "--pwfile", str(folder / "password")), check=True, capture_output=True
    )
    command = [str(DEBIAN_15 / "postgres"), "-D", str(folder / "data"), "-c", "listen_addresses="]
    command += ["-c", f"unix_socket_directories={folder}", "-c", "timezone=UTC", "-c", "jit=off"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(identity.command(*command), stdin=subprocess.DEVNULL, stderr=log) as process,
    ):
        try:
            url = f"postgresql+psycopg://postgres:{password}@/postgres?host={folder}"
            found = Server(name="debian15", superuser_url=url)
            wait_until(lambda: process.poll() is not None or _answers(found), "PostgreSQL 15 answers")
            _make_fast(found)
            yield found
        finally:
            process.send_signal(signal.SIGINT)  # fast: SIGTERM would wait for connections that are left open


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until something holds, or fail with what it was."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def _answers(server: Server) -> bool:
    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def _make_fast(server: Server) -> None:
    """A test's data need not survive a power failure."""
    with server.connect() as connection:
        for name, value in (("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off")):
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")
