"""Faults on purpose: how many were tried, how many rows were compared, what was lost.

Three kinds, each against a stand-in of its own, each run compared row for row with an undisturbed one:
*killed*: the process dies at a commit (right before or right after) and the session is resumed; *cut*: every
answer of the tracker is cut once, at a place that differs; *disconnected*: the server ends the crawl's
connections several times a second, and a session that gave up is resumed. Then: how soon a large session that
was killed fetches again.

Run as ``python -m bench.faults [--issues N] [--every K] [--resume-issues N]``; prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.crawl import ROOT, standin
from db.embedded import EmbeddedServer
from tests.fixtures.database import Server
from tests.fixtures.failpoints import FailingProgram, start_failing_program
from tests.fixtures.program import Tracker
from tests.fixtures.proxy import WAYS, CuttingProxy, cutting_proxy
from tests.fixtures.schema import Database, fresh_database, make_template
from tests.fixtures.standin import ISSUE
from tests.fixtures.stored_rows import Rows, count, difference, stored_rows

DISCONNECTED_EVERY = 0.15  # seconds
END_CONNECTIONS = """
    SELECT count(pg_terminate_backend(pid))
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'ims-crawler'
"""


class Trial:
    """Runs of one kind of fault, each in a database of its own, and what became of the rows."""

    def __init__(self, program: FailingProgram, databases: Callable[[], Any], url: str) -> None:
        self._program = program
        self._databases = databases
        self._options = ("*", "--kind", "ims", "--url", url, "--attachments", "--json")
        self.golden, self.boundaries = self._undisturbed()
        self.faults = self.runs = self.rows = self.lost = self.twice = 0

    def _undisturbed(self) -> tuple[Rows, int]:
        with self._databases() as database:
            done = self._program.run(database, "crawl", *self._options)
            _expect(done.status == 0, done.err)
            return _rows(database), done.boundaries

    @contextmanager
    def run(self) -> Iterator[Database]:
        """A database to disturb a crawl in; afterwards its rows are counted and compared."""
        with self._databases() as database:
            yield database
            rows = _rows(database)
        lost, more = difference(rows, self.golden)
        self.runs += 1
        self.rows += count(rows)
        self.lost += len(lost)
        self.twice += len(more)

    def crawl(self, database: Database) -> None:
        """Crawl to the end, whatever happens on the way."""
        done = self._program.run(database, "crawl", *self._options)
        _expect(done.status == 0, done.err)

    def disturbed(self, database: Database, kill_at: int | None = None) -> None:
        """Crawl, and die at a commit or not."""
        self._program.run(database, "crawl", *self._options, kill_at=kill_at)

    def finish(self, database: Database) -> None:
        """Do what a user does after a crawl that did not end well."""
        sessions = self._program.run(database, "sessions", "--json").document
        if not sessions:
            self.crawl(database)
        elif sessions[0]["status"] != "completed":
            done = self._program.run(database, "resume", sessions[0]["session_uuid"], "--json")
            _expect(done.status == 0, done.err)

    @property
    def figures(self) -> dict[str, int]:
        """What came of it."""
        return {
            "faults": self.faults,
            "runs": self.runs,
            "rows_checked": self.rows,
            "rows_lost": self.lost,
            "rows_too_many": self.twice,
        }


def main() -> None:
    """Disturb crawls, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=60)
    parser.add_argument("--every", type=int, default=3, help="kill at every so manieth boundary")
    parser.add_argument("--resume-issues", type=int, default=50_000)
    options = parser.parse_args()
    figures: dict[str, Any] = {"issues": options.issues}
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(Path(folder)) as address,
        start_failing_program(Path(folder) / "home") as program,
    ):
        server = Server(name="embedded", superuser_url=address.superuser_url())
        template = make_template(server)

        def databases() -> Any:
            return fresh_database(server, template)

        with standin(options.issues) as url:
            figures["killed"] = _kill(Trial(program, databases, url), options.every)
            with cutting_proxy(url) as proxy:
                figures["cut"] = _cut(Trial(program, databases, proxy.url), proxy)
            figures["disconnected"] = _disconnect(Trial(program, databases, url))
        with standin(options.resume_issues) as url, cutting_proxy(url) as proxy, databases() as database:
            figures["resume"] = {
                "issues": options.resume_issues,
                "seconds_until_fetching": _resume(database, proxy, Path(folder), options.resume_issues),
            }
    print(json.dumps(figures, indent=2))


def _kill(trial: Trial, every: int) -> dict[str, int]:
    for boundary in range(1, trial.boundaries + 1, every):
        with trial.run() as database:
            trial.disturbed(database, kill_at=boundary)
            trial.finish(database)
            trial.faults += 1
    return trial.figures


def _cut(trial: Trial, proxy: CuttingProxy) -> dict[str, int]:
    for way in range(0, WAYS, 3):  # each answer meets another way in each run
        proxy.cut_from(way)
        with trial.run() as database:
            trial.crawl(database)
    trial.faults = proxy.cuts
    return trial.figures


def _disconnect(trial: Trial) -> dict[str, int]:
    for _ in range(5):
        with trial.run() as database:
            with _disconnecting(trial, database):
                trial.disturbed(database)
            trial.finish(database)
    return trial.figures


@contextmanager
def _disconnecting(trial: Trial, database: Database) -> Iterator[None]:
    enough = threading.Event()

    def disconnect() -> None:
        with database.superuser() as connection:
            while not enough.wait(DISCONNECTED_EVERY):
                trial.faults += connection.execute(END_CONNECTIONS).fetchall()[0][0]

    thread = threading.Thread(target=disconnect)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def _resume(database: Database, proxy: CuttingProxy, folder: Path, issues: int) -> float:
    """Seconds from the start of ``resume`` until the first issue is asked for."""
    environment = {
        **os.environ,
        **Tracker.ACCOUNT,
        "DATABASE_URL": database.app_url,
        "IMS_HOME": str(folder / "home"),
        "IMS_USER": "alice",
        "IMS_LOG": "json",
    }
    command = [sys.executable, str(ROOT / "run_crawl.py")]
    options = ["--kind", "ims", "--url", proxy.url, "--workers", "8"]
    with (
        database.superuser() as connection,
        subprocess.Popen([*command, "crawl", "*", *options], env=environment, cwd=ROOT) as crawl,
    ):
        found = "SELECT count(*) FROM ims.session_frontier"
        while connection.execute(found).fetchall()[0][0] < issues:
            _expect(crawl.poll() is None, "the crawl ended before it was killed")
            time.sleep(0.5)
        crawl.kill()
        crawl.wait()
        uuid = connection.execute("SELECT session_uuid FROM ims.crawl_sessions").fetchall()[0][0]
        proxy.asked.clear()
        began = time.monotonic()
        with subprocess.Popen([*command, "resume", str(uuid)], env=environment, cwd=ROOT) as resumed:
            while not (fetched := [moment for moment, path in list(proxy.asked) if path.startswith(ISSUE)]):
                _expect(resumed.poll() is None, "the resumed session fetched nothing")
                time.sleep(0.01)
            resumed.kill()
    return round(fetched[0] - began, 2)


def _rows(database: Database) -> Rows:
    with database.superuser() as connection:
        return stored_rows(connection)


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SystemExit(otherwise)


if __name__ == "__main__":
    main()
