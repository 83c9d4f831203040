"""The embedded server, as the processes that use it see it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from db.embedded.address import ServerAddress
from db.embedded.binaries import find_binaries
from db.embedded.cluster import SUPERUSER, environment, prepare, read_password, server_command
from db.embedded.host_capabilities import RUN_AS, HostCapabilities, choose_identity, namespaces_work
from db.embedded.locks import SharedLock, exclusive, is_held
from db.embedded.paths import PORT, DataPaths, data_paths, folder_error
from db.embedded.postmaster import read_postmaster
from db.errors import DiskFull, ServerFailed

SUPERVISOR = Path(__file__).with_name("supervisor.py")
START_LIMIT = (
    3600.0  # seconds; recovery after a crash takes as long as it takes, a dead server is seen at once
)
STOP_LIMIT = 60.0  # seconds for a server without a supervisor to stop, before it is told more plainly
LOG_LIMIT = 5 * 2**20  # bytes of each of the two log files


class EmbeddedServer:
    """A PostgreSQL under ``home``, shared by every process of this account that starts it.

    It stops when the last of them has released it or ended, however it ended.

    Args:
        home: IMS_HOME; everything is kept under its folder ``postgres``.
        progress: told a sentence every few seconds while a start takes long.
        host: what root may do here; only tests say so themselves.
    """

    def __init__(
        self,
        home: Path,
        *,
        progress: Callable[[str], None] | None = None,
        host: HostCapabilities | None = None,
    ) -> None:
        self._home = home
        self._progress = progress or (lambda sentence: None)
        self._host = host or HostCapabilities(namespaces_work)
        self._used: SharedLock | None = None

    def start(self) -> ServerAddress:
        """Make sure that the server runs, and use it from now on.

        Safe to call again, for instance after the server crashed, and by many processes at once. Blocks.

        Returns:
            Where it answers.

        Raises:
            EmbeddedError: it cannot run; the sentence says why.
        """
        paths = data_paths(self._home)
        used_before = self._used is not None and self._used.held
        try:
            if not used_before:
                self._used = SharedLock(paths.lock("users"))  # waits for a supervisor that is just stopping
            with exclusive(paths.lock("start")):
                return _address(paths) or self._launch(paths)
        except BaseException as error:
            if not used_before:
                self.release()
            if isinstance(error, OSError):
                raise folder_error(paths.root, error) from error
            raise

    def release(self) -> None:
        """Say that this process no longer needs the server. Twice is once."""
        if self._used is not None:
            self._used.release()
            self._used = None

    def psql(self) -> Path | None:
        """The shell that came along with the server, where there is one."""
        path = Path(find_binaries().program("psql"))
        return path if path.exists() else None

    def __enter__(self) -> ServerAddress:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _launch(self, paths: DataPaths) -> ServerAddress:
        """Start the server under a supervisor; whoever calls this is the only one."""
        _clear_the_way(paths)
        identity, binaries = choose_identity(paths, find_binaries(), self._host)
        prepare(paths, binaries, identity)
        _remove_traces(paths)
        log = paths.log / "postgresql.log"
        plan = {
            "confine": str(RUN_AS),
            "command": [*identity.arguments, *server_command(paths, binaries)],
            "data": str(paths.data.resolve()),
            "socket": str(paths.socket),
            "log": str(log),
            "log_limit": LOG_LIMIT,
            **{f"{name}_lock": str(paths.lock(name)) for name in ("users", "supervisor", "server")},
        }
        self._await_ready(paths, plan, log)
        address = _address(paths)
        if address is None:
            raise ServerFailed(f"PostgreSQL started and ended at once; {log} says why.")
        return address

    def _await_ready(self, paths: DataPaths, plan: dict[str, Any], log: Path) -> None:
        for message in _supervisor_messages(paths, plan):
            if message["state"] == "ready":
                return
            if message["state"] == "failed":
                if "No space left on device" in message["reason"]:
                    raise DiskFull(f"No space is left on the disk of {paths.base}: free some.")
                raise ServerFailed(f"PostgreSQL did not start: {message['reason']} (see {log}).")
            self._progress(
                f"PostgreSQL is starting, for {message['seconds']} s now; it may be recovering after a crash."
            )
        raise ServerFailed(f"The supervisor of PostgreSQL died; see {paths.log / 'supervisor.log'}.")


def _address(paths: DataPaths) -> ServerAddress | None:
    """Where the server answers that a supervisor keeps; None when none does.

    A supervisor without an answering server is about to have one, or about to go: it is waited for.

    Raises:
        ServerFailed: neither happens.
    """
    deadline = time.monotonic() + START_LIMIT
    while is_held(paths.lock("supervisor")):
        if time.monotonic() > deadline:
            raise ServerFailed(f"PostgreSQL runs in {paths.data} but does not answer: end it by hand.")
        postmaster = read_postmaster(paths.data)
        if postmaster is not None and postmaster.answers:
            assert postmaster.port is not None  # noqa: S101  # it answered there
            assert postmaster.socket_folder is not None  # noqa: S101
            return ServerAddress(
                host=postmaster.socket_folder,
                port=postmaster.port,
                superuser=SUPERUSER,
                password=read_password(paths),
            )
        time.sleep(0.02)
    return None


def _clear_the_way(paths: DataPaths) -> None:
    """Wait for a server that lost its supervisor, or the making of one that lost its starter, to end.

    Raises:
        ServerFailed: a server is at work that is not ours to stop, or that does not stop.
    """
    begun = time.monotonic()
    told = 0
    while is_held(paths.lock("server")):
        postmaster = read_postmaster(paths.data)
        elapsed = time.monotonic() - begun
        patience = (0.0, STOP_LIMIT)
        if postmaster is not None and told < len(patience) and elapsed >= patience[told]:
            if postmaster.serves(paths.data):
                # Fast; then at once, which the next start recovers from.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(postmaster.pid, (signal.SIGINT, signal.SIGQUIT)[told])
            told += 1
        if elapsed > 2 * STOP_LIMIT:
            raise ServerFailed(
                f"A PostgreSQL is still at work in {paths.data} and does not stop: end it by hand."
            )
        time.sleep(0.02)
    postmaster = read_postmaster(paths.data)
    if postmaster is not None and postmaster.serves(paths.data):
        raise ServerFailed(
            f"Another PostgreSQL (process {postmaster.pid}) was started by hand in {paths.data}: "
            "stop it first."
        )


def _remove_traces(paths: DataPaths) -> None:
    """Remove the lock files of a server that is gone for certain.

    PostgreSQL would believe them where their process is now a zombie or another program.
    """
    (paths.data / "postmaster.pid").unlink(missing_ok=True)
    (paths.socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _supervisor_messages(paths: DataPaths, plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Start a supervisor and yield what it says, until it says no more."""
    with (
        open(paths.log / "supervisor.log", "wb", opener=_private) as complaints,
        subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-I", "-S", str(SUPERVISOR), json.dumps(plan)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment(),
            start_new_session=True,  # Ctrl-C at the terminal is meant for us, not for the server
            cwd="/",
        ) as supervisor,
    ):
        assert supervisor.stdout is not None  # noqa: S101  # a pipe was asked for
        deadline = time.monotonic() + START_LIMIT
        rest = b""
        while chunk := _read(supervisor.stdout.fileno(), deadline):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _read(pipe: int, deadline: float) -> bytes:
    ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        raise ServerFailed(f"PostgreSQL did not start within {START_LIMIT:.0f} s.")
    return os.read(pipe, 65536)
