"""Bounds of columns, as ``sql/functions/bound_columns.sql`` has them; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    Integer,
    SmallInteger,
    Table,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

_OBJECT, _LIST = "jsonb_typeof({0}) = 'object'", "jsonb_typeof({0}) = 'array'"
_BY_TYPE = {
    TIMESTAMP: "{0} BETWEEN '0001-01-03 00:00:00+00' AND '9999-12-29 00:00:00+00'",
    Date: "{0} BETWEEN '0001-01-01' AND '9999-12-31'",
    SmallInteger: "{0} BETWEEN 0 AND 30000",
    BigInteger: "{0} BETWEEN 0 AND 1000000000000000000",
    Integer: "{0} BETWEEN 0 AND 1000000000",
    Double: "{0} BETWEEN 0 AND 1000000000000",
    JSONB: _OBJECT,
}
LONGEST = {  # characters
    "trackers": {"name": 200, "kind": 200, "base_url": 2000, "username": 1000, "timezone": 200},
    "saved_searches": {"name": 200, "query": 2_000_000, "product": 1000, "cron": 1000, "timezone": 200},
    "users": {"username": 200, "email": 1000, "full_name": 1000, "department": 1000},
    "crawl_sessions": {
        "original_query": 2_000_000,
        "parsed_query": 2_000_000,
        "query_language": 200,
        "product": 1000,
    },
    "search_queries": {
        "original_query": 2_000_000,
        "parsed_query": 2_000_000,
        "query_language": 200,
        "product": 1000,
        "parsing_method": 200,
    },
    "runs": {"queue": 200},
    "alerts": {"command": 200, "cron": 1000, "timezone": 200},
    "tracker_states": {"word": 600},
}
_BY_NAME = {
    "trackers.rate": "{0} BETWEEN 0.000277 AND 1000",
    "trackers.concurrency": "{0} BETWEEN 1 AND 64",
    "search_queries.parsing_confidence": "{0} BETWEEN 0 AND 1",
    "analytics_daily.top_queries": _LIST,
    "analytics_monthly.year": "{0} BETWEEN 1 AND 9999",
    "analytics_monthly.month": "{0} BETWEEN 1 AND 12",
    "audit_log.old_value": None,
    "audit_log.new_value": None,
}


def add_bounds(table: Table) -> None:
    """Give a model's table a check for each column that has a bound."""
    for column in table.columns:
        bound = None if column.identity or column.foreign_keys else _bound(table.name, column)
        if bound is not None:
            table.append_constraint(CheckConstraint(bound.format(column.name), name=column.name))


def _bound(table: str, column: Column[object]) -> str | None:
    name = f"{table}.{column.name}"
    if name in _BY_NAME:
        return _BY_NAME[name]
    if (longest := LONGEST.get(table, {}).get(column.name)) is not None:
        return f"char_length({{0}}) <= {longest}"
    return next((bound for kind, bound in _BY_TYPE.items() if isinstance(column.type, kind)), None)
