"""Attached files: fetched once, kept under the hash of their bytes, reached only through a row.

A file's name comes from a tracker and is data; it never becomes part of a path.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crawler.errors import FileTooLarge, ItemError, PageTooLarge
from crawler.http.transfer import Head, Kept
from crawler.records import AttachmentRecord
from db.errors import DataFolderUnusable, DiskFull
from pipeline.attachments import rows
from pipeline.attachments.draft import Draft, left_over
from pipeline.attachments.limits import too_large
from pipeline.attachments.media_type import media_type
from pipeline.logs import told
from pipeline.sessions.claim import Claim
from pipeline.stages.counts import FileCounts
from pipeline.trackers.pool import TrackerPool

TRIES = 2  # at a file that is not the one that the tracker tells of


class OtherFile(ItemError):
    """What came is not the file that the tracker tells of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What is needed to fetch the files of a session."""

    claim: Claim  # on the session whose issues' files are wanted, or on a part of it
    source: TrackerPool  # logged in
    home: Path  # the data folder
    stop: asyncio.Event  # set: no further file is begun
    within: Callable[[], None]  # raises where the session has brought more than it may
    largest: int  # bytes of a file, where the session has no limit of its own
    exact: bool  # the tracker's sizes are bytes, and not rounded
    counts: FileCounts  # live totals
    tell: Callable[[], None]  # whenever they change


async def download_attachments(work: Work) -> None:
    """Fetch the files of the session's issues that are wanted and not here yet.

    A file that cannot be had leaves its reason in its row and a warning with the session; one that the
    session does not want only its reason.

    Raises:
        CrawlError: the tracker ended the session.
        FenceLost: another process has taken the session over.
    """
    await asyncio.to_thread(_sweep, work.home)
    wanted = asyncio.Queue[rows.Missing]()
    skipped: list[tuple[int, str]] = []
    limits = work.claim.lease.limits
    for entry in rows.missing(work.claim):
        name, size = entry.record.filename, entry.record.file_size
        reason = limits.refusal(name, size, largest=work.largest, exact=work.exact)
        if reason is not None:
            skipped.append((entry.attachment_id, reason))
            continue
        wanted.put_nowait(entry)
        work.counts.files += 1
        work.counts.bytes += size or 0
    rows.note_skipped(work.claim, skipped)
    work.counts.skipped += len(skipped)
    work.tell()

    async def worker() -> None:
        while not work.stop.is_set() and not wanted.empty():
            try:
                await _one(work, wanted.get_nowait())
            except OSError as error:
                raise _unwritable(work.home, error) from error
            work.tell()
            work.within()

    async with asyncio.TaskGroup() as group:
        for _ in range(work.claim.workers):
            group.create_task(worker())


def _unwritable(home: Path, error: OSError) -> DataFolderUnusable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"No space is left for attached files in {home}: make room, then resume the session.")
    reason = error.strerror or error
    return DataFolderUnusable(f"An attached file cannot be written to {home} ({reason}): resume when it can.")


def _sweep(home: Path) -> None:
    for path in left_over(home):
        path.unlink(missing_ok=True)


async def _one(work: Work, entry: rows.Missing) -> None:
    limits, record = work.claim.lease.limits, entry.record
    most = limits.largest or work.largest
    # Another address, another file.
    mark = f"{work.claim.lease.user_id} {entry.attachment_id} {record.download_url}"
    async with Draft(work.home, mark) as draft:
        try:
            await _fetched(work, record, draft, most)
        except PageTooLarge as error:
            reason = too_large(most) if isinstance(error, FileTooLarge) else told(error)
            rows.note_skipped(work.claim, [(entry.attachment_id, reason)])
            work.counts.skipped += 1
        except ItemError as error:
            rows.note_failure(work.claim, entry, error)
            work.counts.failed += 1
        else:
            head, size = draft.head, draft.size
            digest = await asyncio.to_thread(draft.keep)
            kind = record.file_type or media_type(None if head is None else head.content_type)
            rows.note_file(work.claim, entry, digest=digest, size=size, file_type=kind)
            work.counts.done += 1


async def _fetched(work: Work, record: AttachmentRecord, draft: Draft, most: int) -> None:
    """Have a file that is what the tracker tells of; one that is not is asked for once more.

    Raises:
        ItemError: it cannot be had so.
    """
    wrong: str | None = None
    for _ in range(TRIES):
        await work.source.download(record, _Counted(draft, work, most, record.file_size), limit=most)
        wrong = _wrong(record, draft, exact=work.exact)
        if wrong is None:
            return
        draft.start_anew()
    raise OtherFile(str(wrong))


def _wrong(record: AttachmentRecord, draft: Draft, *, exact: bool) -> str | None:
    """What is wrong with a file that came to its end."""
    head = draft.head
    if head is None:
        return "Nothing came of it."
    if head.size is not None and head.size != draft.size:
        return f"It has {draft.size:,} bytes, and the answer told of {head.size:,}."
    if head.sha256 is not None and head.sha256 != draft.sha256:
        return "Its bytes are not those of the checksum that came with them."
    if exact and record.file_size is not None and record.file_size != draft.size:
        return f"It has {draft.size:,} bytes, and the tracker tells of {record.file_size:,}."
    return None


class _Counted:
    """A draft whose bytes are counted as they come."""

    def __init__(self, draft: Draft, work: Work, most: int, announced: int | None) -> None:
        self._draft = draft
        self._work = work
        self._most = most
        self._announced = announced
        self._counted = 0

    @property
    def kept(self) -> Kept | None:
        """See :class:`pipeline.trackers.process.FileStore`."""
        return self._draft.kept

    async def begin(self, head: Head) -> None:
        """See :class:`crawler.http.transfer.Sink`."""
        await self._draft.begin(head)
        counts = self._work.counts
        counts.bytes_done += head.start - self._counted
        self._counted = head.start
        if self._announced is None and head.size is not None:
            self._announced = head.size
            counts.bytes += head.size

    async def write(self, data: bytes) -> None:
        """See :class:`crawler.http.transfer.Sink`."""
        if self._draft.size + len(data) > self._most:  # the process that fetches it should have seen that
            raise FileTooLarge(too_large(self._most))
        await self._draft.write(data)
        self._counted += len(data)
        self._work.counts.bytes_done += len(data)
        self._work.tell()
        self._work.within()
