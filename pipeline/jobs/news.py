"""What is new: issues that a schedule's newest run found new or changed, and telling somebody about them."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from db import get_session
from db.models import CrawlSession, Issue, Run, SavedSearch, SessionError, SessionFrontier, Tracker
from pipeline.logs import redact

log = structlog.get_logger(__name__)

MOST_TOLD = 1000  # issues in one message
SECONDS = 30.0  # that telling may take
# A command gets what a shell's command needs to run, and none of our secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME")


def list_news(session: Session, name: str | None, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """What the newest run that ended of each of one's own schedules found new or changed.

    Args:
        session: acts for the user.
        name: of one schedule only.
        limit: at most this many.
        offset: leave out the first ones.

    Returns:
        Dictionaries of ``schedule``, ``issue_id``, ``tracker``, ``title``, ``product``, ``status``,
        ``change`` (new or changed), ``url``, ``found_at``.
    """
    newest = (
        select(Run.run_id, Run.session_id, Run.saved_search_id, Run.ended_at)
        .where(
            Run.user_id == func.ims.current_user_id(),
            Run.session_id.is_not(None),
            Run.status.in_(("completed", "failed", "interrupted")),
        )
        .ext(distinct_on(Run.saved_search_id))
        .order_by(Run.saved_search_id, Run.run_id.desc())
        .subquery()
    )
    found = (
        select(
            SavedSearch.name.label("schedule"),
            Issue.issue_id,
            Tracker.name.label("tracker"),
            Issue.title,
            Issue.product,
            Issue.status,
            SessionFrontier.state.label("change"),
            Issue.url,
            newest.c.ended_at.label("found_at"),
        )
        .select_from(newest)
        .join(SavedSearch, SavedSearch.saved_search_id == newest.c.saved_search_id)
        .join(CrawlSession, CrawlSession.session_id == newest.c.session_id)
        .join(SessionFrontier, SessionFrontier.session_id == newest.c.session_id)
        .join(
            Issue,
            (Issue.issue_id == SessionFrontier.issue_id)
            & (Issue.tracker_id == CrawlSession.tracker_id)
            & (Issue.user_id == CrawlSession.user_id),
        )
        .join(Tracker, Tracker.tracker_id == CrawlSession.tracker_id)
        .where(SessionFrontier.state.in_(("new", "changed")))
        .order_by(SavedSearch.name, SessionFrontier.position)
        .limit(limit)
        .offset(offset)
    )
    if name is not None:
        found = found.where(SavedSearch.name == name)
    return [dict(row) for row in session.execute(found).mappings()]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Message:
    """Whom to tell what."""

    session_id: int | None
    text: str  # JSON
    command: str | None
    webhook: str | None


async def tell(user_id: int, run_id: int, *, may_run_commands: bool) -> None:
    """Tell a schedule's command and address what its run found. What fails is noted, and not tried again.

    Args:
        user_id: whose.
        run_id: the run.
        may_run_commands: a command runs with the worker's account: only its own user's are run.
    """
    message = await asyncio.to_thread(_message, user_id, run_id)
    if message is None:
        return
    if message.command is not None:
        if may_run_commands:
            await _try(user_id, message, "notify", _run(message.command, message.text))
        else:
            note = "A worker runs the notify commands of its own user only: use a webhook."
            await asyncio.to_thread(_note, user_id, message.session_id, "notify", note)
    if message.webhook is not None:
        await _try(user_id, message, "webhook", _post(message.webhook, message.text))


def _message(user_id: int, run_id: int) -> _Message | None:
    with get_session(user_id=user_id) as session:
        run = session.get(Run, run_id)
        if run is None:
            return None
        schedule = run.schedule
        row = run.crawl_session
        news = list_news(session, schedule.name, limit=MOST_TOLD)
        document = {
            "schedule": schedule.name,
            "status": run.status,
            "session_uuid": str(row.session_uuid) if row is not None else None,
            "issues_new": run.issues_new,
            "issues_changed": run.issues_changed,
            "issues": [{key: value for key, value in each.items() if key != "schedule"} for each in news],
        }
        return _Message(
            session_id=run.session_id,
            text=json.dumps(document, ensure_ascii=False, default=str),
            command=schedule.options.get("notify"),
            webhook=schedule.options.get("webhook"),
        )


async def _try(user_id: int, message: _Message, how: str, telling: Any) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            problem = await telling
    except TimeoutError:
        problem = f"it took longer than {SECONDS:g} s"
    except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        problem = type(error).__name__
    if problem is not None:
        await asyncio.to_thread(
            _note, user_id, message.session_id, how, f"Telling by {how} failed: {problem}."
        )


async def _run(command: str, text: str) -> str | None:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        start_new_session=True,
    )
    try:
        await process.communicate(text.encode("utf-8", "replace"))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None if process.returncode == 0 else f"the command ended with status {process.returncode}"


async def _post(address: str, text: str) -> str | None:
    async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client:
        answer = await client.post(
            address, content=text.encode("utf-8", "replace"), headers={"Content-Type": "application/json"}
        )
    return None if answer.is_success else f"the address answered with status {answer.status_code}"


def _note(user_id: int, session_id: int | None, how: str, sentence: str) -> None:
    log.warning("nobody was told", how=how, reason=redact(sentence))
    if session_id is None:
        return
    with get_session(user_id=user_id) as session:
        session.add(
            SessionError(
                session_id=session_id,
                user_id=user_id,
                error_type="NotTold",
                severity="warning",
                error_message=redact(sentence),
            )
        )
