"""Supervisor of the embedded server: it lives exactly as long as somebody uses it.

A program of its own, run by its path (``python -I -S supervisor.py PLAN``, PLAN a JSON object), so that it
imports nothing but a little of the standard library. It is the parent of ``postgres``. Every process that
uses the server holds a shared lock on the users' file; the supervisor waits for the exclusive one. The
kernel frees a lock however its holder dies, so when the supervisor gets it, the last user is gone: it stops
the server, *still holding the lock*, and exits. A newcomer waits at the lock meanwhile, so nobody is ever
handed a server that is about to stop.

Where to look from outside: ``supervisor.lock`` is held while a supervisor lives, ``server.lock`` while any
process of PostgreSQL does (they inherit it). Standard output carries one JSON object a line to whoever
started the supervisor: ``{"state": "starting", "seconds": 3}``, then ``{"state": "ready"}`` or
``{"state": "failed", "reason": "…"}``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Any

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PATIENCE = (
    (signal.SIGINT, 60.0),
    (signal.SIGQUIT, 20.0),
    (signal.SIGKILL, 10.0),
)  # how to stop, seconds to wait


_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Log:
    """What PostgreSQL says, in two files that never grow past ``limit`` bytes each.

    A full disk must not stop the server, which would block on a pipe that nobody empties: then lines are
    lost.
    """

    def __init__(self, path: str, limit: int) -> None:
        self.path = path
        self._limit = limit
        self._file = os.open(path, _LOG, 0o600)
        self._size = os.fstat(self._file).st_size
        self._last: deque[bytes] = deque(maxlen=40)

    def follow(self, pipe: int) -> None:
        """Write down what comes out of the pipe until its end."""
        while chunk := os.read(pipe, min(65536, self._limit)):
            self._last.extend(chunk.splitlines())
            with contextlib.suppress(OSError):
                self._write(chunk)

    def _write(self, chunk: bytes) -> None:
        if self._size + len(chunk) > self._limit:
            os.rename(self.path, self.path + ".1")  # noqa: PTH104  # pathlib doubles the start-up time
            os.close(self._file)
            self._file = os.open(self.path, _LOG, 0o600)
            self._size = 0
        self._size += os.write(self._file, chunk)

    def reason(self) -> str:
        """The last thing that was said before the end: the fatal line, else the last one."""
        lines = [line.decode("utf-8", "replace") for line in self._last]
        fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        line = (fatal or lines or ["it said nothing"])[-1]
        return line.partition("FATAL:")[2].strip() or line.partition("PANIC:")[2].strip() or line.strip()


def tell(**message: object) -> None:
    """Say something to whoever started us, if it is still there."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(message).encode() + b"\n")


def take(path: str, how: int) -> int:
    """Take a lock, waiting for it unless told otherwise, and return its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(descriptor, how)
    return descriptor


def is_ready(data: str, pid: int) -> bool:
    """Tell whether PostgreSQL has written into its pid file that it takes connections, as pg_ctl does."""
    try:
        with open(os.path.join(data, "postmaster.pid"), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123  # pathlib doubles the supervisor's start-up time
            lines = file.read().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def report_start(data: str, pid: int, every: float = 2.0) -> None:
    """Tell how the start goes, every so many seconds, until it is through.

    Its failure is told by whoever sees the server end.
    """
    begun = told = time.monotonic()
    while not is_ready(data, pid):
        time.sleep(0.005)
        if (now := time.monotonic()) - told >= every:
            told = now
            tell(state="starting", seconds=round(now - begun))
    tell(state="ready")


def stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server: fast, then at once, then by force. The main thread sees it end and ends us."""
    for number, seconds in _PATIENCE:
        server.send_signal(number)
        time.sleep(seconds)


def stop_when_unused(users_lock: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until nobody uses the server any more, then stop it."""
    take(users_lock, fcntl.LOCK_EX)  # held until we are gone, so that a newcomer waits for the end
    stop(server)


def keep(plan: dict[str, Any]) -> None:
    """Start the server, wait for its end, and say why if it came before the server was ready."""
    try:
        take(plan["supervisor_lock"], fcntl.LOCK_EX | fcntl.LOCK_NB)
        server_lock = take(plan["server_lock"], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        tell(state="failed", reason="another server is still at work in this folder")
        return
    signal.signal(
        signal.SIGCHLD, lambda *_: None
    )  # a signal that is ignored need not be delivered to sigwait
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *_STOP_SIGNALS})
    log = Log(plan["log"], plan["log_limit"])
    server = subprocess.Popen(  # noqa: S603  # the plan comes from our own package
        [sys.executable, "-I", "-S", plan["confine"], str(os.getpid()), *plan["command"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[server_lock],
        cwd=plan["data"],
    )
    assert server.stderr is not None  # noqa: S101  # a pipe was asked for
    follower = threading.Thread(target=log.follow, args=(server.stderr.fileno(),), daemon=True)
    reporter = threading.Thread(target=report_start, args=(plan["data"], server.pid), daemon=True)
    watcher = threading.Thread(target=stop_when_unused, args=(plan["users_lock"], server), daemon=True)
    for thread in (follower, reporter, watcher):
        thread.start()
    while server.poll() is None:
        if signal.sigwait({signal.SIGCHLD, *_STOP_SIGNALS}) != signal.SIGCHLD:
            threading.Thread(target=stop, args=(server,), daemon=True).start()
    follower.join(timeout=1)
    with contextlib.suppress(OSError):  # a killed server's socket is left in it, for the next one
        os.rmdir(plan["socket"])  # noqa: PTH106  # as above
    tell(state="failed", reason=log.reason())


def main() -> None:
    """Let go of whoever started us, then keep the server."""
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    keep(json.loads(sys.argv[1]))
    os._exit(0)  # the threads wait for things that no longer matter


if __name__ == "__main__":
    main()
