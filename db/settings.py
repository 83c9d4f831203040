"""Where the data lives, which database it is, and for whom we ask.

A flag wins over a variable, a variable over a line of ``.env`` in the current folder.

| variable     | default                            | what it is                |
|--------------|------------------------------------|---------------------------|
| IMS_HOME     | the platform's user data folder    | the data folder           |
| DATABASE_URL | the embedded server under IMS_HOME | the database              |
| IMS_USER     | the operating system's login name  | the user for whom we act  |
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from dotenv import dotenv_values
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.errors import DatabaseUnfit

DOTENV = Path(".env")
_ACCOUNT = {"user", "password", "passfile", "sslpassword"}  # libpq takes them as parameters of an address too


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseSettings:
    """The settings of one run. The repr does not show the address, which has a password in it."""

    home: Path
    user: str
    database_url: str | None = field(default=None, repr=False)  # None: the embedded server


def environment(dotenv: Path = DOTENV) -> Mapping[str, str]:
    """Merge the lines of a ``.env`` file, where there is one, under the variables of the process."""
    lines = dotenv_values(dotenv) if dotenv.is_file() else {}
    return {**{name: value for name, value in lines.items() if value is not None}, **os.environ}


def read_settings(
    *,
    home: Path | None = None,
    database_url: str | None = None,
    user: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> DatabaseSettings:
    """Read the settings.

    Args:
        home: a flag's value, like the next two; None: it was not given.
        database_url: likewise.
        user: likewise.
        variables: instead of :func:`environment`.

    Raises:
        DatabaseUnfit: DATABASE_URL is not the address of a PostgreSQL.
    """
    known = environment() if variables is None else variables
    folder = home or Path(known.get("IMS_HOME") or platformdirs.user_data_path("ims-crawler"))
    url = database_url or known.get("DATABASE_URL")
    return DatabaseSettings(
        home=folder.expanduser().absolute(),
        user=user or known.get("IMS_USER") or _login_name(),
        database_url=driver_url(url) if url else None,
    )


def driver_url(url: str) -> str:
    """Return the address with our driver in it: ``postgres://`` and ``postgresql://`` are what people write.

    Raises:
        DatabaseUnfit: it is not the address of a PostgreSQL. The sentence does not repeat it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername.partition("+")[0] not in {"postgresql", "postgres"}:
        raise DatabaseUnfit(
            "DATABASE_URL is not the address of a PostgreSQL: postgresql://user:password@host/database."
        )
    return rendered(parsed.set(drivername="postgresql+psycopg"))


def rendered(url: URL) -> str:
    """Return an address as psql and the driver take it too: SQLAlchemy writes spaces in ways of its own."""
    address, mark, query = url.render_as_string(hide_password=False).partition("?")
    return address.replace(" ", "%20") + mark + query.replace("+", "%20")


def account(url: URL) -> tuple[str | None, str | None]:
    """Return the login's name and password of an address, from wherever they stand in it."""
    return url.username or _text(url.query.get("user")), url.password or _text(url.query.get("password"))


def with_account(url: URL, username: str | None, password: str | None = None) -> URL:
    """Return the address of the same database for another login, with nothing left of the first one's.

    ``URL.set`` keeps a password that it is to take away, and libpq reads accounts from the query as well.
    """
    query = {name: value for name, value in url.query.items() if name not in _ACCOUNT}
    return url._replace(username=username, password=password).set(query=query)


def _text(value: str | tuple[str, ...] | None) -> str | None:
    return value if isinstance(value, str) or value is None else value[-1]


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "ims"
