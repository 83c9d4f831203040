"""The program, made to die at a commit of its own choosing: for tests and benchmarks of resuming.

A server without threads, ``python -m tests.failing_program``: it has imported the program once and
forks for each command, a line of JSON (arguments, environment, kill_at), so that a run costs no start of
an interpreter. Each commit of a transaction that wrote something has two boundaries, one right before it and
one right after; at the one with the number ``kill_at``, counted from 1, the process kills itself as ``kill
-9`` does. The answer, a line of JSON too, tells the exit status (below 0: the signal), how many boundaries
were passed, and what was printed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from cli import app
from crawler.sources import ims_request
from crawler.sources.ims import ImsSource
from db.actor import Actor
from pipeline.stages import load, search

# Small, so that a small session has many commits.
ISSUES_OF_A_BATCH = 10
ROWS_OF_A_LIST = 20
_WROTE = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"


class _Boundaries:
    """Counts the boundaries of this process, in a file that outlives it."""

    def __init__(self, path: Path, kill_at: int | None) -> None:
        self._path = path
        self._kill_at = kill_at
        self._passed = 0

    def cross(self) -> None:
        self._passed += 1
        self._path.write_text(str(self._passed))
        if self._passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _watch(boundaries: _Boundaries) -> None:
    once, commit = Actor._once, psycopg.Connection.commit

    async def watched_once(self: Actor, work: Any) -> Any:
        wrote = False

        async def watched(connection: psycopg.AsyncConnection) -> Any:
            nonlocal wrote
            result = await work(connection)
            ((wrote,),) = await (await connection.execute(_WROTE)).fetchall()
            if wrote:
                boundaries.cross()
            return result

        result = await once(self, watched)
        if wrote:
            boundaries.cross()
        return result

    def watched_commit(self: psycopg.Connection) -> None:
        wrote = False
        if self.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            # not through execute(): the connection's own cursors have SQLAlchemy's settings
            wrote = self.pgconn.exec_(_WROTE.encode()).get_value(0, 0) == b"t"
        if wrote:
            boundaries.cross()
        commit(self)
        if wrote:
            boundaries.cross()

    Actor._once = watched_once  # type: ignore[method-assign] # this is what the module is for
    psycopg.Connection.commit = watched_commit  # type: ignore[method-assign] # likewise
    load.BATCH_ISSUES = ISSUES_OF_A_BATCH
    search.GATHERED = 1
    ims_request._LARGE_PAGE = ROWS_OF_A_LIST  # type: ignore[misc] # likewise


def _fail_with_password() -> None:
    """A defect of the program whose message has the tracker's password in it."""

    def fail(self: ImsSource, *_: object, **__: object) -> None:
        raise ArithmeticError(f"a defect that says {self._connection.password}")

    ImsSource.render = fail  # type: ignore[method-assign, assignment] # this is what the module is for


def _run(command: dict[str, Any], folder: Path) -> dict[str, Any]:
    out, err, passed = folder / "out", folder / "err", folder / "passed"
    pid = os.fork()
    if pid == 0:
        status = 70  # nothing below came to its end
        try:
            os.environ.update(command["environment"])
            for number, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
            sys.stdin.close()
            _watch(_Boundaries(passed, command["kill_at"]))
            if "FAIL_WITH_PASSWORD" in command["environment"]:
                _fail_with_password()
            status = app._run(command["arguments"])
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    _, wait_status = os.waitpid(pid, 0)
    return {
        "status": os.waitstatus_to_exitcode(wait_status),
        "boundaries": int(passed.read_text()) if passed.exists() else 0,
        "out": out.read_text(),
        "err": err.read_text(),
    }


def main() -> None:
    """Answer commands until standard input ends."""
    for line in sys.stdin:
        with tempfile.TemporaryDirectory() as folder:
            answer = _run(json.loads(line), Path(folder))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
