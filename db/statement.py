"""One statement of somebody's, run so that it only reads, ends in time and brings no more than is wanted.

It is sent by the extended protocol, which takes one statement, and stands where only a query can stand. What
it may read is up to the session: nothing in here keeps a login from what it has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from db.queries import statements

LARGEST_ROW = 100_000  # bytes, as JSON
LARGEST_ANSWER = 1_000_000
_ONLY_READS = "Only one query can be run here: SELECT, WITH … SELECT, VALUES or TABLE."
_SENTENCES = {
    "57014": "The statement was stopped after {seconds} s: ask for less.",
    "25006": "The statement writes, and here only queries run.",
    "42501": "The database does not permit this to you.",
    "0A000": _ONLY_READS,
    "42601": _ONLY_READS,
}


class StatementRefused(Exception):
    """The statement cannot be run, or failed; ``str()`` is a sentence without anything of what is stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What a statement brought."""

    columns: list[str]
    rows: list[list[Any]]  # as JSON has them
    more: bool  # there are further rows
    left_out: int  # rows between these that are larger than LARGEST_ROW each, or nested too deeply


def run_statement(
    connection: psycopg.Connection, statement: str, *, most: int, seconds: float, own_rows: bool
) -> Rows:
    """Run a query in a transaction of its own, of which nothing is left.

    Args:
        connection: in autocommit, and not in a transaction; whose it is decides what is seen.
        statement: the query; a semicolon may end it.
        most: at most this many rows.
        seconds: after which it is stopped.
        own_rows: admins and analysts too see their own rows only, unless the statement says otherwise.

    Raises:
        StatementRefused: it is no single query, writes, takes too long, or fails.
        psycopg.OperationalError: the connection is lost.
    """
    wanted = statement.rstrip(" \t\r\n;")
    bounds = {"timeout": f"{int(seconds * 1000)}ms", "own_rows": own_rows}
    connection.execute("BEGIN READ ONLY")
    try:
        connection.execute(statements("assistant")["bounds"], bounds)
        columns = _columns(connection, wanted, seconds)
        text = statements("assistant")["rows_of"].decode()
        wrapped = text.format(largest=LARGEST_ROW, most=most + 1, statement="{statement}")
        result = connection.pgconn.exec_params(_encoded(wrapped.replace("{statement}", wanted)), [])
        _check(connection, result, seconds, ran=True)
    finally:
        if not connection.closed:
            connection.execute("ROLLBACK")
            connection.execute("DISCARD ALL")
    return _read(columns, result, most)


def _columns(connection: psycopg.Connection, statement: str, seconds: float) -> list[str]:
    """The names of what it gives; the server has read the statement then, and not run it."""
    pgconn = connection.pgconn
    _check(connection, pgconn.prepare(b"", _encoded(statement)), seconds)
    described = pgconn.describe_prepared(b"")
    _check(connection, described, seconds)
    if described.nparams:
        raise StatementRefused("The statement has parameters ($1): write the values into it.")
    if not described.nfields:
        raise StatementRefused(_ONLY_READS)
    return [(described.fname(number) or b"").decode() for number in range(described.nfields)]


def _read(columns: list[str], result: PGresult, most: int) -> Rows:
    rows: list[list[Any]] = []
    left_out = size = 0
    for number in range(min(result.ntuples, most)):
        value = result.get_value(number, 0)
        size += len(value or b"")
        if size > LARGEST_ANSWER:
            return Rows(columns=columns, rows=rows, more=True, left_out=left_out)
        try:
            rows.append(_values(value or b""))
        except (ValueError, RecursionError):
            left_out += 1
    return Rows(columns=columns, rows=rows, more=result.ntuples > most, left_out=left_out)


class _Pairs(list[Any]):
    """An object as its pairs: two columns may have one name."""


def _values(row: bytes) -> list[Any]:
    """The values of a row in its columns' order; a number that JSON's readers do not take is its text."""
    pairs = json.loads(row, object_pairs_hook=_Pairs, parse_int=_number, parse_float=_number)
    return [
        json.dumps(_nested(value), ensure_ascii=False) if isinstance(value, list) else value
        for _, value in pairs
    ]


def _nested(value: Any) -> Any:
    if isinstance(value, _Pairs):
        return {name: _nested(one) for name, one in value}
    return [_nested(one) for one in value] if isinstance(value, list) else value


def _number(text: str) -> int | float | str:
    if text.lstrip("-").isdigit():
        return int(text) if len(text) < 18 else text
    number = float(text)
    return number if isfinite(number) else text


def _check(connection: psycopg.Connection, result: PGresult, seconds: float, *, ran: bool = False) -> None:
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return
    state = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
    if not state or state.startswith(("08", "57P")):
        connection.close()
        raise psycopg.OperationalError("the connection is lost")
    if ran or state in ("57014", "25006"):
        # What fails on the way may quote what is stored, which is somebody else's text.
        known = _SENTENCES.get(state)
        raise StatementRefused(known.format(seconds=f"{seconds:g}") if known else _failed(state))
    told = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")[:300]
    raise StatementRefused(f"The database does not take the statement: {told}.")


def _failed(state: str) -> str:
    try:
        name = psycopg.errors.lookup(state).__name__
    except KeyError:
        name = "unknown"
    return f"The statement failed on a row (SQLSTATE {state}, {name})."


def _encoded(statement: str) -> bytes:
    if "\0" in statement:
        raise StatementRefused(_ONLY_READS)
    try:
        return statement.encode()
    except UnicodeEncodeError as error:
        raise StatementRefused("The statement is not text.") from error
