"""Issues, comments and history as tables for other programs, streamed: memory stays flat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

import psycopg

from crawler.errors import UsageError
from db.acting import user_connection
from db.errors import translated
from db.files import whole_file
from db.queries import statements

PORTION = 1000  # rows fetched at once

Row = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A query's rows, read once."""

    columns: tuple[str, ...]
    types: tuple[str, ...]  # PostgreSQL's names
    portions: Iterator[list[Row]]  # of at most PORTION rows


@contextmanager
def open_table(
    conninfo: str, user_id: int, name: str, *, tracker: str | None = None, everybody: bool = False
) -> Iterator[Table]:
    """Open a user's own rows of a table, or everybody's, within one moment of the database.

    Args:
        conninfo: the database.
        user_id: for whom.
        name: issues, comments or history.
        tracker: only what comes from the tracker of this name; None: everything.
        everybody: with everybody's rows, and ``owner_user`` as the last column.

    Raises:
        DatabaseError: the database cannot be used.
    """
    try:
        with (
            user_connection(conninfo, user_id, everybody=everybody) as connection,
            connection.cursor(name="table") as cursor,
        ):
            cursor.execute(
                statements("tables")[f"{name}_of_everybody" if everybody else name], {"tracker": tracker}
            )
            described = cursor.description or []
            yield Table(
                columns=tuple(column.name for column in described),
                types=tuple(column.type_display for column in described),
                portions=iter(lambda: cursor.fetchmany(PORTION), []),
            )
    except psycopg.Error as error:
        raise translated(error) from error


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, which has its name only once it is whole; for this account only.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        with whole_file(path) as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_parquet(table: Table, target: IO[bytes]) -> int:
    """Write the rows as Parquet, a row group a portion; the number of rows.

    Raises:
        UsageError: the library for it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs a library that is not installed: pip install 'ims-crawler[parquet]'."
        ) from error
    kinds: dict[str, Callable[[], Any]] = {
        "int4": pyarrow.int32,
        "int8": pyarrow.int64,
        "bool": pyarrow.bool_,
        "timestamptz": lambda: pyarrow.timestamp("us", tz="UTC"),
    }
    schema = pyarrow.schema(
        [
            (name, kinds.get(kind, pyarrow.string)())
            for name, kind in zip(table.columns, table.types, strict=True)
        ]
    )
    rows = 0
    with pyarrow.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for portion in table.portions:
            columns = [
                pyarrow.array(map(_flat, column), type=field.type)
                for column, field in zip(zip(*portion, strict=True), schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))
            rows += len(portion)
    return rows


def _flat(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
