"""Connections to trackers: stored, listed, opened with the account to use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from crawler.errors import UsageError
from crawler.http.origin import Origin
from crawler.http.proxy import Proxy, proxy_of_environment, read_proxy
from crawler.options import changed
from crawler.records import Json
from crawler.sources import find_kind
from db.models import Tracker as TrackerModel
from db.sanitize import LONGEST_NAME
from db.users import require_writer
from pipeline.settings import Settings
from pipeline.trackers.connect import IGNORE_ROBOTS, PROXY, Tracker
from pipeline.trackers.recognise import Place, bare
from pipeline.trackers.secrets import Purpose, Vault, password_of, proxy_password_of

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
        row.secret = vault.seal(new.password, _password_of(row))
    if new.proxy is not None and new.proxy_password is not None:
        row.proxy_secret = vault.seal(new.proxy_password, _proxy_password_of(row, new.proxy))
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
        proxy=_own_proxy(stored.pop(PROXY, None)),
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
    _check_name(new_name)
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


def open_tracker(session: Session, name: str | None, settings: Settings, vault: Vault) -> Tracker:
    """A stored connection with its password.

    Args:
        session: acts for the user whose tracker it is.
        name: which one; None: the only one there is.
        settings: name and password for an address that was once given with them on the command line.
        vault: decrypts the stored one.

    Raises:
        UsageError: there is none, or several to choose from, or its password cannot be decrypted.
    """
    return _opened(find_row(session, name) if name else _only(session), settings, vault)


def find_tracker(session: Session, name: str | None) -> Tracker:
    """As :func:`open_tracker`, without its password: no key is needed."""
    return _described(find_row(session, name) if name else _only(session))


def open_by_id(session: Session, tracker_id: int, settings: Settings, vault: Vault) -> Tracker:
    """As :func:`open_tracker`, for one that is known by its id."""
    row = session.scalar(_mine().where(TrackerModel.tracker_id == tracker_id))
    if row is None:
        raise UsageError("The tracker is gone: add it again with trackers add.")
    return _opened(row, settings, vault)


def open_adhoc(session: Session, kind: str, url: str, settings: Settings, vault: Vault) -> Tracker:
    """The connection for an address on the command line, kept so that a second crawl knows the first one.

    Raises:
        UsageError: the kind or the address cannot be.
    """
    Origin(url)  # before the database hears of what may have a password in it
    base_url = url.rstrip("/")
    _check_place(kind, base_url)  # before the database hears of it, and its log
    known = session.scalar(
        _mine()
        .where(
            TrackerModel.kind == kind,
            TrackerModel.base_url == base_url,
            TrackerModel.username.is_not_distinct_from(settings.tracker_username),
        )
        .order_by(TrackerModel.tracker_id)
    )
    is_new = known is None
    if known is None:
        name = _free_name(session, f"{kind}-{urlsplit(base_url).netloc}"[: LONGEST_NAME - 10])
        new = NewTracker(name=name, kind=kind, base_url=base_url, username=settings.tracker_username)
        known = add_tracker(session, new, vault)
    if settings.tracker_password is None:
        return replace(_opened(known, settings, vault), is_new=is_new)
    if known.secret is None:  # so that resume and schedules may use the account of the environment too
        known.secret = vault.seal(None, _password_of(known))
        session.flush()
    proxy = _proxy_of(known, settings, vault)
    described = replace(_described(known), proxy=proxy, largest=settings.largest_answer)
    return replace(described, password=settings.tracker_password, is_new=is_new)


def stored_place(session: Session, url: str) -> Place | None:
    """The place of the user's tracker that has this very address; None: there is none, or several."""
    base_url = bare(url).rstrip("/")
    Origin(base_url)  # before the database hears of what may have a password in it
    same = select(TrackerModel.kind).where(
        TrackerModel.user_id == func.ims.current_user_id(), TrackerModel.base_url == base_url
    )
    kinds = set(session.scalars(same))
    return Place(kinds.pop(), base_url) if len(kinds) == 1 else None


def _mine() -> Select[TrackerModel]:
    # An admin sees everybody's rows; names are each user's own.
    return select(TrackerModel).where(TrackerModel.user_id == func.ims.current_user_id())


def _opened(row: TrackerModel, settings: Settings, vault: Vault) -> Tracker:
    tracker = replace(_described(row), proxy=_proxy_of(row, settings, vault), largest=settings.largest_answer)
    if row.secret is None:
        return tracker
    password = vault.open(row.secret, _password_of(row))
    if password is not None:
        return replace(tracker, password=password)
    return replace(
        tracker,
        username=row.username or settings.tracker_username,
        password=settings.tracker_password,
    )


def _proxy_of(row: TrackerModel, settings: Settings, vault: Vault) -> Proxy | None:
    own = _own_proxy(row.options.get(PROXY))
    if own is None:
        return proxy_of_environment(row.base_url, settings.proxies)
    url, _ = read_proxy(own)
    if row.proxy_secret is None:
        return Proxy(url=url, password=settings.proxy_password)
    return Proxy(url=url, password=vault.open(row.proxy_secret, _proxy_password_of(row, own)))


def _own_proxy(stored: Json) -> str | None:
    return stored if isinstance(stored, str) else None


def _proxy_password_of(row: TrackerModel, proxy: str) -> Purpose:
    return proxy_password_of(row.user_id, row.tracker_id, proxy)


def _password_of(row: TrackerModel) -> Purpose:
    return password_of(row.user_id, row.tracker_id, Origin(row.base_url).name)


def _is_at(row: TrackerModel, url: str) -> bool:
    try:
        return Origin(row.base_url).name == Origin(url).name
    except UsageError:  # somebody has written into the row what is no address
        return False


def _described(row: TrackerModel) -> Tracker:
    return Tracker(
        tracker_id=row.tracker_id,
        name=row.name,
        kind=row.kind,
        base_url=row.base_url,
        username=row.username,
        timezone=row.timezone,
        rate=row.rate,
        concurrency=row.concurrency,
        options={name: value for name, value in row.options.items() if name != PROXY},
    )


def find_row(session: Session, name: str) -> TrackerModel:
    """One's own tracker of that name.

    Raises:
        UsageError: there is none.
    """
    row = session.scalar(_mine().where(TrackerModel.name == name))
    if row is None:
        raise UsageError(
            f"There is no tracker called {name!r}: see trackers list, or add it with trackers add."
        )
    return row


def _only(session: Session) -> TrackerModel:
    rows = session.scalars(_mine().order_by(TrackerModel.name).limit(10)).all()
    if not rows:
        raise UsageError("There is no tracker yet: add one with trackers add, or give --kind and --url.")
    if len(rows) > 1:
        raise UsageError(f"Say which tracker with --tracker: {', '.join(row.name for row in rows)}.")
    return rows[0]


def _free_name(session: Session, wanted: str) -> str:
    taken = {row.name for row in session.scalars(_mine().where(TrackerModel.name.startswith(wanted)))}
    number = 1
    name = wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _check_place(kind: str, base_url: str) -> None:
    find_kind(kind)
    Origin(base_url)


def _check_name(name: str) -> None:
    if not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A tracker's name is up to {LONGEST_NAME} printable characters.")


def _check(new: NewTracker) -> None:
    _check_name(new.name)
    _check_place(new.kind, new.base_url)
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
