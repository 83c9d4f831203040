"""``db``: the database itself."""

from __future__ import annotations

import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import AsJson
from cli.children import child_environment
from cli.confirm import confirm_removal
from cli.output import complain, print_json, say, tell_done

if TYPE_CHECKING:
    from pipeline.retention import Prunable

app = typer.Typer(help="Set up, upgrade and inspect the database.")


@app.command("init")
def init(as_json: AsJson = False) -> None:
    """Set up a PostgreSQL of your own: roles, schema, the first admin. Safe to repeat.

    DATABASE_URL is an administrator's URL here, as for upgrade, backup and restore. The first admin is
    IMS_USER; the application's password is IMS_APP_PASSWORD, else the one that it has, else a generated one.
    Prints the URL to use for everything else.
    """
    from db.location import administrator_url, configured_url
    from db.settings import environment, read_settings
    from db.setup.bootstrap import APP_LOGIN, PLACEHOLDER, initialise

    settings = read_settings()
    if settings.database_url is None:
        configured_url(settings)
        tell_done(
            "The embedded database is set up. No settings are needed to use it.",
            {"place": "embedded", "user": settings.user, "database_url": None},
            as_json=as_json,
        )
        return
    login = initialise(
        administrator_url(settings),
        app_password=environment().get("IMS_APP_PASSWORD") or None,
        first_admin=settings.user,
    )
    if as_json:
        print_json(
            {
                "place": "DATABASE_URL",
                "user": settings.user,
                "database_url": login.url,
                "password_kept": login.password is None,
            }
        )
        return
    complain(f"The database is set up for {settings.user}. From now on use this DATABASE_URL:")
    say(login.url)
    if login.password is None:
        complain(
            f"{APP_LOGIN} keeps its password: write it in the place of {PLACEHOLDER}, "
            "or set a new one with IMS_APP_PASSWORD and db init."
        )


@app.command("upgrade")
def upgrade(as_json: AsJson = False) -> None:
    """Bring the schema up to date; DATABASE_URL is the administrator's URL again."""
    from db.location import administrator_url
    from db.settings import read_settings
    from db.setup.bootstrap import upgrade as bring_up

    bring_up(administrator_url(read_settings()))
    tell_done("The schema is up to date.", {"schema": "current"}, as_json=as_json)


@app.command("status")
def status(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Tell where the database is, its version, and whether its schema is up to date."""
    from db.location import configured_url
    from db.settings import read_settings
    from db.setup.bootstrap import schema_status
    from db.setup.server_version import server_facts
    from pipeline.bootstrap import start

    settings = read_settings()
    schema = schema_status(configured_url(settings))
    version, size = server_facts(start().conninfo)
    facts = {
        "place": "DATABASE_URL" if settings.database_url else f"embedded, under {settings.home}",
        "server_version": version,
        "schema": schema.state.value,
        "schema_version": schema.revision,
        "size_bytes": size,
        "user": settings.user,
    }
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        say(f"{name.replace('_', ' '):<15} {value}")


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="the file to write, such as ims.backup")],
    as_json: AsJson = False,
) -> None:
    """Write the whole database and the attached files into one file, while others go on working.

    DATABASE_URL is the administrator's URL, as for init; the embedded database needs none. Stored passwords
    stay encrypted, and their key is not in the backup: keep a copy of it elsewhere.
    """
    from crawler.errors import UsageError
    from db import backup as backups
    from db.location import administrator_url
    from db.settings import environment, read_settings
    from pipeline.trackers.secrets import place_of_key

    if file.exists():
        raise UsageError(f"{file} is there already: choose another name, or remove it first.")
    settings = read_settings()
    try:
        made = backups.backup(administrator_url(settings), settings.home, file.absolute(), complain)
        size = file.stat().st_size
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}.") from error
    key = place_of_key(settings.home, environment().get("IMS_SECRET_KEY"))
    if as_json:
        print_json({"file": str(file), "bytes": size, "key": key, **asdict(made)})
        return
    complain(
        f"{made.issues:,} issues of {made.users:,} users and {made.files:,} attached files were written to "
        f"{file} ({size:,} bytes). Keep the key of stored passwords as well: {key}"
    )


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="a file that backup wrote", exists=False)],
    force: Annotated[
        bool, typer.Option("--force", help="replace what is in the database, all of it")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database: the embedded one, or that of an administrator's DATABASE_URL.

    A backup of the embedded database can be restored on a server of your own, and the other way round.
    Personal logins belong to a server: make them anew with users add --login.
    """
    from crawler.errors import UsageError
    from db import backup as backups
    from db.location import administrator_url, application_password
    from db.settings import environment, read_settings

    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    settings = read_settings()
    try:
        made = backups.restore(
            administrator_url(settings),
            settings.home,
            file,
            complain,
            first_admin=settings.user,
            app_password=environment().get("IMS_APP_PASSWORD") or application_password(settings),
            force=force,
        )
    except OSError as error:
        raise UsageError(f"The backup cannot be restored: {error.strerror or error}.") from error
    tell_done(
        f"{made.issues:,} issues of {made.users:,} users and {made.files:,} attached files are restored. "
        "Put the key of stored passwords in its place too: IMS_SECRET_KEY, or secret.key in the data folder.",
        {"file": str(file), **asdict(made)},
        as_json=as_json,
    )


@app.command("prune")
def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="an age such as 90d or 1y, or a day")
    ] = "1y",
    removed: Annotated[
        bool, typer.Option("--removed", help="also issues that vanished from their tracker so long ago")
    ] = False,
    everybody: Annotated[
        bool,
        typer.Option("--everybody", help="all users', and attached files that nobody has; for admins"),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell what it would free")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old sessions and replaced pages; issues, their newest pages, comments and history stay.

    It tells first what it would free, and asks. PostgreSQL uses the freed room again; its files shrink only
    by a VACUUM FULL of yours.
    """
    from pipeline.bootstrap import start
    from pipeline.retention import Prunable
    from pipeline.retention import prune as free
    from pipeline.search.moments import read_moment

    before = read_moment(older_than)
    assert before is not None  # noqa: S101 - a text was given
    program = start()

    def run(*, dry_run: bool) -> Prunable:
        return free(
            program.user_id, program.home, before, removed=removed, everybody=everybody, dry_run=dry_run
        )

    found = run(dry_run=True)
    is_any = found != Prunable()
    if is_any and not dry_run:
        told = _prunable(found)
        confirm_removal(
            f"Remove {told}?", without_terminal=f"It would remove {told}: give --yes to do so.", yes=yes
        )
        found = run(dry_run=False)
    done = "would be removed" if dry_run else "are removed"
    tell_done(
        f"{_prunable(found)} {done}." if is_any else "There is nothing to remove.",
        {"before": before, "dry_run": dry_run, **asdict(found)},
        as_json=as_json,
    )


def _prunable(found: Prunable) -> str:
    parts = [
        f"{found.sessions:,} sessions",
        f"{found.pages:,} replaced pages ({found.page_bytes / 2**20:,.1f} MiB)",
    ]
    parts += [f"{found.removed_issues:,} vanished issues"] if found.removed_issues else []
    parts += [f"{found.files:,} files ({found.file_bytes / 2**20:,.1f} MiB)"] if found.files else []
    return ", ".join(parts)


@app.command("shell")
def shell() -> None:
    """Open psql, acting as IMS_USER.

    An identity holds for one transaction, so the shell begins one for you: COMMIT keeps what you changed, and
    after COMMIT or ROLLBACK :act begins the next one.
    """
    from cli.psql import start_file
    from crawler.errors import UsageError
    from db.location import configured_url, embedded_server
    from db.settings import for_psql, read_settings
    from pipeline.bootstrap import start

    settings = read_settings()
    address, password = for_psql(configured_url(settings))
    embedded = embedded_server(settings)
    psql = embedded.psql() if embedded is not None else None
    user_id = start().user_id
    command = [str(psql or "psql"), address]
    complain(f"You act as {settings.user} until COMMIT or ROLLBACK; :act begins the next transaction.")
    try:
        with start_file(user_id) as file:
            variables = {**child_environment(), "PGPASSWORD": password, "PSQLRC": str(file)}
            raise typer.Exit(subprocess.run(command, env=variables, check=False).returncode)  # noqa: S603 - no shell
    except FileNotFoundError as error:
        raise UsageError("psql is not installed: install PostgreSQL's client programs.") from error
