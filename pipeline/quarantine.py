"""Pages that nobody could read: which there are, why, and what they say."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import undefer

from crawler.errors import PageDamaged, UsageError
from crawler.http.decode import decode
from crawler.kept_page import unpack
from db import get_session
from db.models import CrawlSession, RawPage, Tracker
from pipeline.logs import told
from pipeline.owners import OWNER, with_owner
from pipeline.reparse import Wanted, reparse
from pipeline.reparse.batch import ReparseResult

SHOWN = 20  # pages of one issue at once, the latest


def quarantined(
    user_id: int,
    *,
    tracker: str | None = None,
    limit: int,
    offset: int = 0,
    everybody: bool = False,
) -> list[dict[str, Any]]:
    """One's own pages in quarantine, or everybody's with their ``owner_user``, the latest first, unopened."""
    listed = _pages(tracker).limit(limit).offset(offset)
    with get_session(user_id, everybody=everybody) as session:
        if not everybody:
            return [_facts(*row) for row in session.execute(listed)]
        owned = session.execute(with_owner(listed, RawPage.user_id))
        return [{**_facts(*row), OWNER: owner} for *row, owner in owned]


def read_quarantined(user_id: int, issue_id: str, tracker: str | None = None) -> list[dict[str, Any]]:
    """The latest pages of one issue that are in quarantine, with their ``text``.

    Raises:
        UsageError: there is none.
    """
    wanted = _pages(tracker).where(RawPage.issue_id == issue_id).options(undefer(RawPage.body)).limit(SHOWN)
    with get_session(user_id, everybody=False) as session:
        rows = session.execute(wanted).all()
        if not rows:
            raise _nothing(issue_id)
        return [{**_facts(page, name, uuid), "text": _text(page)} for page, name, uuid in rows]


async def retry(conninfo: str, user_id: int, *, issue_id: str | None, tracker: str | None) -> ReparseResult:
    """Read the issues that have a page in quarantine again; what still cannot be read stays there.

    Raises:
        UsageError: the issue has none, or there is no such tracker.
    """
    wanted = Wanted(issue_id=issue_id, tracker=tracker, quarantined=True)
    result = await reparse(conninfo, user_id, wanted)
    if issue_id is not None and not (result.issues or result.failed):
        raise _nothing(issue_id)
    return result


def _pages(tracker: str | None) -> Select[RawPage, str | None, Any]:
    wanted = (
        select(RawPage, Tracker.name, CrawlSession.session_uuid)
        .outerjoin(Tracker, Tracker.tracker_id == RawPage.tracker_id)
        .outerjoin(CrawlSession, CrawlSession.session_id == RawPage.session_id)
        .where(RawPage.quarantined)
        .order_by(RawPage.fetched_at.desc(), RawPage.raw_page_id)
    )
    return wanted if tracker is None else wanted.where(Tracker.name == tracker)


def _nothing(issue_id: str) -> UsageError:
    return UsageError(f"Issue {issue_id} has no page in quarantine: see quarantine list.")


def _facts(page: RawPage, tracker: str | None, session_uuid: object) -> dict[str, Any]:
    return {
        "issue_id": page.issue_id,
        "tracker": tracker,
        "part": page.part,
        "reason": page.quarantine_reason,
        "url": page.url,
        "status": page.status,
        "size": page.size,
        "fetched_at": page.fetched_at,
        "session_uuid": session_uuid,
    }


def _text(page: RawPage) -> str:
    try:
        return decode(unpack(page.body or b"", page.size), page.content_type).text
    except PageDamaged as error:
        return told(error)
