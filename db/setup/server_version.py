"""Which servers we work with: the versions whose known holes in row security are mended."""

from __future__ import annotations

import psycopg

from db.errors import translated
from db.queries import statements

# CVE-2016-2193, 2023-2455, 2023-39418, 2024-10976; for what statistics tell, 2019-10130, 2024-4317, 2025-8713
_MINOR_FLOORS = {15: 14, 16: 10, 17: 6}


def complaint(version: int) -> str | None:
    """Return one sentence about a server that is too old, None where it is not.

    Args:
        version: as in ``server_version_num``, such as 150018.
    """
    major, minor = divmod(version, 10000)
    if major < min(_MINOR_FLOORS):
        return f"The server is PostgreSQL {major}: use 15 or later."
    floor = _MINOR_FLOORS.get(major, 0)
    if minor < floor:
        return (
            f"The server is PostgreSQL {major}.{minor}, whose row security has known holes: "
            f"update it to {major}.{floor} or later."
        )
    return None


def server_facts(conninfo: str) -> tuple[str, int]:
    """Tell a server's version and how many bytes its database has.

    Raises:
        DatabaseError: the database cannot be used.
    """
    try:
        with psycopg.connect(conninfo) as connection:
            cursor = connection.execute(statements("setup")["server_facts"])
            version, size = cursor.fetchone() or ("", 0)
            return version, size
    except psycopg.Error as error:
        raise translated(error) from error
