"""``audit``: who changed what, the newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import print_json, print_table

_COLUMNS = (
    "created_at",
    "user_id",
    "action",
    "resource_type",
    "resource_id",
    "old_value",
    "new_value",
    "ip_address",
    "user_agent",
)


def audit(
    table: Annotated[str | None, typer.Option(help="only changes of this table, such as users")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="skip this many of the newest")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Show who changed what, field by field: your own changes, or as an admin everybody's."""
    from db import get_session
    from db.audit import audit_entries
    from pipeline.bootstrap import start

    program = start()
    with get_session(user_id=program.user_id) as session:
        rows = [
            {name: getattr(entry, name) for name in _COLUMNS}
            for entry in audit_entries(session, resource_type=table, limit=limit, offset=offset)
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("when", "user>", "action", "table", "row", "change"),
        [
            (
                row["created_at"],
                row["user_id"],
                row["action"],
                row["resource_type"],
                row["resource_id"],
                _what(row),
            )
            for row in rows
        ],
        empty="No changes are recorded yet.",
    )


def _what(row: dict[str, object]) -> str:
    old, new = row["old_value"], row["new_value"]
    if isinstance(old, dict) and isinstance(new, dict):
        return ", ".join(f"{name}: {old.get(name)} → {new.get(name)}" for name in new)
    return ""
