"""Setting a database up, and bringing it up to date; the only work that an administrator's login does.

Everything happens in one transaction: a database is either as it was or as it should be.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql as composing

import sql
from db.errors import DatabaseError, DatabaseRefused, DatabaseUnfit, translated
from db.queries import statements
from db.settings import driver_url, libpq_url, rendered, with_account
from db.setup import schema_version
from db.setup.schema_version import SchemaStatus, State
from db.setup.server_version import complaint

APP_LOGIN = "ims_app"
_ONE_AT_A_TIME = "LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE"
PLACEHOLDER = "PASSWORD"  # stands in an address where we do not know the password
# Another one that sets a database up is waited for; a table that somebody keeps locked is not, since whoever
# comes after us would wait as well.
_WAIT_FOR_OTHERS = "SET LOCAL lock_timeout = '5min'"
_WAIT_NO_LONGER = "SET LOCAL lock_timeout = '30s'"


if TYPE_CHECKING:
    from sqlalchemy import URL, Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class AppLogin:
    """The application's login. Its repr shows neither password nor address."""

    username: str
    password: str | None = field(repr=False)  # None: it was set before, and we do not know it
    url: str = field(repr=False)  # to use from then on, by psql too; PLACEHOLDER where we know no password


def initialise(admin_url: str, *, app_password: str | None = None, first_admin: str) -> AppLogin:
    """Make roles, schema and the first admin, and see to the application's password. Twice is once.

    Args:
        admin_url: a superuser's address of the database.
        app_password: for ``ims_app``; None: a generated one, unless it has one already.
        first_admin: the username of the first admin, made only where there is no active admin.

    Raises:
        DatabaseError: the server is unreachable or unfit, or the login is no superuser.
    """
    from sqlalchemy import make_url

    with _administering(admin_url) as connection:
        _bring_up(connection)
        _run(connection, statements("setup")["first_admin"].decode(), first_admin)
    return _see_to_login(make_url(driver_url(admin_url)), app_password)


def upgrade(admin_url: str) -> None:
    """Bring the schema of a database that was set up before up to date.

    Raises:
        DatabaseError: as in :func:`initialise`, or a newer program has set the database up.
    """
    with _administering(admin_url) as connection:
        _bring_up(connection)


def schema_status(url: str) -> SchemaStatus:
    """Tell which version of the schema a database has. Any login will do.

    Raises:
        DatabaseError: the server is unreachable or refuses the login.
    """
    with plain_connection(url) as connection:
        return schema_version.status(connection)


def ensure_user(admin_url: str, username: str) -> None:
    """Make a user on first use: an admin where there is no other user, else an ordinary one.

    For the embedded server, whose superuser is whoever runs the program.
    """
    with plain_connection(admin_url) as connection:
        connection.execute(statements("setup")["first_use"], (username, username))


def ensure_database(admin_url: str, name: str) -> None:
    """Create a database on the server where there is none of that name."""
    with plain_connection(admin_url) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            with_name = composing.SQL("CREATE DATABASE {}").format(composing.Identifier(name))
            # Another process may be faster.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(with_name)


@contextmanager
def plain_connection(url: str) -> Iterator[psycopg.Connection]:
    """A connection of the driver's own, in autocommit, whose errors are ours."""
    conninfo = libpq_url(driver_url(url))
    try:
        with closing(psycopg.connect(conninfo, autocommit=True, connect_timeout=10)) as connection:
            yield connection
    except psycopg.Error as error:
        raise translated(error) from error


@contextmanager
def _administering(admin_url: str) -> Iterator[Connection]:
    """One transaction of an administrator, alone in this database."""
    from sqlalchemy import NullPool, create_engine  # large, and for setting up only

    engine = create_engine(
        driver_url(admin_url), poolclass=NullPool, connect_args={"application_name": "ims-crawler"}
    )
    with plain_connection(admin_url) as checked:
        _check(checked)
    try:
        with engine.begin() as connection:
            _run(connection, _WAIT_FOR_OTHERS)
            yield connection
    finally:
        engine.dispose()


def _check(connection: psycopg.Connection) -> None:
    if sentence := complaint(connection.info.server_version):
        raise DatabaseUnfit(sentence)
    row = connection.execute(
        "SELECT rolsuper, current_setting('server_encoding') FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise DatabaseRefused("Setting the database up needs an administrator's DATABASE_URL, a superuser's.")
    if row[1] != "UTF8":
        raise DatabaseUnfit("The database is not encoded in UTF-8: create another one with ENCODING 'UTF8'.")
    if schema_version.status(connection).state is State.AHEAD:
        raise DatabaseUnfit("The database was set up by a newer version of this program: update the program.")


def _bring_up(connection: Connection) -> None:
    _run(connection, "SET LOCAL search_path = pg_catalog")
    # One at a time in the whole cluster, as roles belong to it. No login of ours may lock this table, while
    # an advisory key is everybody's to hold.
    _run(connection, _ONE_AT_A_TIME)
    _run(connection, _WAIT_NO_LONGER)
    _run(connection, sql.cluster("roles").text)
    _run(connection, sql.cluster("schemas").text)
    _run(connection, sql.cluster("connections").text)
    _run(connection, "SET LOCAL ROLE ims_owner")
    _migrate(connection)
    _apply_objects(connection)
    _run(connection, "RESET ROLE")
    _run(connection, sql.cluster("strangers").text)
    _run(connection, sql.cluster("statistics").text)


def _migrate(connection: Connection) -> None:
    from alembic import command  # a large import that only this needs
    from alembic.config import Config

    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _apply_objects(connection: Connection) -> None:
    applied = _run(connection, "SELECT digest FROM ims_private.applied_sql")
    if applied == sql.digest():
        return
    _run(connection, "SET LOCAL check_function_bodies = off")  # they may call each other
    for one in sql.repeatable():
        if one.as_administrator:
            _run(connection, "RESET ROLE")
        _run(connection, one.text)
        _run(connection, "SET LOCAL ROLE ims_owner")
    _run(connection, "DELETE FROM ims_private.applied_sql")
    _run(connection, "INSERT INTO ims_private.applied_sql (digest) VALUES (%s)", sql.digest())


def _run(connection: Connection, text: str, *values: object) -> object:
    """Run a text, which may be many statements where it has no values, with the driver's own cursor."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(type(driver))
    try:
        cursor = driver.execute(text.encode(), values or None)
    except psycopg.Error as error:
        raise translated(error) from error
    row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def _see_to_login(admin: URL, password: str | None) -> AppLogin:
    # Several processes may be here at the same moment: of two that change a role at once, one fails.
    with plain_connection(rendered(admin)) as connection, connection.transaction():
        connection.execute(_ONE_AT_A_TIME)
        if password is None and not _has_password(connection):
            password = secrets.token_urlsafe(24)
        url = rendered(with_account(admin, APP_LOGIN, password or PLACEHOLDER).set(drivername="postgresql"))
        if password is not None and not _lets_in(url):
            verifier = connection.pgconn.encrypt_password(
                password.encode(), APP_LOGIN.encode(), b"scram-sha-256"
            )
            connection.execute(
                composing.SQL("ALTER ROLE {} PASSWORD {}").format(
                    composing.Identifier(APP_LOGIN), composing.Literal(verifier.decode())
                )
            )
    return AppLogin(username=APP_LOGIN, password=password, url=url)


def _has_password(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = %s", (APP_LOGIN,)
    ).fetchone()
    return row is not None and bool(row[0])


def _lets_in(url: str) -> bool:
    try:
        with plain_connection(url):
            return True
    except DatabaseError:
        return False
