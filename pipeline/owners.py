"""Whose rows are shown, where everybody's are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import InstrumentedAttribute

OWNER = "owner_user"  # the column's name, in every list


def with_owner(
    rows: Select[*tuple[Any, ...]], user_id: InstrumentedAttribute[int]
) -> Select[*tuple[Any, ...]]:
    """Add the name of the user whose each row is.

    Args:
        rows: selects from the table of the column.
        user_id: the column that says whose a row is.
    """
    from db.models import User

    return rows.add_columns(User.username.label(OWNER)).join(User, User.user_id == user_id)


def owned(rows: Iterable[Mapping[str, Any]], *, everybody: bool) -> list[dict[str, Any]]:
    """Rows of the driver's, which all have their owner: named where everybody's are shown, else left out."""
    return [{name: value for name, value in row.items() if everybody or name != OWNER} for row in rows]
