"""A database in which alice, bob and root have rows in every table, and the identities that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql as composing

from db.personal_login import create_personal_login
from tests.fix_database import Server
from tests.fix_schema import ALICE, ANA, BOB, ROOT, Database, fresh_database

PASSWORD = "a-made-up-one"
# A row of the acting user in every table, by hand: what people may leave out, is left out.
SEEDS = (
    "INSERT INTO ims.trackers (name, kind, base_url) VALUES ('desk', 'trac', 'http://localhost')",
    "INSERT INTO ims.tracker_secrets (tracker_id, secret) "
    "SELECT tracker_id, '\\x00' FROM ims.trackers WHERE {mine}",
    "INSERT INTO ims.crawl_sessions (tracker_id, original_query) "
    "SELECT tracker_id, '+crash' FROM ims.trackers WHERE {mine}",
    "INSERT INTO ims.issues (tracker_id, issue_id, title, description) "
    "SELECT tracker_id, '1', 'crash', 'it crashes' FROM ims.trackers WHERE {mine}",
    "INSERT INTO ims.session_frontier (session_id, issue_id, position) "
    "SELECT session_id, '1', 0 FROM ims.crawl_sessions WHERE {mine}",
    "INSERT INTO ims.session_issues (session_id, issue_pk) "
    "SELECT session_id, issue_pk FROM ims.crawl_sessions JOIN ims.issues USING (user_id) WHERE {mine}",
    "INSERT INTO ims.session_errors (session_id, error_type) "
    "SELECT session_id, 'PageRejected' FROM ims.crawl_sessions WHERE {mine}",
    "INSERT INTO ims.raw_pages (tracker_id, issue_id, body, size, sha256) "
    "SELECT tracker_id, '1', '\\x00', 1, '\\x00' FROM ims.trackers WHERE {mine}",
    "INSERT INTO ims.issue_comments (issue_pk, content) "
    "SELECT issue_pk, 'me too' FROM ims.issues WHERE {mine}",
    "INSERT INTO ims.issue_history (issue_pk) SELECT issue_pk FROM ims.issues WHERE {mine}",
    "INSERT INTO ims.issue_relations (issue_pk, related_issue_id) "
    "SELECT issue_pk, '2' FROM ims.issues WHERE {mine}",
    "INSERT INTO ims.attachments (issue_pk, filename) "
    "SELECT issue_pk, 'log.txt' FROM ims.issues WHERE {mine}",
    "INSERT INTO ims.search_queries (original_query) VALUES ('+crash')",
    "INSERT INTO ims.saved_searches (name, query) VALUES ('crashes', '+crash')",
    "INSERT INTO ims.runs (saved_search_id, session_id) "
    "SELECT saved_search_id, session_id FROM ims.saved_searches JOIN ims.crawl_sessions USING (user_id) "
    "WHERE {mine}",
    "INSERT INTO ims.session_chunks (session_id, chunk_number, first_position, last_position) "
    "SELECT session_id, 1, 0, 0 FROM ims.crawl_sessions WHERE {mine}",
    "INSERT INTO ims.analytics_daily (stat_date) VALUES ('2026-01-01')",
    "INSERT INTO ims.analytics_monthly (year, month) VALUES (2026, 1)",
    "INSERT INTO ims.issue_summaries (period, period_start) VALUES ('day', '2026-01-01')",
    "INSERT INTO ims.summary_refreshes DEFAULT VALUES",
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Somebody with a connection."""

    name: str
    connection: psycopg.Connection  # not in autocommit
    user_id: int | None  # as whom they look
    acts_for: int | None = None  # whom ims.set_current_user names at each transaction's start
    role: str | None = None  # what SET ROLE takes at each transaction's start
    sees_all: bool = False
    writes_all: bool = False
    writes: bool = True

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A transaction that leaves nothing."""
        try:
            if self.acts_for is not None:
                self.connection.execute("SELECT ims.set_current_user(%s)", (self.acts_for,))
            if self.role is not None:
                self.connection.execute(
                    composing.SQL("SET LOCAL ROLE {}").format(composing.Identifier(self.role))
                )
            yield self.connection
        finally:
            self.connection.rollback()


IDENTITIES = (
    "alice's login",
    "bob's login",
    "ana's login",
    "root's login",
    "an unmapped login",
    "the application",
    "the application as alice",
    "the application as bob",
    "the application as an analyst",
    "the application as an admin",
    "the owner",
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with what is really in it, past row security."""

    columns: tuple[str, ...]  # without identity columns, which nobody gives
    rows: dict[int, list[tuple[str | None, ...]]]  # by user; every value as text


@dataclass(frozen=True, kw_only=True)
class World:
    """The database and who looks at it."""

    database: Database
    identities: dict[str, Identity]
    logins: dict[int, str]  # the personal logins' names, by user
    tables: dict[str, Table]  # of the schema ims, from the catalogue

    def count(self, table: str, user_id: int) -> int:
        """How many rows of a user are really there, past row security."""
        return len(self.tables[table].rows.get(user_id, ()))

    def login(self, user_id: int) -> psycopg.Connection:
        """A fresh connection of a user's personal login, in autocommit."""
        return self.database.login(self.logins[user_id], PASSWORD)


@pytest.fixture(scope="module")
def world(server: Server, template: str) -> Iterator[World]:
    """A world for a module's tests; they leave it as it was."""
    with fresh_database(server, template) as database, settled(database) as made:
        yield made


@contextmanager
def settled(database: Database) -> Iterator[World]:
    """Fill a fresh database and open everybody's connection."""
    logins = {user_id: f"{name}_{database.name}" for user_id, name in _NAMES.items()}
    stranger = f"stranger_{database.name}"
    identities: dict[str, Identity] = {}
    try:
        with database.session(ROOT) as session:
            for user_id, name in _NAMES.items():
                create_personal_login(session, name, PASSWORD, login=logins[user_id])
        with database.superuser() as connection:
            connection.execute(f"CREATE ROLE {stranger} LOGIN PASSWORD '{PASSWORD}' IN ROLE ims_user")
        _seed(database)
        identities = {identity.name: identity for identity in _identities(database, logins, stranger)}
        yield World(database=database, identities=identities, logins=logins, tables=tables_of(database))
    finally:
        for identity in identities.values():
            identity.connection.close()
        with database.superuser() as connection:
            for name in (*logins.values(), stranger):
                connection.execute(f"DROP ROLE IF EXISTS {name}")


_NAMES = {ROOT: "root", ALICE: "alice", BOB: "bob", ANA: "ana"}


def tables_of(database: Database) -> dict[str, Table]:
    """Every table of the schema ims, whoever made it."""
    with database.superuser() as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'ims'::regnamespace "
            "AND relkind IN ('r', 'p', 'f', 'm') ORDER BY relname"
        ).fetchall()
        return {name: _table(connection, name) for (name,) in names}


def _table(connection: psycopg.Connection, name: str) -> Table:
    columns = [
        row[0]
        for row in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = ('ims.' || quote_ident(%s))::regclass "
            "AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum",
            (name,),
        )
    ]
    texts = composing.SQL(", ").join(
        composing.SQL("{}::text").format(composing.Identifier(column)) for column in columns
    )
    query = composing.SQL("SELECT user_id, {} FROM ims.{}").format(texts, composing.Identifier(name))
    rows: dict[int, list[tuple[str | None, ...]]] = {}
    for user_id, *values in connection.execute(query):
        rows.setdefault(user_id, []).append(tuple(values))
    return Table(columns=tuple(columns), rows=rows)


def _seed(database: Database) -> None:
    with database.app() as connection:
        for user_id in (ROOT, ALICE, BOB):
            with connection.transaction():
                connection.execute("SELECT ims.set_current_user(%s)", (user_id,))
                for statement in SEEDS:
                    connection.execute(statement.format(mine="user_id = ims.current_user_id()").encode())
    connection.close()
    with database.superuser() as superuser:  # ana was no analyst when she stored a password
        superuser.execute(
            "WITH made AS (INSERT INTO ims.trackers (user_id, name, kind, base_url) "
            "              VALUES (%s, 'desk', 'trac', 'http://localhost') RETURNING tracker_id, user_id) "
            "INSERT INTO ims.tracker_secrets (tracker_id, user_id, secret) SELECT *, '\\x00' FROM made",
            (ANA,),
        )


def _identities(database: Database, logins: dict[int, str], stranger: str) -> Iterator[Identity]:
    def personal(login: str) -> psycopg.Connection:
        connection = database.login(login, PASSWORD)
        connection.autocommit = False
        return connection

    yield Identity(name="alice's login", connection=personal(logins[ALICE]), user_id=ALICE)
    yield Identity(name="bob's login", connection=personal(logins[BOB]), user_id=BOB)
    yield Identity(
        name="ana's login", connection=personal(logins[ANA]), user_id=ANA, sees_all=True, writes=False
    )
    yield Identity(
        name="root's login", connection=personal(logins[ROOT]), user_id=ROOT, sees_all=True, writes_all=True
    )
    yield Identity(name="an unmapped login", connection=personal(stranger), user_id=None)
    yield Identity(name="the application", connection=database.app(), user_id=None)
    yield Identity(name="the application as alice", connection=database.app(), user_id=ALICE, acts_for=ALICE)
    yield Identity(name="the application as bob", connection=database.app(), user_id=BOB, acts_for=BOB)
    yield Identity(
        name="the application as an analyst",
        connection=database.app(),
        user_id=ANA,
        acts_for=ANA,
        sees_all=True,
        writes=False,
    )
    yield Identity(
        name="the application as an admin",
        connection=database.app(),
        user_id=ROOT,
        acts_for=ROOT,
        sees_all=True,
        writes_all=True,
    )
    owner = database.superuser()
    owner.autocommit = False
    yield Identity(name="the owner", connection=owner, user_id=None, role="ims_owner")
