"""Backups: the database's schemas as PostgreSQL's own archive, with the attached files, in one tar file.

A backup of one server is restored on any other from PostgreSQL 15 on, embedded or not. Roles and logins
belong to a server, so they are made there; the schemas with their owners, rights and policies come from the
backup. Stored passwords stay sealed, their key is no part of a backup.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO

import psycopg

from db.embedded.binaries import find_binaries
from db.errors import DatabaseRefused, DatabaseUnfit, NoBinaries
from db.files import ATTACHMENTS, data_folder, folders, whole_file
from db.settings import for_psql
from db.setup.bootstrap import initialise, plain_connection
from db.setup.schema_version import State, status

SCHEMAS = ("ims", "ims_private", "ims_jobs")

_FORMAT = 1
_MANIFEST, _DUMP = "manifest.json", "database.dump"
_FILE = re.compile(rf"{ATTACHMENTS}/[0-9a-f]{{2}}/[0-9a-f]{{64}}")
# Settings that a newer pg_restore writes and an older server does not know; they bound nothing here.
_UNKNOWN_BEFORE = re.compile(rb"SET (transaction_timeout) = ")
_MISSED = (("issues", "issues"), ("sessions", "crawl_sessions"), ("trackers", "trackers"))
_PIECE = 1 << 20

Tell = Callable[[str], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a backup is of."""

    made_at: str  # ISO, UTC
    server_version: str
    schema_revision: str
    issues: int
    users: int
    files: int  # attached
    format: int = _FORMAT


def backup(admin_url: str, home: Path, path: Path, tell: Tell) -> Manifest:
    """Write everything of a database into a file, as of one moment; whoever works meanwhile is not stopped.

    Args:
        admin_url: an administrator's address of the database.
        home: the data folder, where attached files are.
        path: the file; it has its name only once it is whole.
        tell: is told each step, a sentence.

    Raises:
        DatabaseError: the database cannot be read, or its client programs are not here.
        OSError: the file cannot be written.
    """
    manifest = _manifest(admin_url, home)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:
        dump = Path(folder) / _DUMP
        tell(f"Reading {manifest.issues:,} issues of {manifest.users:,} users …")
        address, environment = _connection(admin_url)
        chosen = [f"--schema={schema}" for schema in SCHEMAS]
        _run([_client("pg_dump"), "--format=custom", *chosen, f"--file={dump}", address], environment)
        tell(f"Writing {path} …")
        with whole_file(path) as file, tarfile.open(fileobj=file, mode="w") as archive:
            _add(archive, _MANIFEST, json.dumps(asdict(manifest)).encode())
            archive.add(dump, _DUMP, filter=_nobodys)
            for name in _attached(home):
                archive.add(home / name, name, filter=_nobodys)
    return manifest


def restore(
    admin_url: str,
    home: Path,
    path: Path,
    tell: Tell,
    *,
    first_admin: str,
    app_password: str | None,
    force: bool,
) -> Manifest:
    """Put a backup into a database, and its attached files into the data folder.

    It is done in one transaction: either all of it is there afterwards, or what was there before.

    Args:
        admin_url: an administrator's address of the database.
        home: the data folder.
        path: the backup.
        tell: is told each step, a sentence.
        first_admin: a user who becomes an admin where the backup has none.
        app_password: of the application's login; None: it keeps the one that it has.
        force: replace what is in the database.

    Raises:
        DatabaseRefused: the database is not empty, or the file is no backup.
        DatabaseError: it cannot be restored.
        OSError: the file cannot be read.
    """
    with _opened(path) as archive:
        manifest = _read_manifest(archive)
        if not force and (there := _rows_in(admin_url)):
            raise DatabaseRefused(
                f"The database is not empty, it has {there}: "
                "restore into another one, or replace all of it with --force."
            )
        tell("Setting up roles and schema …")
        initialise(admin_url, app_password=app_password, first_admin=first_admin)
        with tempfile.TemporaryDirectory(dir=data_folder(home), prefix=".restore-") as folder:
            dump = Path(folder) / _DUMP
            with dump.open("wb") as target:
                shutil.copyfileobj(_member(archive, _DUMP), target, _PIECE)
            tell(f"Restoring {manifest.issues:,} issues of {manifest.users:,} users …")
            _replay(admin_url, dump)
        initialise(admin_url, app_password=app_password, first_admin=first_admin)  # the newest schema
        tell(f"Restoring {manifest.files:,} attached files …")
        _unpack_files(archive, home)
    return manifest


def _manifest(admin_url: str, home: Path) -> Manifest:
    with plain_connection(admin_url) as connection:
        schema = status(connection)
        if schema.state is State.ABSENT:
            raise DatabaseRefused("There is nothing to back up: the database was never set up.")
        (is_superuser,) = _row(connection, "SELECT usesuper FROM pg_user WHERE usename = current_user")
        if not is_superuser:
            raise DatabaseRefused("A backup needs an administrator's DATABASE_URL, a superuser's.")
        (issues,) = _row(connection, "SELECT count(*) FROM ims.issues")
        (users,) = _row(connection, "SELECT count(*) FROM ims.users")
        return Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server_version=connection.info.parameter_status("server_version") or "",
            schema_revision=schema.revision or "",
            issues=issues,
            users=users,
            files=sum(1 for _ in _attached(home)),
        )


def _rows_in(admin_url: str) -> str | None:
    """What a database has already; None: nothing that anybody would miss."""
    with plain_connection(admin_url) as connection:
        if status(connection).state is State.ABSENT:
            return None
        counts = {
            noun: _row(connection, f"SELECT count(*) FROM ims.{table}")[0]  # noqa: S608 - our own names
            for noun, table in _MISSED
        }
    return ", ".join(f"{number:,} {noun}" for noun, number in counts.items() if number) or None


def _row(connection: psycopg.Connection, query: str) -> tuple[int, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - a count has one row
    return row


def _replay(admin_url: str, dump: Path) -> None:
    """Replace the schemas by those of the archive, in one transaction."""
    address, environment = _connection(admin_url)
    told = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output", os.devnull]
    reading = [_client("pg_restore"), "--file=-", str(dump)]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs
            reading, stdout=subprocess.PIPE, stderr=complaints, env=environment
        ) as archive,
        subprocess.Popen(  # noqa: S603
            [_client("psql"), *told, address], stdin=subprocess.PIPE, stderr=complaints, env=environment
        ) as psql,
    ):
        assert archive.stdout is not None  # noqa: S101 - pipes
        assert psql.stdin is not None  # noqa: S101
        try:
            psql.stdin.write(f"DROP SCHEMA {', '.join(SCHEMAS)} CASCADE;\n".encode())
            for line in iter(archive.stdout.readline, b""):
                psql.stdin.write(b"" if _UNKNOWN_BEFORE.match(line) else line)
                if line.startswith(b"COPY "):  # rows follow, of which nothing is to be changed
                    break
            shutil.copyfileobj(archive.stdout, psql.stdin, _PIECE)
            if archive.wait() != 0:  # half an archive must not be committed
                psql.stdin.write(b"ROLLBACK;\nDO $$ BEGIN RAISE 'the archive ends early'; END $$;\n")
            psql.stdin.close()
        except BrokenPipeError:
            archive.kill()
        if psql.wait() != 0 or archive.returncode != 0:
            raise _failed("restored", complaints)


def _run(command: list[str], environment: dict[str, str]) -> None:
    with tempfile.TemporaryFile() as complaints:
        if subprocess.run(command, stderr=complaints, env=environment, check=False).returncode != 0:  # noqa: S603
            raise _failed("backed up", complaints)


def _failed(what: str, complaints: IO[bytes]) -> DatabaseUnfit:
    complaints.seek(0)
    lines = complaints.read(100_000).decode("utf-8", "replace").splitlines()
    first = next((line for line in lines if "ERROR" in line or "error" in line), lines[0] if lines else "")
    return DatabaseUnfit(f"The database could not be {what}: {first.partition('error: ')[2] or first}")


def _connection(admin_url: str) -> tuple[str, dict[str, str]]:
    """The address as PostgreSQL's programs take it, and their environment with the password in it."""
    address, password = for_psql(admin_url)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}
    return address, {**kept, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}


def _client(name: str) -> str:
    """One of PostgreSQL's programs: the one that came along, which is newer than any server, or the system's.

    Raises:
        NoBinaries: there is none.
    """
    try:
        path = Path(find_binaries().program(name))
        if path.exists():
            return str(path)
    except NoBinaries:
        pass
    found = shutil.which(name)
    if found is None:
        raise NoBinaries(f"{name} is not installed: install PostgreSQL's client programs.")
    return found


def _attached(home: Path) -> Iterator[str]:
    """The names of the attached files, below the data folder."""
    folder = home / ATTACHMENTS
    for path in sorted(folder.glob("??/*")):
        name = f"{ATTACHMENTS}/{path.parent.name}/{path.name}"
        if _FILE.fullmatch(name) and path.is_file() and not path.is_symlink():
            yield name


def _unpack_files(archive: tarfile.TarFile, home: Path) -> None:
    for member in archive:
        if not member.isfile() or not _FILE.fullmatch(member.name) or (home / member.name).exists():
            continue
        source = archive.extractfile(member)
        assert source is not None  # noqa: S101 - it is a file
        folders((home / member.name).parent)
        with whole_file(home / member.name) as target:
            shutil.copyfileobj(source, target, _PIECE)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise _no_backup() from error


def _read_manifest(archive: tarfile.TarFile) -> Manifest:
    try:
        manifest = Manifest(**json.load(io.TextIOWrapper(_member(archive, _MANIFEST), "utf-8")))
    except (ValueError, TypeError) as error:
        raise _no_backup() from error
    if manifest.format != _FORMAT:
        raise DatabaseUnfit("The backup was made by a newer version of this program: update the program.")
    return manifest


def _member(archive: tarfile.TarFile, name: str) -> BinaryIO:
    try:
        member = archive.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise _no_backup()
    return member  # type: ignore[return-value] # a binary stream, whatever its class


def _no_backup() -> DatabaseRefused:
    return DatabaseRefused("The file is no backup of this program, or it is damaged.")


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), 0o600, int(datetime.now(UTC).timestamp())
    archive.addfile(member, io.BytesIO(data))


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
