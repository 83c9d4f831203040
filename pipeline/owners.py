"""Whose rows are shown, where everybody's are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from db.models import User

OWNER = "owner_user"  # the column's name, in every list


def with_owner(
    rows: Select[*tuple[Any, ...]], user_id: InstrumentedAttribute[int]
) -> Select[*tuple[Any, ...]]:
    """Add the name of the user whose each row is.

    Args:
        rows: selects from the table of the column.
        user_id: the column that says whose a row is.
    """
    return rows.add_columns(User.username.label(OWNER)).join(User, User.user_id == user_id)
