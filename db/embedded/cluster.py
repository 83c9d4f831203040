"""The data folder: made once, all or nothing, and checked before every start."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from db.embedded.binaries import Binaries
from db.embedded.host_capabilities import Identity
from db.embedded.locks import exclusive
from db.embedded.paths import PORT, DataPaths
from db.errors import DataFolderForbidden, DataFolderOutdated, DataFolderUnusable, DiskFull, ServerFailed
from db.files import account_name, own_folder, read_own, whole_file

SUPERUSER = "postgres"
SPACE_NEEDED = 96 * 2**20  # bytes: a fresh data folder takes 40 MB, its first write-ahead log as much again
# How words are told apart in text search follows LC_CTYPE: under plain C, Japanese and Korean punctuation
# counts as letters. Not every system has each of these, and which one matters little.
_CHARACTER_TYPES = ("C.UTF-8", "en_US.UTF-8", "C")
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "max_connections": "50",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "logging_collector": "off",  # the supervisor bounds the log by size, which the collector cannot
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    # What people wrote stays out of the log: neither failing statements nor the values in an error's detail.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def shared_buffers(memory: int) -> int:
    """The most bytes that the server keeps of its tables in memory; it takes them as it reads.

    Args:
        memory: bytes that the machine has.
    """
    return min(max(memory // 8, 128 << 20), 1 << 30)


def _memory() -> int:
    """How many bytes the machine has, or the container is allowed."""
    here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # "max", or not Linux's way
        here = min(here, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return here


def server_command(paths: DataPaths, binaries: Binaries) -> list[str]:
    """The command that runs the server in the foreground, with every setting on it.

    On the command line, and not in a file of the data folder: so a new version of ours brings its settings
    along.
    """
    folder = str(paths.socket).replace('"', '""')  # a list of names, in which commas and spaces separate
    settings = {
        **_SETTINGS,
        "shared_buffers": f"{shared_buffers(_memory()) >> 20}MB",
        "unix_socket_directories": f'"{folder}"',
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [binaries.program("postgres"), "-D", str(paths.data.resolve()), *options]


def environment() -> dict[str, str]:
    """The environment of everything that we start: none of our secrets, nothing that redirects PostgreSQL."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def read_password(paths: DataPaths) -> str:
    """The superuser's password.

    Raises:
        DataFolderUnusable: it is lost.
    """
    try:
        password = read_own(paths.password).decode("ascii").strip()
    except FileNotFoundError:
        password = ""
    if not password:
        raise DataFolderUnusable(
            f"{paths.password} is missing, and without it the data cannot be opened: restore the file."
        )
    return password


def prepare(paths: DataPaths, binaries: Binaries, identity: Identity) -> None:
    """Make the data folder where there is none, and check the one that is there.

    To be called by one process at a time.

    Raises:
        EmbeddedError: it cannot be made or used.
        OSError: a file cannot be read or written.
    """
    for leftover in paths.base.glob("data.new-*"):  # a process was killed in the middle of making one
        shutil.rmtree(leftover, ignore_errors=True)
    if not paths.data.exists():
        _initialise(paths, binaries, identity)
    _check_owner(paths, identity)
    _check_version(paths, binaries)
    read_password(paths)
    own_folder(paths.socket, owner=identity.uid if identity.mode == "account" else None)


def _initialise(paths: DataPaths, binaries: Binaries, identity: Identity) -> None:
    if shutil.disk_usage(paths.base).free < SPACE_NEEDED:
        raise _disk_full(paths)
    _write_password(paths)
    staging = paths.base / f"data.new-{secrets.token_hex(4)}"
    own_folder(staging, owner=identity.uid if identity.mode == "account" else None)
    try:
        # Should we be killed, it works on for a moment: the next start waits for it, then clears up.
        with exclusive(paths.lock("server")) as lock:
            _run_initdb(paths, binaries, identity, staging, lock)
        staging.rename(paths.data.resolve())
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _sync(paths.base)


def _write_password(paths: DataPaths) -> None:
    with whole_file(paths.password) as file:
        file.write(secrets.token_urlsafe(32).encode() + b"\n")


def _run_initdb(paths: DataPaths, binaries: Binaries, identity: Identity, target: Path, lock: int) -> None:
    password = paths.password
    if identity.mode == "account":  # which does not reach the file: it gets a copy for a moment
        password = target.with_name(target.name + "-password")
        password.touch(mode=0o600, exist_ok=False)
        password.write_bytes(paths.password.read_bytes())
        os.chown(password, identity.uid, identity.gid)
    command = [binaries.program("initdb"), "-D", str(target), "-U", SUPERUSER, "-A", "scram-sha-256"]
    command += ["--pwfile", str(password), "-E", "UTF8", "--no-instructions", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    said = ""
    try:
        for character_type in _CHARACTER_TYPES:
            done = subprocess.run(  # noqa: S603  # the wheel's own program
                identity.command(*command, f"--lc-ctype={character_type}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment(),
                cwd=paths.base,
                pass_fds=[lock],
                check=False,
            )
            if done.returncode == 0:
                return
            said = done.stderr.decode("utf-8", "replace").strip()
            if "invalid locale name" not in said:
                break
    finally:
        if password != paths.password:
            password.unlink(missing_ok=True)
    if "No space left on device" in said:
        raise _disk_full(paths)
    if "could not look up effective user ID" in said:
        raise ServerFailed(
            f"The account with the number {os.geteuid()} has no name, and PostgreSQL wants one: add a line "
            "for it to /etc/passwd, or set DATABASE_URL to a server of your own."
        )
    errors = [line for line in said.splitlines() if "error:" in line or "FATAL:" in line] or said.splitlines()
    raise ServerFailed(
        f"A new database could not be made in {paths.base}: {(errors or ['initdb failed'])[0]}."
    )


def _disk_full(paths: DataPaths) -> DiskFull:
    return DiskFull(
        f"Too little space is left on the disk of {paths.base}: free some, or set IMS_HOME to another."
    )


def _check_owner(paths: DataPaths, identity: Identity) -> None:
    owner = paths.data.stat().st_uid
    expected = identity.uid if identity.mode == "account" else os.geteuid()
    if owner != expected:
        raise DataFolderForbidden(
            f"{paths.data} belongs to {account_name(owner)}, not to {account_name(expected)}: run this as "
            "its owner, or set IMS_HOME to a folder of your own."
        )


def _check_version(paths: DataPaths, binaries: Binaries) -> None:
    try:
        written = (paths.data / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise DataFolderUnusable(
            f"{paths.data} is not a data folder of PostgreSQL: move it elsewhere, "
            "or set IMS_HOME to another folder."
        ) from None
    ours = binaries.version().partition(".")[0]
    if written != ours:
        raise DataFolderOutdated(
            f"{paths.data} was written by PostgreSQL {written}, and this is {ours}: move the data with "
            f"pg_dump of version {written}, or set IMS_HOME to a new folder."
        )


def _sync(folder: Path) -> None:
    """Make a renaming in the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
