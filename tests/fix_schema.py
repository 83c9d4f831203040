"""Databases with the program's schema, a fresh one for each test, cloned from one template a server.

They have four users and nothing else: ``root`` (1, admin), ``alice`` (2), ``bob`` (3), ``ana`` (4, readonly).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from sqlalchemy.orm import Session

from db import get_session
from db.bootstrap import ensure_database, initialise
from db.engine import dispose_engines
from tests.fix_database import Server, libpq_url

ROOT, ALICE, BOB, ANA = 1, 2, 3, 4
APP_PASSWORD = "made-up-for-tests"
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database with the program's schema and four users."""

    server: Server
    name: str
    app_url: str = field(repr=False)  # the application's login, for get_session and create_engine

    @property
    def superuser_url(self) -> str:
        """The superuser's address of this database."""
        return self.server.url(dbname=self.name)

    def session(self, user_id: int) -> AbstractContextManager[Session]:
        """A session that acts for a user."""
        return get_session(user_id=user_id, url=self.app_url)

    def superuser(self) -> psycopg.Connection:
        """A superuser's connection in autocommit, past all row security."""
        return self.server.connect(dbname=self.name)

    def app(self, *, autocommit: bool = False) -> psycopg.Connection:
        """A plain connection of the application's login, without an identity."""
        return psycopg.connect(libpq_url(self.app_url), autocommit=autocommit)

    def login(self, user: str, password: str) -> psycopg.Connection:
        """A plain connection of a personal login, in autocommit."""
        return self.server.connect(user=user, password=password, dbname=self.name)


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """The template of each server that has one: tests may go to and fro between servers."""
    return {}


@pytest.fixture(scope="session")
def template(server: Server, templates: dict[str, str]) -> str:
    """The name of a database that has been set up and that nobody is connected to."""
    if server.name not in templates:
        templates[server.name] = make_template(server)
    return templates[server.name]


def make_template(server: Server) -> str:
    name = f"template_{os.getpid()}"
    ensure_database(server.superuser_url, name)
    initialise(server.url(dbname=name), app_password=APP_PASSWORD, first_admin="root")
    with server.connect(dbname=name) as connection:
        connection.execute(
            "INSERT INTO ims.users (username, role) "
            "VALUES ('alice', 'user'), ('bob', 'user'), ('ana', 'readonly')"
        )
        connection.execute("TRUNCATE ims.audit_log RESTART IDENTITY")
    return name


@pytest.fixture
def database(server: Server, template: str) -> Iterator[Database]:
    """A fresh database of this test's own."""
    with fresh_database(server, template) as made:
        yield made


@contextmanager
def fresh_database(server: Server, template: str) -> Iterator[Database]:
    """Clone a database, and drop it at the end with everybody who is still connected."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with server.connect() as connection:
        # With fsync off, copying files is the faster of the two ways.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield Database(
            server=server, name=name, app_url=server.url(user="ims_app", password=APP_PASSWORD, dbname=name)
        )
    finally:
        dispose_engines()
        with server.connect() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
