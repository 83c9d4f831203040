"""The use cases: read issues again from kept pages, and files from their bytes, without the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from uuid import UUID

from sqlalchemy import func, select

from crawler.errors import UsageError
from db import get_session
from db.crawl.file_texts import Selected as FilesSelected
from db.crawl.raw_pages import Heading, Selected, headings, portions
from db.crawl.transaction import UserTransactions
from db.log_library import structlog
from db.models import CrawlSession
from db.models import Tracker as TrackerModel
from pipeline.attachments.texts import ReadFiles, read_texts
from pipeline.reparse.batch import KeptBatch, ReparseResult, candidates
from pipeline.trackers.connect import Tracker
from pipeline.trackers.opened import described
from pipeline.trackers.process import TrackerProcess

BATCH_ISSUES = 400
BATCH_BYTES = 6 * 2**20  # of pages: what a batch may hold of memory, but for a single larger page
LINE_EVERY = 5.0  # seconds between two log lines

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is to be read again; with nothing set, everything that the user has kept."""

    session_uuid: UUID | None = None
    tracker: str | None = None
    issue_id: str | None = None
    quarantined: bool = False  # only issues of which a page is in quarantine


async def reparse(conninfo: str, user_id: int, wanted: Wanted) -> ReparseResult:
    """Read issues again from their newest kept pages, and store what differs.

    A quarantined page that can be read now leaves the quarantine. An issue whose newest page cannot be read,
    but an earlier one can, is read from that one. Each batch is committed by itself: stopped anywhere, it
    can be begun again.

    Args:
        conninfo: the database.
        user_id: whose pages.
        wanted: which of them.

    Raises:
        UsageError: this user has no such session or tracker.
        DatabaseError: the database is away.
    """
    total = ReparseResult()
    session_id, trackers = _find(user_id, wanted)
    for tracker in trackers:
        selected = Selected(
            user_id=user_id,
            tracker_id=tracker.tracker_id,
            session_id=session_id,
            issue_id=wanted.issue_id,
            quarantined=wanted.quarantined,
        )
        async with TrackerProcess(tracker, network=False) as parser:
            await _Run(conninfo, parser, selected, total).go()
    return total


async def read_files_again(conninfo: str, user_id: int, home: Path, wanted: Wanted) -> ReadFiles:
    """Read the texts of fetched files again.

    Args:
        conninfo: the database.
        user_id: whose files.
        home: the data folder.
        wanted: of which session or tracker.

    Raises:
        UsageError: this user has no such session or tracker.
        DatabaseError: the database is away.
    """
    session_id, trackers = _find(user_id, wanted)
    tracker_id = None if wanted.tracker is None else trackers[0].tracker_id
    selected = FilesSelected(user_id=user_id, session_id=session_id, tracker_id=tracker_id)
    async with UserTransactions(conninfo, user_id) as transactions:
        return await read_texts(transactions, selected, home, again=True)


def _find(user_id: int, wanted: Wanted) -> tuple[int | None, list[Tracker]]:
    with get_session(user_id=user_id) as session:
        mine = select(TrackerModel).where(TrackerModel.user_id == func.ims.current_user_id())
        session_id = None
        if wanted.session_uuid is not None:
            row = session.scalar(
                select(CrawlSession).where(
                    CrawlSession.session_uuid == wanted.session_uuid, CrawlSession.user_id == user_id
                )
            )
            if row is None:
                raise UsageError(f"There is no session {wanted.session_uuid}: see sessions.")
            session_id = row.session_id
            mine = mine.where(TrackerModel.tracker_id == row.tracker_id)
        if wanted.tracker is not None:
            mine = mine.where(TrackerModel.name == wanted.tracker)
        trackers = [described(row) for row in session.scalars(mine.order_by(TrackerModel.tracker_id))]
    if wanted.tracker is not None and not trackers:
        raise UsageError(f"There is no tracker called {wanted.tracker!r}: see trackers list.")
    return session_id, trackers


class _Run:
    """One tracker's issues: while a batch is stored, the next one is read."""

    def __init__(
        self, conninfo: str, parser: TrackerProcess, selected: Selected, total: ReparseResult
    ) -> None:
        self._reading = UserTransactions(conninfo, selected.user_id)
        self._loading = UserTransactions(conninfo, selected.user_id)
        self._parser = parser
        self._selected = selected
        self._total = total
        self._ready: asyncio.Queue[KeptBatch | None] = asyncio.Queue(maxsize=1)
        self._told = monotonic()

    async def go(self) -> None:
        async with self._reading, self._loading:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._read())
                    group.create_task(self._store())
            except BaseExceptionGroup as group:
                raise _first(group) from group

    async def _read(self) -> None:
        async for issues in self._portions():
            batch = KeptBatch(self._selected, issues)
            await batch.read(self._reading, self._parser)
            await self._ready.put(batch)
        await self._ready.put(None)

    async def _portions(self) -> AsyncIterator[dict[str, list[Heading]]]:
        after = ""
        while issues := await self._reading.run(
            lambda connection, after=after: headings(connection, self._selected, after)  # type: ignore[misc] # mypy does not infer a lambda with a default
        ):
            kept = dict(issues)
            sizes = {
                number: sum(page.size for fetch in candidates(of_it) for page in fetch)
                for number, of_it in issues
            }
            for numbers in portions(sizes, most=BATCH_ISSUES, most_bytes=BATCH_BYTES):
                yield {number: kept[number] for number in numbers}
            after = issues[-1][0]

    async def _store(self) -> None:
        while (batch := await self._ready.get()) is not None:
            await batch.store(self._loading, self._total)
            if monotonic() - self._told >= LINE_EVERY:
                self._told = monotonic()
                log.info("reading again", issues=self._total.issues, changed=self._total.changed)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
