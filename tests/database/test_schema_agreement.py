"""Models, migrations and the committed text of the schema say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import db
import sql
from db.models import Base
from db.schema_dump import describe
from tests.database.security.test_catalogue import PUT_INTO_THEIR_CALLERS
from tests.fixtures.database import on_every_server
from tests.fixtures.schema import Database

SCHEMA = Path(db.__file__).with_name("schema.txt")


def test_a_database_that_was_migrated_has_what_the_models_say(database: Database) -> None:
    engine = create_engine(database.superuser_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, parents: kind != "schema" or name == "ims",
                "compare_type": True,
                "compare_server_default": True,
                "version_table_schema": "ims_private",
            },
        )
        differences: list[Any] = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


@on_every_server
def test_the_committed_text_of_the_schema_is_what_the_migrations_make(database: Database) -> None:
    with database.superuser() as connection:
        made = describe(connection)
    assert made == SCHEMA.read_text("utf-8"), "write it anew: python -m db.schema_dump > db/schema.txt"


def test_every_constraint_of_the_models_has_its_name_in_the_database(database: Database) -> None:
    with database.superuser() as connection:
        text = describe(connection)
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert f"constraint {constraint.name} " in text, constraint.name
        for index in table.indexes:
            assert f"INDEX {index.name} ON" in text, index.name


@pytest.mark.parametrize("one", sql.repeatable(), ids=lambda one: one.name)
def test_each_file_of_sql_is_about_the_object_it_is_named_after(one: sql.SqlFile) -> None:
    folder, _, name = one.name.partition("/")
    head = one.text.removeprefix("-- runs as: administrator\n")
    assert head.startswith("-- "), "a file begins with what it is for"
    if folder in {"identity", "functions", "search", "analytics"}:
        assert f".{name}(" in one.text
        assert one.text.count("CREATE OR REPLACE FUNCTION") == 1
        pinned = "SET search_path = pg_catalog, pg_temp" in one.text
        assert pinned == PUT_INTO_THEIR_CALLERS.isdisjoint({f"ims.{name}", f"ims_private.{name}"})
        assert any(word in one.text for word in ("IMMUTABLE", "STABLE", "VOLATILE"))
