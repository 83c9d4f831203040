"""Connections to trackers: stored, changed and listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.http.origin import Origin
from crawler.options import changed
from crawler.records import Json
from crawler.sources import find_kind
from db.models import Tracker as TrackerModel
from db.users import require_writer
from pipeline.trackers.connect import IGNORE_ROBOTS, PROXY
from pipeline.trackers.opened import check_name, check_place, no_tracker, own_proxy
from pipeline.trackers.secrets import Vault, password_of, proxy_password_of

SLOWEST, FASTEST = 0.00028, 1000  # requests a second, as the column takes them


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTracker:
    """A connection to be stored."""

    name: str
    kind: str
    base_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timezone: str | None = None
    rate: float | None = None
    concurrency: int = 4
    proxy: str | None = None  # its address, without a password
    proxy_password: str | None = field(default=None, repr=False)
    ignore_robots: bool = False  # its robots.txt is not meant for us
    options: Mapping[str, Json] = field(default_factory=dict)  # the kind's own, see crawler.options


def add_tracker(session: Session, new: NewTracker, vault: Vault) -> TrackerModel:
    """Store a connection, or change the stored one of that name.

    A new address forgets the password, and so does a new account.

    Raises:
        UsageError: its name, kind, address, time zone or limits cannot be.
        DatabaseRefused: the user only looks.
    """
    _check(new)
    require_writer(session)
    row = session.scalar(_mine().where(TrackerModel.name == new.name))
    if row is None:
        row = TrackerModel(name=new.name)
        session.add(row)
    elif row.secret is not None and not (_is_at(row, new.base_url) and row.username == new.username):
        row.secret = None
    row.kind, row.base_url = new.kind, new.base_url.rstrip("/")
    row.username, row.timezone = new.username, new.timezone
    row.rate, row.concurrency = new.rate, new.concurrency
    if row.proxy_secret is not None and row.options.get(PROXY) != new.proxy:
        row.proxy_secret = None
    own = {} if new.proxy is None else {PROXY: new.proxy}
    row.options = {**new.options, IGNORE_ROBOTS: new.ignore_robots, **own}
    if row.stored_secret is not None and row.secret is None and row.proxy_secret is None:
        row.stored_secret = None
    session.flush()  # it has its number now, and a forgotten password is gone
    if new.password is not None:
        row.secret = vault.seal(new.password, password_of(row.user_id, row.tracker_id, row.base_url))
    if new.proxy is not None and new.proxy_password is not None:
        purpose = proxy_password_of(row.user_id, row.tracker_id, new.proxy)
        row.proxy_secret = vault.seal(new.proxy_password, purpose)
    session.flush()
    return row


def edit_tracker(
    session: Session, name: str, changes: Mapping[str, Any], options: Iterable[str], vault: Vault
) -> TrackerModel:
    """Change some of a stored connection; what is not named stays as it is.

    Args:
        session: acts for the user whose tracker it is.
        name: which one.
        changes: fields of :class:`NewTracker` with their new values.
        options: ``NAME=VALUE`` each, see :func:`crawler.options.changed`.
        vault: encrypts a new password.

    Raises:
        UsageError: there is none of that name, or it cannot be so.
        DatabaseRefused: the user only looks.
    """
    row = find_row(session, name)
    stored = dict(row.options)
    before = NewTracker(
        name=row.name,
        kind=row.kind,
        base_url=row.base_url,
        username=row.username,
        timezone=row.timezone,
        rate=row.rate,
        concurrency=row.concurrency,
        ignore_robots=bool(stored.pop(IGNORE_ROBOTS, False)),
        proxy=own_proxy(stored.pop(PROXY, None)),
        options=stored,
    )
    wanted = changed(find_kind(row.kind), stored, options)
    return add_tracker(session, replace(before, **{**changes, "options": wanted}), vault)


def list_trackers(session: Session, *, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return the stored connections by name: ``name``, ``kind``, ``base_url``, ``username``; no secret."""
    columns = (TrackerModel.name, TrackerModel.kind, TrackerModel.base_url, TrackerModel.username)
    listed = select(*columns).order_by(TrackerModel.name, TrackerModel.tracker_id)
    return [dict(row) for row in session.execute(listed.limit(limit).offset(offset)).mappings()]


def rename_tracker(session: Session, name: str, new_name: str) -> None:
    """Give a connection another name; its issues, sessions and password stay with it.

    Raises:
        UsageError: there is none of that name, or the new name is taken or cannot be.
        DatabaseRefused: the user only looks.
    """
    require_writer(session)
    row = find_row(session, name)
    if new_name != name and session.scalar(_mine().where(TrackerModel.name == new_name)) is not None:
        raise UsageError(f"There is a tracker called {new_name!r} already: choose another name.")
    check_name(new_name)
    row.name = new_name
    session.flush()


def rotate(session: Session, vault: Vault) -> int:
    """Encrypt all of the user's stored passwords with the vault's newest key; their number comes back."""
    rotated = 0
    for row in session.scalars(_mine()):
        if row.secret:
            row.secret = vault.rotate(row.secret)
            rotated += 1
        if row.proxy_secret:
            row.proxy_secret = vault.rotate(row.proxy_secret)
            rotated += 1
    return rotated


def _mine() -> Select[TrackerModel]:
    # An admin sees everybody's rows; names are each user's own.
    return select(TrackerModel).where(TrackerModel.user_id == func.ims.current_user_id())


def _is_at(row: TrackerModel, url: str) -> bool:
    try:
        return Origin(row.base_url).name == Origin(url).name
    except UsageError:  # somebody has written into the row what is no address
        return False


def find_row(session: Session, name: str) -> TrackerModel:
    """One's own tracker of that name.

    Raises:
        UsageError: there is none.
    """
    row = session.scalar(_mine().where(TrackerModel.name == name))
    if row is None:
        raise no_tracker(name)
    return row


def _check(new: NewTracker) -> None:
    check_name(new.name)
    check_place(new.kind, new.base_url)
    if new.timezone is not None:
        try:
            ZoneInfo(new.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise UsageError(
                f"There is no time zone {new.timezone!r}: use an IANA name such as Asia/Seoul."
            ) from error
    if new.rate is not None and not SLOWEST <= new.rate <= FASTEST:
        raise UsageError(
            f"The rate is in requests a second and must be from {SLOWEST}, one an hour, to {FASTEST}."
        )
    if not 1 <= new.concurrency <= 64:
        raise UsageError("The concurrency is the number of requests at once, from 1 to 64.")
