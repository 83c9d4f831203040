"""Schedules: saved searches with a cron."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.http.library import httpx
from crawler.query import ParsedQuery, parse_direct, parse_query
from db.models import Run, SavedSearch, SessionError
from db.sanitize import storable_text
from db.users import require_writer
from pipeline.attachments.limits import Limits
from pipeline.jobs.commands import check_name
from pipeline.jobs.cron import next_time
from pipeline.search.saved_searches import find_saved, list_saved, place_for
from pipeline.trackers.secrets import Vault, webhook_of

# From so many failed runs in a row on, a schedule is marked as failing.
MARKED_FROM = 3

NOT_TOLD = "NotTold"  # the type of the warning that is kept with a session of whose news nobody was told


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSchedule:
    """A schedule to be kept."""

    name: str
    query: str  # as it was asked
    parsed: ParsedQuery
    tracker_id: int
    product: str | None = None
    cron: str
    timezone: str = "UTC"
    attachments: bool = False  # also download attached files
    limits: Limits = field(default_factory=Limits)  # which of them
    workers: int | None = None  # requests at once of each worker; None: the tracker's concurrency
    notify: str | None = None  # the name of a worker's command, which gets the news on its standard input
    webhook: str | None = field(default=None, repr=False)  # an address that gets them by POST: a secret


def add_schedule(session: Session, new: NewSchedule, vault: Vault) -> SavedSearch:
    """Keep a schedule, or change the one of that name.

    Args:
        session: acts for the user.
        new: what to keep.
        vault: encrypts the webhook's address, which whoever knows it may write to.

    Raises:
        UsageError: the name, cron, time zone, command or address cannot be, or a favorite has that name.
        DatabaseRefused: the user only looks.
    """
    check_told(new.notify, new.webhook)
    if new.workers is not None and not 1 <= new.workers <= 64:
        raise UsageError("The number of requests at once is from 1 to 64.")
    require_writer(session)
    due = next_time(new.cron, new.timezone, database_now(session))
    row = place_for(session, new.name, schedule=True)
    row.query, row.product = storable_text(new.query), new.product and storable_text(new.product)
    row.tracker_id = new.tracker_id
    row.cron, row.timezone = " ".join(new.cron.split()), new.timezone
    row.next_run_at, row.is_active, row.failures = due, True, 0
    parsed = new.parsed
    row.options = {
        # Understood when it was written down: a run must not guess anew.
        "asked": {
            "text": parsed.text,
            "filters": dict(parsed.filters),
            "language": parsed.language,
            "method": parsed.method,
            "confidence": parsed.confidence,
            "explanation": parsed.explanation,
        },
        "workers": new.workers,
        "attachments": new.attachments,
        "attachment_limits": new.limits.as_json(),
        "notify": new.notify,
    }
    session.flush()
    if new.webhook is not None:
        sealed = vault.seal(new.webhook, webhook_of(row.user_id, row.name)).decode()
        row.options = {**row.options, "webhook": {"sealed": sealed, "shown": site_of(new.webhook)}}
        session.flush()
    return row


def find_schedule(session: Session, name: str) -> SavedSearch:
    """One's own schedule.

    Raises:
        UsageError: there is none of that name.
    """
    return find_saved(session, name, schedule=True)


def list_schedules(session: Session, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """One's own schedules by name.

    Returns:
        Dictionaries of ``name``, ``query``, ``tracker``, ``product``, ``cron``, ``timezone``,
        ``next_run_at``, ``is_active``.
    """
    of_a_schedule = (
        SavedSearch.cron,
        SavedSearch.timezone,
        SavedSearch.next_run_at,
        SavedSearch.is_active,
    )
    return list_saved(session, *of_a_schedule, schedule=True, limit=limit, offset=offset)


def webhook_site(row: SavedSearch) -> str | None:
    """Scheme and host of a schedule's webhook."""
    webhook = row.options.get("webhook")
    if isinstance(webhook, str):  # of an earlier version, which kept it readable
        return site_of(webhook)
    return str(webhook.get("shown")) if isinstance(webhook, dict) else None


def newest_failure_to_tell(session: Session, row: SavedSearch) -> dict[str, Any] | None:
    """Why nobody was told of the schedule's newest run whose notification failed.

    Returns:
        A dictionary of ``message`` and ``occurred_at``, or None.
    """
    found = session.execute(
        select(SessionError.error_message.label("message"), SessionError.occurred_at)
        .join(Run, (Run.session_id == SessionError.session_id) & (Run.user_id == SessionError.user_id))
        .where(Run.saved_search_id == row.saved_search_id, SessionError.error_type == NOT_TOLD)
        .order_by(SessionError.occurred_at.desc(), SessionError.error_id.desc())
        .limit(1)
    ).mappings()
    return next((dict(each) for each in found), None)


def pause(session: Session, name: str) -> None:
    """Let a schedule rest.

    Raises:
        UsageError: there is none of that name.
    """
    find_schedule(session, name).is_active = False


def resume(session: Session, name: str) -> None:
    """Let a schedule come due again, from now on: what it missed while it rested is not caught up.

    Raises:
        UsageError: there is none of that name.
    """
    row = find_schedule(session, name)
    row.is_active, row.failures = True, 0
    row.next_run_at = next_time(row.cron or "", row.timezone, database_now(session))


def remove(session: Session, name: str) -> None:
    """Forget a schedule and the list of its runs; what they brought stays.

    Raises:
        UsageError: there is none of that name.
    """
    session.delete(find_schedule(session, name))


def asked(row: SavedSearch) -> ParsedQuery:
    """The question of a schedule, as it was understood when it was added."""
    known = row.options.get("asked")
    if known is None:  # written by hand
        return parse_query(row.query)
    return ParsedQuery(
        tree=parse_direct(known["text"]),
        text=known["text"],
        filters=known["filters"],
        language=known["language"],
        method=known["method"],
        confidence=known["confidence"],
        explanation=known["explanation"],
    )


def newest_run(session: Session, row: SavedSearch) -> Run | None:
    """The schedule's latest run that was not skipped."""
    return session.scalar(
        select(Run)
        .where(Run.saved_search_id == row.saved_search_id, Run.status != "skipped")
        .order_by(Run.run_id.desc())
        .limit(1)
    )


def database_now(session: Session) -> Any:
    """The database's clock: workers' own may differ."""
    return session.scalar(select(func.clock_timestamp()))


def check_told(command: str | None, webhook: str | None) -> None:
    """See that a command and an address can be told.

    Raises:
        UsageError: one cannot; no word of the address is in the sentence.
    """
    for option, text in (("--notify", command), ("--webhook", webhook)):
        if text is not None and not text.isprintable():
            raise UsageError(f"What stands after {option} must be printable characters.")
    if command is not None:
        check_name(command)
    if webhook is not None:
        try:
            parts = urlsplit(webhook)
            httpx.URL(webhook)
        except (ValueError, httpx.InvalidURL) as error:
            raise UsageError("The address after --webhook is not a web address.") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("The address after --webhook must begin with http:// or https://.")
        if parts.username or parts.password:
            raise UsageError("The address after --webhook must not carry a name or password.")


def site_of(address: str) -> str:
    """What may be shown of a webhook: path and query are what its receiver knows us by."""
    url = httpx.URL(address)
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
