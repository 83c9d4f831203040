"""Where the configured database is, made ready where it is our own."""

from __future__ import annotations

import os
import secrets
import threading
from pathlib import Path

import psycopg

from db.connections import keep, open_checked
from db.embedded import EmbeddedServer, ServerAddress
from db.errors import DatabaseError
from db.files import data_folder, read_own, whole_file
from db.queries import statements
from db.settings import DatabaseSettings, libpq_url, read_settings, rendered, with_account
from db.setup import bootstrap
from db.setup.schema_version import State

DATABASE = "ims"  # its name on the embedded server
_PASSWORD_FILE = "app.password"  # noqa: S105  # where it is, not what it is

_servers: dict[Path, EmbeddedServer] = {}  # held as long as the process lives
_ready: dict[tuple[int, Path, str], str] = {}  # a forked child starts anew
_lock = threading.Lock()


def configured_url(settings: DatabaseSettings) -> str:
    """Return the application's address of the configured database.

    Without DATABASE_URL the embedded server is started, set up or brought up to date where needed, and the
    configured user is made on first use, the first one as an admin.

    Raises:
        DatabaseError: the embedded server cannot be used.
    """
    if settings.database_url is not None:
        return settings.database_url
    key = (os.getpid(), settings.home, settings.user)
    with _lock:
        if key not in _ready:
            _ready[key] = _make_ready(settings)
        return _ready[key]


def administrator_url(settings: DatabaseSettings) -> str:
    """Return an administrator's address: DATABASE_URL itself, else the embedded server's superuser.

    Raises:
        DatabaseError: the embedded server cannot be used.
    """
    if settings.database_url is not None:
        return settings.database_url
    with _lock:
        return _start(settings.home).superuser_url(DATABASE)


def login_address(login: str) -> str:
    """Return the configured database's address for a personal login, as psql takes it; without a password.

    Raises:
        DatabaseError: the embedded server cannot be used.
    """
    from sqlalchemy import make_url

    address = with_account(make_url(configured_url(read_settings())), login)
    return rendered(address.set(drivername="postgresql"))


def application_password(settings: DatabaseSettings) -> str | None:
    """The password of the application's login on the embedded server; None: on a server of one's own."""
    return None if settings.database_url is not None else _app_password(settings.home)


def embedded_server(settings: DatabaseSettings) -> EmbeddedServer | None:
    """Return the embedded server that this process holds, if it holds one."""
    return None if settings.database_url is not None else _servers.get(settings.home)


def _make_ready(settings: DatabaseSettings) -> str:
    server = _servers.setdefault(settings.home, EmbeddedServer(settings.home))
    address = server.start()
    password = _app_password(settings.home)
    url = address.url(bootstrap.APP_LOGIN, password, DATABASE)
    if not _is_ready(libpq_url(url), settings.user):
        bootstrap.ensure_database(address.superuser_url(), DATABASE)
        admin_url = address.superuser_url(DATABASE)
        if bootstrap.schema_status(admin_url).state in {State.ABSENT, State.BEHIND}:
            bootstrap.initialise(admin_url, app_password=password, first_admin=settings.user)
        bootstrap.ensure_user(admin_url, settings.user)
    return url


def _is_ready(conninfo: str, user: str) -> bool:
    """Tell whether the application gets in, finds its schema, and finds the user; the connection is kept.

    That is so at every start but the first one after an installation or an update.
    """
    try:
        connection = open_checked(conninfo)
    except (psycopg.OperationalError, DatabaseError):
        return False
    try:
        row = connection.execute(statements("asking")["known_user"], {"name": user}).fetchone()
        connection.rollback()
    except BaseException:
        connection.close()
        raise
    keep(conninfo, connection, user_id=None)
    return row == (True,)


def _start(home: Path) -> ServerAddress:
    server = _servers.setdefault(home, EmbeddedServer(home))
    address = server.start()
    bootstrap.ensure_database(address.superuser_url(), DATABASE)
    return address


def _app_password(home: Path) -> str:
    """Read the password of the application's login, or make one up; of two processes at once, one wins."""
    path = data_folder(home) / _PASSWORD_FILE
    if not path.exists():
        with whole_file(path, replace=False) as file:
            file.write(secrets.token_urlsafe(24).encode())
    return read_own(path).decode()
