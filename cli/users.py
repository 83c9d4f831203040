"""``users``: who may use the database."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.arguments import AsJson
from cli.output import print_json, print_table, say, tell_done
from cli.passwords import read_password

app = typer.Typer(help="Manage who may use the database (admins).")

_COLUMNS = ("user_id", "username", "role", "is_active", "db_login", "created_at")


Name = Annotated[str, typer.Argument(help="the username")]


class Role(StrEnum):
    """What a user may do."""

    ADMIN = "admin"
    USER = "user"
    READONLY = "readonly"


@app.command("add")
def add(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="user: their own rows; readonly: reads everything; admin: everything")
    ] = Role.USER,
    login: Annotated[
        bool, typer.Option("--login", help="with a database login of their own, for psql or a BI tool")
    ] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the login's password from standard input")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Add a user.

    With --login the address of the database for that login is printed, without the password: psql takes it
    as it is, and a BI tool its host, port and database.
    """
    from crawler.errors import UsageError
    from db import get_session
    from db.db_logins import create_personal_login
    from db.location import login_address
    from db.users import add_user
    from pipeline.bootstrap import start

    password = None
    if login:
        password = read_password(f"Password of the new login {name}: ", from_stdin=password_stdin)
        if password is None:
            raise UsageError("A login needs a password: give it with --password-stdin.")
    program = start()
    with get_session(user_id=program.user_id) as session:
        user = add_user(session, name, role=role.value)
        if password is not None:
            user = create_personal_login(session, name, password)
        added = {
            "user_id": user.user_id,
            "username": user.username,
            "role": user.role,
            "db_login": user.db_login,
        }
    address = login_address(name) if login else None
    if address is not None:
        added["url"] = address
    tell_done(f"User {name} is added with the role {role.value}.", added, as_json=as_json)
    if address is not None and not as_json:
        say(address)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="skip this many")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List the users that you may see: yourself, or as an admin everybody."""
    from db import get_session
    from db.users import list_users
    from pipeline.bootstrap import start

    program = start()
    with get_session(user_id=program.user_id) as session:
        users = list_users(session, limit=limit, offset=offset)
        rows = [{name: getattr(user, name) for name in _COLUMNS} for user in users]
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("id>", "user", "role", "active", "login", "since"),
            [list(row.values()) for row in rows],
            empty="There are no users.",
        )


@app.command("disable")
def disable(name: Name, as_json: AsJson = False) -> None:
    """Lock a user out at once, running sessions included; nothing is deleted."""
    from db import get_session
    from db.users import disable_user
    from pipeline.bootstrap import start

    program = start()
    with get_session(user_id=program.user_id) as session:
        disable_user(session, name)
    tell_done(
        f"User {name} is disabled. To undo: users enable {name}",
        {"username": name, "is_active": False},
        as_json=as_json,
    )


@app.command("enable")
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let a disabled user in again, with everything they had."""
    from db import get_session
    from db.users import enable_user
    from pipeline.bootstrap import start

    program = start()
    with get_session(user_id=program.user_id) as session:
        enable_user(session, name)
    tell_done(f"User {name} is enabled.", {"username": name, "is_active": True}, as_json=as_json)


@app.command("role")
def role(
    name: Name,
    role: Annotated[
        Role, typer.Argument(help="user: their own rows; readonly: reads everything; admin: everything")
    ],
    as_json: AsJson = False,
) -> None:
    """Change a user's role; their own database login, if any, gets it too."""
    from db import get_session
    from db.users import set_role
    from pipeline.bootstrap import start

    program = start()
    with get_session(user_id=program.user_id) as session:
        set_role(session, name, role.value)
    tell_done(
        f"User {name} has the role {role.value} now.", {"username": name, "role": role.value}, as_json=as_json
    )
