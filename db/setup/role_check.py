"""A look at a new connection: does row security hold for this login on this server?"""

from __future__ import annotations

from typing import Any

import psycopg

from db.errors import DatabaseRefused, DatabaseUnfit, translated
from db.setup.schema_version import State, compare
from db.setup.server_version import complaint

_LOGIN = """
SELECT current_setting('server_version_num')::integer,
       login.rolsuper OR login.rolbypassrls OR EXISTS (
           SELECT FROM pg_catalog.pg_roles power
           WHERE (power.rolname IN ('ims_owner', 'ims_searcher', 'ims_login_maker', 'ims_disconnector')
                  OR power.rolsuper OR power.rolbypassrls)
             AND pg_catalog.pg_has_role(login.oid, power.oid, 'MEMBER')),
       EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname = 'ims' AND p.proname = 'schema_version')
FROM pg_catalog.pg_roles login
WHERE login.rolname = session_user
"""


def check_login(connection: Any) -> None:
    """Refuse what row security would not hold for.

    Args:
        connection: the driver's, or an adapter with its manners.

    Raises:
        DatabaseUnfit: the server is too old, or its schema is missing or not the program's.
        DatabaseRefused: the login bypasses row security, or may not use the schema.
    """
    try:
        version, powerful, initialised = _row(connection, _LOGIN)
        if sentence := complaint(version):
            raise DatabaseUnfit(sentence)
        if powerful:
            raise DatabaseRefused(
                "This login bypasses row security: use the login that db init printed, or a user's own."
            )
        state = (
            State.ABSENT if not initialised else compare(_row(connection, "SELECT ims.schema_version()")[0])
        )
        connection.rollback()
    except psycopg.Error as error:
        raise translated(error) from error
    if state is State.AHEAD:
        raise DatabaseUnfit("The database was set up by a newer version of this program: update the program.")
    if state is not State.CURRENT:
        command = "db init" if state is State.ABSENT else "db upgrade"
        what = "has not" if state is State.ABSENT else "has an older version of"
        raise DatabaseUnfit(
            f"The database {what} the program's schema: run {command} with an administrator's URL."
        )


def _row(connection: Any, statement: str) -> tuple[Any, ...]:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
    finally:
        cursor.close()
