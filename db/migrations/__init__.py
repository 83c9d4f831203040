"""The schema's versions, one file each."""

from __future__ import annotations

from pathlib import Path


def run_beside(migration: str) -> None:
    """Run the SQL that stands beside a migration under its name.

    Args:
        migration: the file of the migration.
    """
    from alembic import op  # a large import that only an upgrade needs

    cursor = op.get_bind().connection.cursor()  # the driver's, which takes many statements at once
    cursor.execute(Path(migration).with_suffix(".sql").read_text("utf-8"))
