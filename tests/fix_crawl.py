"""Crawls within the test's own process: the stand-in, the pipeline and a database of the test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crawler.errors import CrawlError
from crawler.query import parse_query
from crawler.standin import StandIn
from db import get_session
from db.errors import DatabaseError
from pipeline.bootstrap import Program
from pipeline.connect import Tracker
from pipeline.outcome import outcome
from pipeline.session import CrawlRequest, Handle, begin, take_over
from pipeline.settings import Settings
from pipeline.trackers import NewTracker, add_tracker, open_tracker
from tests.fix_database import libpq_url
from tests.fix_schema import ALICE, Database


@dataclass(frozen=True)
class Crawled:
    """A session that ended."""

    handle: Handle
    error: CrawlError | DatabaseError | None
    outcome: dict[str, Any]


@dataclass(frozen=True)
class Crawler:
    """A user who crawls."""

    database: Database = field(repr=False)
    home: Path
    user_id: int = ALICE
    kind: str = "ims"

    @property
    def program(self) -> Program:
        """The program as it runs for this user."""
        return Program(
            settings=Settings(),
            home=self.home,
            conninfo=libpq_url(self.database.app_url),
            user_id=self.user_id,
        )

    def tracker(self, standin: StandIn) -> Tracker:
        """The user's connection to a stand-in."""
        program = self.program
        new = NewTracker(
            name="desk", kind=self.kind, base_url=standin.url, username="kim", password="kim-secret"
        )
        with get_session(user_id=self.user_id) as session:
            add_tracker(session, new, program.vault)
            return open_tracker(session, "desk", program.settings, program.vault)

    async def crawl(self, standin: StandIn, query: str = "*", **request: Any) -> Crawled:
        """One session to its end."""
        tracker = self.tracker(standin)
        wanted = CrawlRequest(original=query, query=parse_query(query), **request)
        return await self._work_on(begin(self.user_id, tracker.tracker_id, wanted), tracker)

    async def resume(self, standin: StandIn, session_uuid: UUID) -> Crawled:
        """Go on with a session."""
        return await self._work_on(take_over(self.user_id, session_uuid), self.tracker(standin))

    async def _work_on(self, handle: Handle, tracker: Tracker) -> Crawled:
        error = await self.program.run_within(handle, tracker)
        return Crawled(handle, error, outcome(handle))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What is really in the database, past row security."""
        with self.database.superuser() as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def value(self, query: str, *values: object) -> Any:
        """The one value that a query gives."""
        ((value,),) = self.rows(query, *values)
        return value


_SOURCE = """
import json
from dataclasses import replace
from pathlib import Path

from crawler.errors import PageRejected
from crawler.sources.ims import ImsSource

class MoodySource(ImsSource):
    kind = "moody"

    def parse(self, pages):
        mood = json.loads(Path(__file__).with_name("mood.json").read_text())
        record = super().parse(pages)
        if record.issue_id in mood.get("defect", ()):
            raise ZeroDivisionError("words of the page")
        if record.issue_id in mood.get("reject", ()):
            raise PageRejected("Not in the mood.")
        return replace(record, **mood.get("say", {}))
"""


@dataclass(frozen=True)
class Moods:
    """An installed kind of tracker, ``moody``: it reads IMS pages, well or ill as it is told."""

    folder: Path

    def be(self, **mood: Any) -> None:
        """Say how it reads from now on.

        Args:
            mood: ``defect``: numbers of issues at which its parser fails; ``reject``: that it rejects;
                ``say``: fields of the record by their names, put over what was read.
        """
        (self.folder / "mood.json").write_text(json.dumps(mood))


@pytest.fixture
def moods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Moods:
    """The kind ``moody`` as somebody else's package would bring it, in a good mood."""
    folder = tmp_path / "site"
    about = folder / "moody-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[ims_crawler.sources]\nmoody = moody_source:MoodySource\n")
    (folder / "moody_source.py").write_text(_SOURCE)
    monkeypatch.syspath_prepend(folder)
    moods = Moods(folder)
    moods.be()
    return moods


@pytest.fixture
def crawler(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crawler:
    """Alice, who is the configured user."""
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    monkeypatch.setenv("IMS_HOME", str(tmp_path))
    monkeypatch.setenv("IMS_USER", "alice")
    return Crawler(database, tmp_path)
