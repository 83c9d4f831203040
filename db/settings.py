"""Where the data lives, which database it is, and for whom we ask.

A flag wins over a variable, a variable over a line of ``.env`` in the current folder. That file is believed
only where it is ours and nobody else may write it: the folder may be anybody's.

| variable     | default                            | what it is                |
|--------------|------------------------------------|---------------------------|
| IMS_HOME     | the platform's user data folder    | the data folder           |
| DATABASE_URL | the embedded server under IMS_HOME | the database              |
| IMS_USER     | the operating system's login name  | the user for whom we act  |
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import DatabaseUnfit, DataFolderForbidden
from db.files import read_own

if TYPE_CHECKING:
    from sqlalchemy import URL

DOTENV = Path(".env")
_ACCOUNT = {
    "user",
    "password",
    "passfile",
    "sslpassword",
    "oauth_client_secret",
}  # libpq takes them as parameters of an address too

_NAME = r"[A-Za-z0-9._~-]+"
# An address in which nothing is quoted, and that has at most one parameter: it stays as it is.
_PLAIN = re.compile(
    rf"(?:postgresql(?:\+psycopg)?|postgres)://({_NAME}(?::{_NAME})?@[A-Za-z0-9.-]+(?::[1-9][0-9]{{0,4}})?/{_NAME}"
    rf"(?:\?(?!user=|password=)[a-z_]+={_NAME})?)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseSettings:
    """The settings of one run. The repr does not show the address, which has a password in it."""

    home: Path
    user: str
    database_url: str | None = field(default=None, repr=False)  # None: the embedded server


def environment(dotenv: Path = DOTENV) -> Mapping[str, str]:
    """Merge the lines of a ``.env`` file, where there is one of ours, under the variables of the process.

    Nothing in it is expanded. Its DATABASE_URL counts only beside a line of ours (``IMS_…``): many programs
    have such a file, and their database is not meant for us.

    Raises:
        DatabaseUnfit: it is not text in UTF-8, or cannot be read.
    """
    return {**_lines(dotenv), **os.environ}


def address_source(dotenv: Path = DOTENV) -> str | None:
    """The file that the database's address comes from; None: a variable, or there is none."""
    if "DATABASE_URL" in os.environ or "DATABASE_URL" not in _lines(dotenv):
        return None
    return str(dotenv.absolute())


def _lines(dotenv: Path) -> dict[str, str]:
    if not dotenv.is_file():
        return {}
    try:
        text = read_own(dotenv.absolute()).decode("utf-8-sig")
    except DataFolderForbidden as error:
        _warn_once(str(error))
        return {}
    except OSError as error:
        raise DatabaseUnfit(f"{dotenv.absolute()} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DatabaseUnfit(f"{dotenv.absolute()} is not text in UTF-8: save it as UTF-8.")
    from dotenv import dotenv_values  # only where there is such a file

    read = dotenv_values(stream=StringIO(text), interpolate=False)
    lines = {name: value for name, value in read.items() if value is not None}
    if not any(name.startswith("IMS_") for name in lines):
        lines.pop("DATABASE_URL", None)
    return lines


@cache
def _warn_once(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201 - before there is a log that it could go to


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
        DatabaseUnfit: DATABASE_URL is not the address of a PostgreSQL, or there is no folder for the data.
    """
    known = environment() if variables is None else variables
    given = known.get("IMS_HOME")
    url = database_url or known.get("DATABASE_URL")
    return DatabaseSettings(
        home=_data_folder(home or (Path(given) if given else None)),
        user=user or known.get("IMS_USER") or _login_name(),
        database_url=driver_url(url) if url else None,
    )


def driver_url(url: str) -> str:
    """Return the address with our driver in it: ``postgres://`` and ``postgresql://`` are what people write.

    Raises:
        DatabaseUnfit: it is not the address of a PostgreSQL. The sentence does not repeat it.
    """
    if plain := _PLAIN.fullmatch(url):
        return f"postgresql+psycopg://{plain[1]}"
    return _parsed(url)


def _parsed(url: str) -> str:
    from sqlalchemy import make_url  # a large import, for addresses in which something is quoted or moved
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername.partition("+")[0] not in {"postgresql", "postgres"}:
        raise DatabaseUnfit(
            "DATABASE_URL is not the address of a PostgreSQL: postgresql://user:password@host/database."
        )
    return rendered(_without_account_in_query(parsed).set(drivername="postgresql+psycopg"))


def _without_account_in_query(url: URL) -> URL:
    """Put the name and password of ``?user=…&password=…`` where others look for them; libpq takes both."""
    user, password = (url.normalized_query.get(name, ())[-1:] for name in ("user", "password"))
    bare = url.difference_update_query(["user", "password"])
    return bare.set(username=user[0] if user else None, password=password[0] if password else None)


def rendered(url: URL) -> str:
    """Return an address as psql and the driver take it too: SQLAlchemy writes spaces in ways of its own."""
    address, mark, query = url.render_as_string(hide_password=False).partition("?")
    return address.replace(" ", "%20") + mark + query.replace("+", "%20")


def libpq_url(url: str) -> str:
    """Return an address of :func:`driver_url` for the driver itself, which knows nothing of driver names."""
    return "postgresql://" + url.removeprefix("postgresql+psycopg://")


def account(url: URL) -> tuple[str | None, str | None]:
    """Return the login's name and password of an address, from wherever they stand in it."""
    return url.username or _text(url.query.get("user")), url.password or _text(url.query.get("password"))


def for_psql(url: str) -> tuple[str, str]:
    """Return an address as psql takes it and, apart from it, the password: others see arguments."""
    from sqlalchemy import make_url

    user, password = account(make_url(url))
    return rendered(with_account(make_url(url), user).set(drivername="postgresql")), password or ""


def with_account(url: URL, username: str | None, password: str | None = None) -> URL:
    """Return the address of the same database for another login, with nothing left of the first one's.

    ``URL.set`` keeps a password that it is to take away, and libpq reads accounts from the query as well.
    """
    query = {name: value for name, value in url.query.items() if name not in _ACCOUNT}
    return url._replace(username=username, password=password).set(query=query)


def personal_url(url: str, username: str, password: str) -> str:
    """Return the address of the same database for somebody who said a password, which is then asked for.

    Otherwise a server that trusts this machine's accounts would let in whoever asks through us, and the
    driver would look for a password of this account's own.
    """
    from sqlalchemy import make_url

    theirs = with_account(make_url(driver_url(url)), username, password)
    return rendered(theirs.update_query_dict({"require_auth": "scram-sha-256,md5,password"}))


def _text(value: str | tuple[str, ...] | None) -> str | None:
    return value if isinstance(value, str) or value is None else value[-1]


def _data_folder(given: Path | None) -> Path:
    if given is None:
        import platformdirs

        given = platformdirs.user_data_path("ims-crawler")
    try:
        return given.expanduser().absolute()
    except RuntimeError as error:  # an account without a name and without HOME
        raise DatabaseUnfit(
            "This account has no home folder: set IMS_HOME to a folder of its own."
        ) from error


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "ims"
