"""One call of the loader: compare with what is stored, write what differs, tell the session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from db.loader.coerce import LONGEST_WORD, RowRefused
from db.loader.content_hash import NAMES
from db.loader.pages import keep
from db.loader.prepared import PreparedIssue, newest, prepare
from db.loader.result import BatchResult, Outcome
from db.loader.staging import Stages
from db.queries import statements
from db.rows import IssueRow, SameIssueRow
from db.sanitize import INTEGER_MAX, storable_text

# What one row's data can do to a batch: such an error costs that row only. A key that points to nothing
# is none of the data's doing and the same for every row.
_OF_THE_DATA = (
    psycopg.DataError,
    psycopg.IntegrityError,
    AttributeError,
    OverflowError,
    TypeError,
    ValueError,
)


class Batch:
    """One call of the loader."""

    def __init__(
        self,
        connection: psycopg.AsyncConnection,
        user_id: int,
        tracker_id: int | None,
        session_id: int | None,
        observe: bool,
    ) -> None:
        self.result = BatchResult()
        self._connection = connection
        self._user_id = user_id
        self._tracker_id = tracker_id
        self._session_id = session_id
        self._observe = observe
        self._stages = Stages(connection)
        self._unchanged: list[PreparedIssue] = []

    def prepare(self, rows: Iterable[IssueRow]) -> dict[str, PreparedIssue]:
        """Hash the rows; those that no mending helps are failed at once."""
        drafts = []
        now = datetime.now(UTC)
        for row in rows:
            try:
                drafts.append(prepare(row, now))
            except _OF_THE_DATA as error:
                self._fail(row, error)
        kept, differing = newest(drafts)
        for number in differing:
            self.result.note(number, "came twice with different contents, the newest was taken")
        return kept

    async def load(self, drafts: dict[str, PreparedIssue], same: dict[str, SameIssueRow]) -> None:
        """Compare with what is stored, write what differs, tell the session."""
        to_write = await self._compare(drafts, same)
        if to_write:
            await self._stages.prepare()
            await self._write(sorted(to_write, key=lambda draft: draft.row.issue_id))
        async with self._connection.pipeline():
            await self._retitle()
            await self._tell_session(drafts, same)
            await self._run("end")

    async def _compare(
        self, drafts: dict[str, PreparedIssue], same: dict[str, SameIssueRow]
    ) -> list[PreparedIssue]:
        """Sort out what is unchanged, or older than what is stored; return the rest."""
        async with self._connection.pipeline():
            await self._run("begin")
            await self._run("lock_tracker")
            known = await self._run("known", issue_ids=sorted({*drafts, *same}))
        new = dict(drafts)
        gone = []
        for number, pk, content_hash, seen_at, removed, rivalled in await known.fetchall():
            if number in same:
                self.result.issue_pks[number] = pk
                self.result.outcomes[number] = "unchanged"
                gone += [pk] if removed else []
                continue
            found = new[number]
            found.known_pk = self.result.issue_pks[number] = pk
            if rivalled and found.observed_at < seen_at:
                self.result.note(number, "a younger observation is stored already")
            elif removed or content_hash != found.content_hash:
                continue
            else:
                self._unchanged.append(found)
            self._count(new.pop(number), "unchanged")
        await self._count_same(same, gone)
        return [found for found in new.values() if self._mended(found)]

    async def _count_same(self, same: dict[str, SameIssueRow], gone: list[int]) -> None:
        """Count what is stored of the issues that are as they were.

        Args:
            same: these issues.
            gone: the keys of those that somebody has called removed meanwhile.
        """
        pks = [self.result.issue_pks[number] for number in same if number in self.result.issue_pks]
        for number in same.keys() - self.result.issue_pks.keys():
            self.result.outcomes[number] = "failed"
            self.result.note(number, "The stored issue was removed while it was looked at: crawl it again.")
        if gone:
            await self._run("reinstate", issue_pks=gone)
        if pks:
            (counted,) = await (await self._run("count_children", issue_pks=pks)).fetchall()
            self.result.same_comments, self.result.same_history = counted
            self.result.comments_stored += counted[0]
            self.result.history_stored += counted[1]

    def _mended(self, found: PreparedIssue) -> bool:
        try:
            found.coerce_row()
        except _OF_THE_DATA as error:
            self._fail(found.row, error)
            return False
        return True

    async def _write(self, drafts: Sequence[PreparedIssue]) -> None:
        """Write these issues, or as many of them as the data allows."""
        try:
            async with self._connection.transaction():
                pks, pages = await self._store(drafts)
        except (psycopg.Error, *_OF_THE_DATA) as error:
            if not _is_of_the_data(error):
                raise
            if len(drafts) == 1:
                self._fail(drafts[0].row, error)
                return
            middle = len(drafts) // 2
            await self._write(drafts[:middle])
            await self._write(drafts[middle:])
            return
        self.result.pages_kept += pages
        for stored in drafts:
            number = stored.row.issue_id
            self._count(stored, "new" if stored.known_pk is None else "changed")
            self.result.issue_pks[number] = pks[number]
            for note in stored.notes:
                self.result.note(number, note)

    async def _store(self, drafts: Sequence[PreparedIssue]) -> tuple[dict[str, int], int]:
        """Write these issues with all that belongs to them; return their keys and the number of pages."""
        known = [draft.known_pk for draft in drafts if draft.known_pk is not None]
        await self._stages.clear()
        await self._stages.fill_issues(drafts)
        async with self._connection.pipeline():
            if known and self._observe:
                await self._run("remember", issue_pks=known)
            saved = await self._run("save_issues")
        pks: dict[str, int] = dict(await saved.fetchall())
        for stored in drafts:
            stored.issue_pk = pks[stored.row.issue_id]
        await self._stages.fill_children(drafts)
        async with self._connection.pipeline():
            if known:
                await self._follow_changes(known)
            for kind in ("comments", "history", "attachments", "relations"):
                if any(getattr(draft.row, kind) for draft in drafts):
                    await self._run(f"save_{kind}")
            pages = await keep(
                self._connection,
                ((draft.row.issue_id, page) for draft in drafts for page in draft.row.pages),
                user_id=self._user_id,
                tracker_id=self._tracker_id,
                session_id=self._session_id,
            )
        return pks, pages

    async def _follow_changes(self, known: list[int]) -> None:
        """Record what the tracker does not tell of these issues' changes, and what is gone from them."""
        if self._observe:
            await self._run("observe_fields", issue_pks=known, names=NAMES)
            await self._run("observe_comments", issue_pks=known)
        for kind in ("comments", "attachments", "relations"):
            await self._run(f"bury_{kind}", issue_pks=known)

    async def _retitle(self) -> None:
        """Write what related issues are called now, which is no change of the issues that name them."""
        links = [
            (found.known_pk, link)
            for found in self._unchanged
            for link in found.row.relations
            if link.title is not None
        ]
        if links and self._observe:  # a page that was kept has old titles
            await self._run(
                "retitle_relations",
                issue_pks=[pk for pk, _ in links],
                related=[storable_text(link.related_issue_id) for _, link in links],
                types=[storable_text(link.relation_type)[:LONGEST_WORD] for _, link in links],
                titles=[storable_text(link.title or "") for _, link in links],
            )

    async def _tell_session(self, drafts: dict[str, PreparedIssue], same: dict[str, SameIssueRow]) -> None:
        """Write down that the session brought these issues; none of them where there is no session."""
        if self._session_id is None:
            return
        pks = self.result.issue_pks
        rows: list[IssueRow | SameIssueRow] = [
            *(draft.row for number, draft in drafts.items() if self.result.outcomes[number] != "failed"),
            *(each for number, each in same.items() if number in pks),
        ]
        if rows:
            await self._run(
                "tell_session",
                issue_pks=[pks[row.issue_id] for row in rows],
                orders=[_bounded(row.position) for row in rows],
                durations=[_bounded(row.crawl_duration_ms) for row in rows],
                had_errors=[row.had_errors for row in rows],
                messages=[
                    None if row.error_message is None else storable_text(row.error_message) for row in rows
                ],
            )

    async def _run(self, name: str, **values: object) -> psycopg.AsyncCursor[Any]:
        ids = {"user_id": self._user_id, "tracker_id": self._tracker_id, "session_id": self._session_id}
        return await self._connection.execute(statements("loading")[name], {**ids, **values})

    def _count(self, stored: PreparedIssue, outcome: Outcome) -> None:
        self.result.outcomes[stored.row.issue_id] = outcome
        self.result.comments_stored += len(stored.row.comments)
        self.result.history_stored += len(stored.row.history)

    def _fail(self, row: IssueRow, error: Exception) -> None:
        self.result.outcomes[row.issue_id] = "failed"
        self.result.issue_pks.pop(row.issue_id, None)
        self.result.note(row.issue_id, _reason(error))


def _is_of_the_data(error: Exception) -> bool:
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return False
    # 54: a limit of the program, such as an index entry that is too large
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, _OF_THE_DATA) or state.startswith("54")


def _reason(error: Exception) -> str:
    if isinstance(error, psycopg.Error):
        # Not the whole message: its details quote the row.
        return f"The database refuses the issue: {error.diag.message_primary or error}"
    if isinstance(error, RowRefused):
        return str(error)
    return f"The issue has a value of the wrong kind: {type(error).__name__}."


def _bounded(number: int) -> int:
    return min(max(number, 0), INTEGER_MAX)
