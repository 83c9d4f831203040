"""A database's schema as text, the same on every version of PostgreSQL; what is committed as ``schema.txt``.

``python -m db.schema_dump > db/schema.txt`` writes it anew, from the configured database.
"""

from __future__ import annotations

import sys
from importlib.resources import files

import psycopg

from db.location import configured_url
from db.settings import libpq_url, read_settings


def describe(connection: psycopg.Connection) -> str:
    """Say what is in the schemas ``ims`` and ``ims_private``, a line a column, constraint, policy, …"""
    with connection.transaction(force_rollback=True):
        connection.execute(
            "SET LOCAL search_path = pg_catalog"
        )  # so that every other name is written in full
        connection.execute("SET LOCAL TimeZone = 'UTC'")  # and times are the same everywhere
        query = (files("db.queries") / "schema_text.sql").read_text("utf-8").encode()
        return "".join(f"{row[0]}\n" for row in connection.execute(query))


def main() -> None:
    """Print the schema of the configured database."""
    with psycopg.connect(libpq_url(configured_url(read_settings()))) as connection:
        sys.stdout.write(describe(connection))


if __name__ == "__main__":
    main()
