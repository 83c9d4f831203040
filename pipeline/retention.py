"""Retention: what is old and needed by nobody, counted and removed, each user's own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from db import get_session
from db.errors import DatabaseRefused
from db.files import ATTACHMENTS
from db.models import Attachment, CrawlSession, Issue, RawPage, User
from db.queries import statements
from db.session import driver_connection
from db.users import require_writer
from pipeline.attachments.draft import left_over

_FRESH = 86_400.0  # seconds; a file that is younger may belong to a session that has not said so yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Prunable:
    """What there is to remove."""

    sessions: int = 0  # that ended so long ago, with their frontiers, errors and lists of issues
    pages: int = 0  # kept pages that newer ones of the same issues took the place of
    page_bytes: int = 0
    removed_issues: int = 0  # that vanished from their tracker so long ago, with all that belongs to them
    files: int = 0  # attached files that no issue of anybody has any more, and parts that nobody goes on with
    file_bytes: int = 0

    def __add__(self, other: Prunable) -> Prunable:
        return Prunable(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )


def prune(
    user_id: int, home: Path, before: datetime, *, removed: bool, everybody: bool, dry_run: bool
) -> Prunable:
    """Remove what is older, or count what would be; what is current stays, whatever its age.

    Args:
        user_id: for whom.
        home: the data folder.
        before: what ended, was replaced or vanished before this time goes.
        removed: issues that vanished from their tracker too.
        everybody: for all users, and files that nobody has; an admin's right.
        dry_run: only count.

    Raises:
        DatabaseRefused: the user only looks; or is no admin, where everybody is asked for.
    """
    with get_session(user_id=user_id) as session:
        require_writer(session)
        if everybody and session.scalar(select(func.ims.current_user_role())) != "admin":
            raise DatabaseRefused("Only an admin prunes for everybody: leave --everybody out.")
    total = Prunable()
    for each in _users(user_id, everybody=everybody):
        with get_session(user_id=each) as session:
            total += _of_user(session, each, before, removed=removed, dry_run=dry_run)
    return total + _files(user_id, home, dry_run=dry_run) if everybody else total


def _users(user_id: int, *, everybody: bool) -> list[int]:
    if not everybody:
        return [user_id]
    with get_session(user_id, everybody=True) as session:
        owners = select(User.user_id).where(User.is_active, User.role != "readonly")  # analysts own nothing
        return list(session.scalars(owners.order_by(User.user_id)))


def _of_user(session: Session, user_id: int, before: datetime, *, removed: bool, dry_run: bool) -> Prunable:
    ended = and_(
        CrawlSession.user_id == user_id,
        CrawlSession.status != "running",
        func.coalesce(CrawlSession.completed_at, CrawlSession.heartbeat_at, CrawlSession.started_at) < before,
    )
    vanished = and_(Issue.user_id == user_id, Issue.removed_at < before)
    useless = [_is_replaced(before)]
    if removed:  # the pages of an issue go with it: nothing is left that they could be read for
        useless.append(_is_of(vanished))
    gone = and_(RawPage.user_id == user_id, or_(*useless))
    sessions = session.scalar(select(func.count()).select_from(CrawlSession).where(ended)) or 0
    pages, size = session.execute(
        select(func.count(), func.coalesce(func.sum(func.octet_length(RawPage.body)), 0)).where(gone)
    ).one()
    issues = session.scalar(select(func.count()).select_from(Issue).where(vanished)) or 0 if removed else 0
    if not dry_run:
        driver_connection(session).execute(statements("file_texts")["forget"], {"user_id": user_id})
        session.execute(delete(RawPage).where(gone).execution_options(synchronize_session=False))
        if removed:
            session.execute(delete(Issue).where(vanished).execution_options(synchronize_session=False))
        session.execute(delete(CrawlSession).where(ended).execution_options(synchronize_session=False))
    return Prunable(sessions=sessions, pages=pages, page_bytes=int(size), removed_issues=issues)


def _is_replaced(before: datetime) -> ColumnElement[bool]:
    newer = aliased(RawPage)
    return and_(
        RawPage.fetched_at < before,
        ~RawPage.quarantined,
        exists().where(
            newer.user_id == RawPage.user_id,
            newer.tracker_id.is_not_distinct_from(RawPage.tracker_id),
            newer.issue_id == RawPage.issue_id,
            newer.part == RawPage.part,
            newer.fetched_at > RawPage.fetched_at,
            ~newer.quarantined,
        ),
    )


def _is_of(vanished: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        vanished,
        Issue.tracker_id.is_not_distinct_from(RawPage.tracker_id),
        Issue.issue_id == RawPage.issue_id,
    )


def _files(user_id: int, home: Path, *, dry_run: bool) -> Prunable:
    with get_session(user_id, everybody=True) as session:
        wanted = set(session.scalars(select(Attachment.sha256).where(Attachment.sha256.is_not(None))))
    files = size = 0
    for path in _stored(home / ATTACHMENTS):
        if path.name not in wanted and path.stat().st_mtime < time.time() - _FRESH:
            files, size = files + 1, size + path.stat().st_size
            if not dry_run:
                path.unlink()
    for path in left_over(home):
        files, size = files + 1, size + path.stat().st_size
        if not dry_run:
            path.unlink()
    return Prunable(files=files, file_bytes=size)


def _stored(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for part in os.scandir(folder):
        if part.is_dir(follow_symlinks=False) and len(part.name) == 2:
            for file in os.scandir(part.path):
                if file.is_file(follow_symlinks=False) and len(file.name) == 64:
                    yield Path(file.path)
