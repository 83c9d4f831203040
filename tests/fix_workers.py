"""Workers as processes on a test's own database, and schedules for them to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crawler.query import parse_query
from db import get_session
from pipeline.bootstrap import Program
from pipeline.jobs.schedules import NewSchedule, add_schedule
from pipeline.settings import Settings
from pipeline.trackers import NewTracker, add_tracker
from tests.fix_database import libpq_url, wait_until
from tests.fix_program import ROOT
from tests.fix_schema import ALICE, Database


@dataclass(frozen=True)
class Yard:
    """A database with workers and schedules."""

    database: Database = field(repr=False)
    home: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def program(self) -> Program:
        """The program as it runs for alice, in this process."""
        return Program(
            settings=Settings(), home=self.home, conninfo=libpq_url(self.database.app_url), user_id=ALICE
        )

    def schedule(
        self,
        url: str,
        *,
        user_id: int = ALICE,
        name: str = "nightly",
        cron: str = "0 2 * * *",
        rate: float | None = None,
        concurrency: int = 16,
        workers: int = 2,
        **more: Any,
    ) -> None:
        """Add a schedule of a user, with a tracker of the same name."""
        tracker = NewTracker(
            name=name,
            kind="ims",
            base_url=url,
            username="kim",
            password="kim-secret",
            rate=rate,
            concurrency=concurrency,
        )
        with get_session(user_id=user_id) as session:
            row = add_tracker(session, tracker, self.program.vault)
            new = NewSchedule(
                name=name,
                query="*",
                parsed=parse_query("*"),
                tracker_id=row.tracker_id,
                cron=cron,
                workers=workers,
                **more,
            )
            add_schedule(session, new)

    def make_due(self, ago: str = "1 second") -> None:
        """Let every schedule have been due for a while."""
        self.rows("UPDATE ims.saved_searches SET next_run_at = now() - %s::interval RETURNING 1", ago)

    def worker(self, *options: str) -> subprocess.Popen[str]:
        """Start a worker; it ends with the test at the latest."""
        return self.start("worker", "--patience", "2", *options)

    def start(self, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        """Start a command, alice's unless IMS_USER says otherwise."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("IMS_")},
            "DATABASE_URL": self.database.app_url,
            "IMS_HOME": str(self.home),
            "IMS_USER": "alice",
            **changed,
        }
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "run_crawl.py"), *arguments],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What is really in the database, past row security."""
        with self.database.superuser() as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def value(self, query: str, *values: object) -> Any:
        """The one value that a query gives."""
        ((value,),) = self.rows(query, *values)
        return value

    def wait(self, query: str, what: str, seconds: float = 40) -> None:
        """Wait until a query gives true."""
        wait_until(lambda: bool(self.value(query)), what, seconds)

    def end(self) -> None:
        """End all workers that this test started."""
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()


@pytest.fixture
def yard(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    """Alice's."""
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    monkeypatch.setenv("IMS_HOME", str(tmp_path))
    monkeypatch.setenv("IMS_USER", "alice")
    made = Yard(database, tmp_path)
    yield made
    made.end()
