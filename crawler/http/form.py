"""The fields of a form or of an address's query, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from urllib.parse import quote, quote_plus, urlencode

Value: TypeAlias = "str | int | float | bool"
Pairs: TypeAlias = "Mapping[str, Value | Iterable[Value]] | Iterable[tuple[str, Value | Iterable[Value]]]"


def as_query(pairs: Pairs) -> bytes:
    """Write fields for an address: UTF-8, a space as ``%20``, which every server understands."""
    return urlencode(_flat(pairs), quote_via=quote).encode("ascii")


def as_body(pairs: Pairs) -> bytes:
    """Write fields as a browser sends a form: UTF-8, a space as ``+``."""
    return urlencode(_flat(pairs), quote_via=quote_plus).encode("ascii")


def _flat(pairs: Pairs) -> list[tuple[str, str]]:
    """Several values under one name become several fields; true and false are written as words."""
    fields: list[tuple[str, str]] = []
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        values = (value,) if isinstance(value, str | int | float) else value
        fields.extend((name, str(one).lower() if isinstance(one, bool) else str(one)) for one in values)
    return fields
