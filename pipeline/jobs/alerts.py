"""Alerts: whoever wants to hear of a favorite's new hits is told of each once.

At most once: hits are claimed and committed before anybody is told, one claim a hit and channel. Whatever
dies in between, no hit is told twice; it may then be that one is not told at all. Only where nobody can have
heard, since there was no connection or no such command, are the claims given back and tried again later.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from db import get_session
from db.acting import Acting
from db.job_queue import defer, waits
from db.log_library import structlog
from db.models import Alert, SavedSearch
from db.session import driver_connection, select_rows
from pipeline.jobs.cron import next_time
from pipeline.jobs.runs import ALERT, QUEUE
from pipeline.jobs.schedules import check_told, database_now, site_of
from pipeline.jobs.tell import MOST_TOLD, NotTold, post_to, run_command, within_time
from pipeline.logs import redact
from pipeline.search.filters import read_filters
from pipeline.search.products import own_products
from pipeline.search.question import ask
from pipeline.search.saved_searches import find_saved
from pipeline.search.stored import MOST, all_hits
from pipeline.settings import Settings
from pipeline.trackers.secrets import Vault, alert_webhook_of

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.jobs.context import WorkerContext

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)  # between two looks, where no digest is wanted
LONGEST_REST = timedelta(days=1)
COMMAND, WEBHOOK = "command", "webhook"  # the channels
_SHOWN = ("issue_id", "tracker", "title", "product", "status", "url", "snippet", "found_in")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAlert:
    """Who is to be told, and when."""

    notify: str | None = None  # the name of a worker's command, which gets the hits on its standard input
    webhook: str | None = field(default=None, repr=False)  # an address that gets them by POST: a secret
    digest: str | None = None  # a cron: all new hits together at these times; None: within a minute or so
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Message:
    """What to tell by one channel."""

    issue_pks: list[int]
    text: str = field(repr=False)
    command: str | None
    webhook: str | None = field(repr=False)  # sealed
    name: str


def check_alert(new: NewAlert) -> None:
    """See that an alert can be.

    Raises:
        UsageError: nobody is to be told, or the command, address, cron or time zone cannot be.
    """
    if new.notify is None and new.webhook is None:
        if new.digest is not None:
            raise UsageError("A digest needs somebody to tell: give --notify or --webhook too.")
        return
    check_told(new.notify, new.webhook)
    if new.digest is not None:
        next_time(new.digest, new.timezone, datetime.now().astimezone())


def set_alert(session: Session, name: str, new: NewAlert, vault: Vault | None, home: Path) -> None:
    """Keep a favorite's alert, or take it away where nobody is to be told; what is a hit now is not told.

    Args:
        session: acts for the user.
        name: of the favorite, which is kept already.
        new: who is to be told.
        vault: encrypts the webhook's address; None where there is none.
        home: the data folder.
    """
    row = find_saved(session, name, schedule=False)
    if row.alert is not None:
        session.delete(row.alert)
        session.flush()
    if new.notify is None and new.webhook is None:
        return
    now = database_now(session)
    alert = Alert(saved_search_id=row.saved_search_id, command=new.notify, created_at=now)
    if new.webhook is not None and vault is not None:
        alert.webhook_sealed = vault.seal(new.webhook, alert_webhook_of(row.user_id, row.name)).decode()
        alert.webhook_site = site_of(new.webhook)
    alert.cron = None if new.digest is None else " ".join(new.digest.split())
    alert.timezone = new.timezone
    alert.next_at = _next(alert, now)
    session.add(alert)
    session.flush()
    hits = _hits(session, row, home)
    for channel in _channels(alert):
        _claim(session, row.saved_search_id, channel, hits, some=False)


def take_alert(user_id: int, saved_search_id: int) -> None:
    """Make a job of an alert that is due, once however many workers see it."""
    with get_session(user_id=user_id) as session:
        now = database_now(session)
        alert = session.scalar(
            select(Alert)
            .where(Alert.user_id == user_id, Alert.saved_search_id == saved_search_id, Alert.next_at <= now)
            .with_for_update(skip_locked=True)
        )
        if alert is None:
            return
        try:
            alert.next_at = _next(alert, now)
        except UsageError as error:  # written by hand
            alert.error, alert.next_at = str(error), now + LONGEST_REST
            return
        job = {"user_id": user_id, "saved_search_id": saved_search_id}
        if not waits(ALERT, job):  # workers that are busy for long need not do it many times then
            defer(session, QUEUE, ALERT, [job])


async def tell_new_hits(context: WorkerContext, user_id: int, saved_search_id: int) -> None:
    """Tell whom a favorite's alert names of its new hits; nobody where there are none."""
    for channel in (COMMAND, WEBHOOK):
        message = await asyncio.to_thread(_claimed, user_id, saved_search_id, channel, context.program.home)
        if message is None:
            continue
        failure = None
        try:
            await within_time(_telling(context, user_id, message))
        except NotTold as error:
            failure = error
        await asyncio.to_thread(_settle, user_id, saved_search_id, channel, message, failure)


def _telling(context: WorkerContext, user_id: int, message: _Message) -> Awaitable[None]:
    if message.command is not None:
        return run_command(context, user_id, message.command, message.text)

    async def post() -> None:
        purpose = alert_webhook_of(user_id, message.name)
        address = context.program.vault.open((message.webhook or "").encode(), purpose) or ""
        await post_to(address, message.text, context.reach)

    return post()


def _claimed(user_id: int, saved_search_id: int, channel: str, home: Path) -> _Message | None:
    """Claim the hits that are new to a channel; None: there are none."""
    with get_session(user_id=user_id, everybody=False) as session:
        alert = session.get(Alert, (user_id, saved_search_id))
        if alert is None or channel not in _channels(alert):
            return None
        row = session.get_one(SavedSearch, saved_search_id)
        hits = _hits(session, row, home)
        claimed = _claim(session, saved_search_id, channel, hits, some=len(hits) >= MOST)
        new = [hit for hit in hits if hit["issue_pk"] in claimed]
        if not new:
            return None
        document = {
            "favorite": row.name,
            "query": row.query,
            "new": len(new),
            "issues": [{name: hit[name] for name in _SHOWN} for hit in new[:MOST_TOLD]],
        }
        return _Message(
            issue_pks=[hit["issue_pk"] for hit in new],
            text=json.dumps(document, ensure_ascii=False, default=str),
            command=alert.command if channel == COMMAND else None,
            webhook=alert.webhook_sealed if channel == WEBHOOK else None,
            name=row.name,
        )


def _settle(
    user_id: int, saved_search_id: int, channel: str, message: _Message, failure: NotTold | None
) -> None:
    """Write down how telling went, and give back what nobody can have heard."""
    with get_session(user_id=user_id) as session:
        alert = session.get(Alert, (user_id, saved_search_id))
        if alert is None:  # removed meanwhile
            return
        now = database_now(session)
        if failure is None:
            alert.told_at, alert.failures, alert.error = now, 0, None
            return
        alert.failures += 1
        alert.error = redact(f"Notification by {channel} failed: {failure}")
        log.warning("notification failed", how=channel, reason=alert.error)
        if failure.begun:
            return
        known = {
            "saved_search_id": saved_search_id,
            "channel": channel,
            "issue_pks": message.issue_pks,
        }
        select_rows(session, "alerts", "release", known)
        rest = min(EVERY * 2 ** min(alert.failures, 12), LONGEST_REST)
        alert.next_at = now + rest if alert.cron is None else min(alert.next_at, now + rest)


def _hits(session: Session, row: SavedSearch, home: Path) -> list[dict[str, Any]]:
    """What the favorite finds now, without synonyms; questions are read by rules alone."""
    acting = Acting(driver_connection(session), row.user_id)
    products = own_products(acting)
    stored = [name.lower() for name in products]
    question = ask(
        row.query,
        Settings(),
        home=home,
        products=products,
        has_product=lambda asked: any(name.startswith(asked.lower()) for name in stored),
        exact=True,
    )
    given = {name: str(value) for name, value in row.options.items()}
    own = {"product": row.product, "tracker": row.tracker.name if row.tracker is not None else None}
    filters = read_filters(given | {name: value for name, value in own.items() if value is not None})
    return all_hits(acting, question.parsed, filters)


def _claim(
    session: Session, saved_search_id: int, channel: str, hits: list[dict[str, Any]], *, some: bool
) -> set[int]:
    known = {
        "saved_search_id": saved_search_id,
        "channel": channel,
        "issue_pks": [hit["issue_pk"] for hit in hits],
        "some": some,
    }
    return {row["issue_pk"] for row in select_rows(session, "alerts", "claim", known)}


def _channels(alert: Alert) -> list[str]:
    told = ((COMMAND, alert.command), (WEBHOOK, alert.webhook_sealed))
    return [channel for channel, whom in told if whom is not None]


def _next(alert: Alert, now: datetime) -> datetime:
    return now + EVERY if alert.cron is None else next_time(alert.cron, alert.timezone, now)
