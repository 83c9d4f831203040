"""Which version of the schema a database has, and which one this program needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import psycopg

import sql

_QUERY = b"""
SELECT to_regnamespace('ims') IS NOT NULL
   AND EXISTS (SELECT FROM pg_catalog.pg_proc
               WHERE pronamespace = to_regnamespace('ims') AND proname = 'schema_version')
"""


class State(StrEnum):
    """How a database's schema stands to the program's."""

    ABSENT = "absent"  # db init
    BEHIND = "behind"  # db upgrade
    CURRENT = "current"
    AHEAD = "ahead"  # a newer program has been here


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaStatus:
    """What a database has."""

    state: State
    revision: str | None  # of the last migration
    head: str  # the program's own


@cache
def head() -> str:
    """Return the revision of the newest migration, without loading the machinery that runs it."""
    names = (one.name for one in (files("db.migrations") / "versions").iterdir())
    return max(name[1:5] for name in names if name.startswith("v") and name.endswith(".py"))


def status(connection: psycopg.Connection) -> SchemaStatus:
    """Look at a database; the login needs no rights but to connect.

    Raises:
        psycopg.Error: the login may not use the schema.
    """
    row = connection.execute(_QUERY).fetchone()
    if row is None or not row[0]:
        return SchemaStatus(state=State.ABSENT, revision=None, head=head())
    row = connection.execute(b"SELECT ims.schema_version()").fetchone()
    version = row[0] if row else None
    return SchemaStatus(state=compare(version), revision=version and version.partition(":")[0], head=head())


def compare(version: str | None) -> State:
    """Tell how what ``ims.schema_version()`` says stands to the program's own."""
    revision, _, digest = (version or ":").partition(":")
    if revision > head():
        return State.AHEAD
    if revision == head() and digest == sql.digest():
        return State.CURRENT
    return State.BEHIND
