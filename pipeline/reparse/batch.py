"""Issues that are read again together from their kept pages, and stored in one transaction."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from crawler.errors import ItemError, PageDamaged
from db.crawl.raw_pages import (
    Heading,
    Selected,
    blame,
    read_pages,
    release,
    stored_fields,
)
from db.crawl.transaction import UserTransactions
from db.loader import BatchResult, load_batch
from db.rows import IssueRow, PackedPageRow
from pipeline.logs import told
from pipeline.stages.translate import to_page, to_row
from pipeline.trackers.process import TrackerProcess

Kept = Mapping[int, PackedPageRow]

FAILURES_SHOWN = 100


@dataclass(slots=True)
class ReparseResult:
    """Totals of a reparse."""

    pages: int = 0  # read
    issues: int = 0  # that could be read and are stored
    changed: int = 0  # of these, stored anew
    failed: int = 0  # that could not; what is stored of them stays as it was
    released: int = 0  # pages let out of quarantine
    fields: Counter[str] = field(default_factory=Counter)  # in how many issues a field changed
    failures: list[tuple[str, str]] = field(default_factory=list)  # the first ones: issue, why

    def fail(self, issue_id: str, reason: str) -> None:
        """Count an issue that cannot be read."""
        self.failed += 1
        if len(self.failures) < FAILURES_SHOWN:
            self.failures.append((issue_id, reason))


def candidates(of_issue: Sequence[Heading]) -> list[list[Heading]]:
    """From which pages an issue can be read: its newest fetch, and where that is in quarantine, the newest
    one that is not and has the same parts.

    Args:
        of_issue: all that is kept of it, the latest first.
    """
    newest = _fetch(of_issue)
    if not any(page.quarantined for page in newest):
        return [newest]
    readable = [page for page in of_issue if not page.quarantined]
    earlier = _fetch(readable) if readable else []
    same_parts = {page.part for page in earlier} == {page.part for page in newest}
    return [newest, earlier] if same_parts else [newest]


def _fetch(pages: Sequence[Heading]) -> list[Heading]:
    return [page for page in pages if page.fetched_at == pages[0].fetched_at]


class KeptBatch:
    """Issues that are read together and stored in one transaction."""

    def __init__(self, selected: Selected, issues: Mapping[str, Sequence[Heading]]) -> None:
        self._selected = selected
        self._issues = issues
        self._rows: list[tuple[str, IssueRow]] = []
        self._failures: dict[str, str] = {}  # why an issue's newest page cannot be read
        self._readable: list[int] = []  # pages that need not be in quarantine
        self._blamed: dict[int, str] = {}  # pages that cannot be read, and why
        self._pages = 0

    async def read(self, transactions: UserTransactions, parser: TrackerProcess) -> None:
        """Read the pages and parse them."""
        wanted = [
            page.raw_page_id
            for of_it in self._issues.values()
            for fetch in candidates(of_it)
            for page in fetch
        ]
        user_id = self._selected.user_id
        kept = await transactions.run(lambda c: read_pages(c, user_id=user_id, raw_page_ids=wanted))
        async with asyncio.TaskGroup() as group:
            for number, of_it in self._issues.items():
                group.create_task(self._read_issue(number, of_it, kept, parser))

    async def _read_issue(
        self, number: str, of_it: Sequence[Heading], kept: Kept, parser: TrackerProcess
    ) -> None:
        for fetch in candidates(of_it):
            try:
                record = await parser.parse([to_page(kept[page.raw_page_id]) for page in fetch])
                self._pages += len(fetch)
            except ItemError as error:
                self._pages += 0 if isinstance(error, PageDamaged) else len(fetch)
                self._failures.setdefault(number, told(error))
                self._blamed |= {page.raw_page_id: told(error) for page in fetch}
                continue
            seen = fetch[0].fetched_at
            row = to_row(record, (), position=0, crawl_duration_ms=0, observed_at=seen)
            self._rows.append((number, row))
            if seen == of_it[0].fetched_at:
                # What came last can be read, so nobody needs to look at what came before it.
                self._readable += [page.raw_page_id for page in of_it]
            return

    async def store(self, transactions: UserTransactions, total: ReparseResult) -> None:
        """Commit the batch, then count it."""
        result, released, fields = await transactions.run(self._commit)
        for number, row in self._rows:
            if result.outcomes[row.issue_id] == "failed":
                self._failures.setdefault(number, result.details[row.issue_id])
        for number, reason in self._failures.items():
            total.fail(number, reason)
        total.pages += self._pages
        total.issues += len(self._issues) - len(self._failures)
        total.changed += sum(outcome in ("new", "changed") for outcome in result.outcomes.values())
        total.released += released
        total.fields.update(fields)

    async def _commit(self, connection: psycopg.AsyncConnection) -> tuple[BatchResult, int, Counter[str]]:
        user_id, tracker_id = self._selected.user_id, self._selected.tracker_id
        rows = [row for _, row in self._rows]
        before = await stored_fields(
            connection, user_id=user_id, tracker_id=tracker_id, issue_ids=[row.issue_id for row in rows]
        )
        result = await load_batch(
            connection, user_id=user_id, tracker_id=tracker_id, session_id=None, rows=rows, observe=False
        )
        refused = {number for number, row in self._rows if result.outcomes[row.issue_id] == "failed"}
        of_refused = {page.raw_page_id for number in refused for page in self._issues[number]}
        released = await release(
            connection,
            user_id=user_id,
            raw_page_ids=[number for number in self._readable if number not in of_refused],
        )
        await blame(connection, user_id=user_id, reasons=self._blamed)
        return result, released, _differing(rows, before, result)


def _differing(
    rows: Sequence[IssueRow], before: Mapping[str, Mapping[str, Any]], result: BatchResult
) -> Counter[str]:
    """In how many of the changed issues which field differs; what hangs on an issue is not told apart."""
    fields: Counter[str] = Counter()
    for row in rows:
        if result.outcomes[row.issue_id] == "new":
            fields["new issue"] += 1
        elif result.outcomes[row.issue_id] == "changed":
            stored = before[row.issue_id]
            names = [name for name, value in stored.items() if value != getattr(row, name)]
            fields.update(names or ["comments, history, files or links"])
    return fields
