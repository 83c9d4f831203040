"""Attached files: fetched once, kept under the hash of their bytes, reached only through a row.

A file's name comes from a tracker and is data; it never becomes part of a path.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crawler.errors import CrawlError, ItemError
from crawler.records import AttachmentRecord
from db import get_session
from db.backup import ATTACHMENTS
from db.errors import FenceLost
from db.files import data_folder, folders
from db.models import Attachment, CrawlSession, SessionError, SessionIssue
from pipeline.logs import told
from pipeline.sessions.crawl_session import SessionLease
from pipeline.trackers.pool import TrackerPool


async def download_attachments(
    lease: SessionLease, source: TrackerPool, home: Path, stop: asyncio.Event, within: Callable[[], None]
) -> int:
    """Fetch the files of the session's issues that are not here yet.

    A file that cannot be had leaves its reason in its row and a warning with the session.

    Args:
        lease: the session whose issues' files are wanted.
        source: logged in.
        home: the data folder.
        stop: set: no further file is begun.
        within: raises where the session has brought more than it may.

    Returns:
        how many files were fetched.

    Raises:
        CrawlError: the tracker ended the session.
        FenceLost: another process has taken the session over.
    """
    wanted = asyncio.Queue[tuple[int, AttachmentRecord]]()
    for entry in _missing(lease):
        wanted.put_nowait(entry)
    fetched = 0

    async def work() -> None:
        nonlocal fetched
        while not stop.is_set() and not wanted.empty():
            attachment_id, record = wanted.get_nowait()
            with Draft(home) as draft:
                try:
                    size = await source.download(record, draft.write)
                except ItemError as error:
                    _note_failure(lease, attachment_id, record, error)
                else:
                    digest = await asyncio.to_thread(draft.keep)
                    _note_file(lease, attachment_id, digest, size)
                    fetched += 1
            within()

    async with asyncio.TaskGroup() as group:
        for _ in range(lease.workers):
            group.create_task(work())
    return fetched


class Draft:
    """A file that comes in pieces; a context manager. It is kept under its hash, or it was never there.

    Args:
        home: the data folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        folder = self._home / ATTACHMENTS
        data_folder(self._home)
        folders(folder)
        # Two issues may have the same file, stored at the same moment: each has a draft of its own.
        descriptor, self._path = tempfile.mkstemp(prefix="draft.", dir=folder)
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        Path(self._path).unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._hash.update(piece)
        self._file.write(piece)

    def keep(self) -> str:
        """Keep the file under its hash, for this account only, and give the hash in hexadecimal.

        The file has its name only once all of it is on disk.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        digest = self._hash.hexdigest()
        path = self._home / path_of(digest)
        if not path.exists():
            folders(path.parent)
            Path(self._path).replace(path)
        return digest


def path_of(digest: str) -> Path:
    """Where the bytes with this hash are, relative to the data folder."""
    return Path(ATTACHMENTS, digest[:2], digest)


def _missing(lease: SessionLease) -> list[tuple[int, AttachmentRecord]]:
    with get_session(user_id=lease.user_id) as session:
        rows = session.scalars(
            select(Attachment)
            .join(SessionIssue, SessionIssue.issue_pk == Attachment.issue_pk)
            .where(
                SessionIssue.session_id == lease.session_id,
                ~Attachment.downloaded,
                Attachment.removed_at.is_(None),
                Attachment.download_url.is_not(None),
            )
            .order_by(SessionIssue.crawl_order, Attachment.attachment_id)
        )
        return [
            (
                row.attachment_id,
                AttachmentRecord(
                    filename=row.filename, file_type=row.file_type, download_url=row.download_url
                ),
            )
            for row in rows
        ]


def _note_file(lease: SessionLease, attachment_id: int, digest: str, size: int) -> None:
    with get_session(user_id=lease.user_id) as session:
        _hold(session, lease, downloaded=1)
        row = session.get_one(Attachment, attachment_id)
        row.sha256, row.file_path, row.file_size = digest, str(path_of(digest)), size
        row.downloaded, row.download_error = True, None


def _note_failure(
    lease: SessionLease, attachment_id: int, record: AttachmentRecord, error: CrawlError
) -> None:
    with get_session(user_id=lease.user_id) as session:
        _hold(session, lease)
        session.get_one(Attachment, attachment_id).download_error = told(error)
        session.add(
            SessionError(
                user_id=lease.user_id,
                session_id=lease.session_id,
                error_type=type(error).__name__,
                severity="warning",
                error_message=f"The attachment {record.filename!r} was not fetched: {told(error)}",
            )
        )


def _hold(session: Session, lease: SessionLease, *, downloaded: int = 0) -> None:
    """Make sure, up to the commit, that this process holds the session, and count in the same transaction."""
    held = session.scalar(
        update(CrawlSession)
        .where(CrawlSession.session_id == lease.session_id, CrawlSession.fence == lease.fence)
        .values(attachments_downloaded=CrawlSession.attachments_downloaded + downloaded)
        .returning(CrawlSession.session_id)
    )
    if held is None:
        raise FenceLost("Another process has taken this session over: this one stops.")
