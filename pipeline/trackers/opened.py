"""Stored connections to trackers, opened with the account to use; no mapper of objects is loaded for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from crawler.errors import UsageError
from crawler.http.origin import Origin
from crawler.http.proxy import Proxy, proxy_of_environment, read_proxy
from crawler.records import Json
from crawler.sources import find_kind
from db.errors import DatabaseRefused
from db.queries import statements
from db.sanitize import LONGEST_NAME
from pipeline.settings import Settings
from pipeline.trackers.connect import IGNORE_ROBOTS, PROXY, Tracker
from pipeline.trackers.recognise import Place, bare
from pipeline.trackers.secrets import Vault, password_of, proxy_password_of

if TYPE_CHECKING:
    from db.models import Tracker as TrackerModel

ANALYSTS_LOOK = "Analysts look and do not write: this needs a user's account."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A stored connection."""

    tracker_id: int
    user_id: int
    name: str
    kind: str
    base_url: str
    username: str | None
    timezone: str | None
    rate: float | None
    concurrency: int
    options: dict[str, Json]
    secret: bytes | None = field(repr=False)
    proxy_secret: bytes | None = field(repr=False)


def open_tracker(
    connection: psycopg.Connection, name: str | None, settings: Settings, vault: Vault
) -> Tracker:
    """A stored tracker with its password.

    Args:
        connection: acts for the user whose tracker it is.
        name: which one; None: the only one there is.
        settings: name and password for an address that was once given with them on the command line.
        vault: decrypts the stored one.

    Raises:
        UsageError: there is none, or several to choose from, or its password cannot be decrypted.
    """
    return _opened(_named(connection, name), settings, vault)


def find_tracker(connection: psycopg.Connection, name: str | None) -> Tracker:
    """As :func:`open_tracker`, without its password: no key is needed."""
    return described(_named(connection, name))


def open_by_id(
    connection: psycopg.Connection, tracker_id: int | None, settings: Settings, vault: Vault
) -> Tracker:
    """As :func:`open_tracker`, for one that is known by its id."""
    rows = _mine(connection, tracker_id=tracker_id) if tracker_id is not None else []
    if not rows:
        raise UsageError("The tracker is gone: add it again with trackers add.")
    return _opened(rows[0], settings, vault)


def open_adhoc(
    connection: psycopg.Connection, kind: str, url: str, settings: Settings, vault: Vault
) -> Tracker:
    """The connection for an address on the command line, kept so that a second crawl knows the first one.

    Raises:
        UsageError: the kind or the address cannot be.
        DatabaseRefused: the user only looks.
    """
    Origin(url)  # before the database hears of what may have a password in it
    base_url = url.rstrip("/")
    check_place(kind, base_url)  # before the database hears of it, and its log
    place = {"kind": kind, "base_url": base_url, "username": settings.tracker_username}
    tracker_id = _value(connection, "at", place)
    is_new = tracker_id is None
    if is_new:
        if connection.execute(statements("asking")["only_looks"]).fetchone() == (True,):
            raise DatabaseRefused(ANALYSTS_LOOK)
        name = f"{kind}-{urlsplit(base_url).netloc}"[: LONGEST_NAME - 10]
        check_name(name)
        options = Jsonb({IGNORE_ROBOTS: False})
        tracker_id = _value(connection, "add_adhoc", {**place, "name": name, "options": options})
    (known,) = _mine(connection, tracker_id=tracker_id)
    if settings.tracker_password is None:
        return replace(_opened(known, settings, vault), is_new=is_new)
    if known.secret is None:  # so that resume and schedules may use the account of the environment too
        sealed = vault.seal(None, password_of(known.user_id, known.tracker_id, known.base_url))
        connection.execute(statements("trackers")["seal"], {"tracker_id": tracker_id, "secret": sealed})
    proxy = _proxy_of(known, settings, vault)
    tracker = replace(described(known), proxy=proxy, largest=settings.largest_answer)
    return replace(tracker, password=settings.tracker_password, is_new=is_new)


def stored_place(connection: psycopg.Connection, url: str) -> Place | None:
    """The place of the user's tracker that has this very address; None: there is none, or several."""
    base_url = bare(url).rstrip("/")
    Origin(base_url)  # before the database hears of what may have a password in it
    kinds = connection.execute(statements("trackers")["kinds_at"], {"base_url": base_url}).fetchall()
    return Place(kinds[0][0], base_url) if len(kinds) == 1 else None


def check_place(kind: str, base_url: str) -> None:
    """Refuse a kind that nobody knows and an address that is none.

    Raises:
        UsageError: it is one of these.
    """
    find_kind(kind)
    Origin(base_url)


def check_name(name: str) -> None:
    """Refuse what cannot be a tracker's name.

    Raises:
        UsageError: it cannot.
    """
    if not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A tracker's name is up to {LONGEST_NAME} printable characters.")


def no_tracker(name: str) -> UsageError:
    """What is said where the user has none of that name."""
    return UsageError(f"There is no tracker called {name!r}: see trackers list, or add it with trackers add.")


def own_proxy(stored: Json) -> str | None:
    """The address of a tracker's own proxy, as its options have it."""
    return stored if isinstance(stored, str) else None


def _value(connection: psycopg.Connection, statement: str, values: dict[str, Any]) -> Any:
    row = connection.execute(statements("trackers")[statement], values).fetchone()
    return None if row is None else row[0]


def _mine(
    connection: psycopg.Connection, *, name: str | None = None, tracker_id: int | None = None
) -> list[_Row]:
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        values = {"name": name, "tracker_id": tracker_id}
        return cursor.execute(statements("trackers")["mine"], values).fetchall()


def _named(connection: psycopg.Connection, name: str | None) -> _Row:
    rows = _mine(connection, name=name)
    if name and not rows:
        raise no_tracker(name)
    if not rows:
        raise UsageError("There is no tracker yet: add one with trackers add, or give --kind and --url.")
    if len(rows) > 1:
        raise UsageError(f"Say which tracker with --tracker: {', '.join(row.name for row in rows)}.")
    return rows[0]


def _opened(row: _Row, settings: Settings, vault: Vault) -> Tracker:
    tracker = replace(described(row), proxy=_proxy_of(row, settings, vault), largest=settings.largest_answer)
    if row.secret is None:
        return tracker
    password = vault.open(row.secret, password_of(row.user_id, row.tracker_id, row.base_url))
    if password is not None:
        return replace(tracker, password=password)
    return replace(
        tracker,
        username=row.username or settings.tracker_username,
        password=settings.tracker_password,
    )


def _proxy_of(row: _Row, settings: Settings, vault: Vault) -> Proxy | None:
    own = own_proxy(row.options.get(PROXY))
    if own is None:
        return proxy_of_environment(row.base_url, settings.proxies)
    url, _ = read_proxy(own)
    if row.proxy_secret is None:
        return Proxy(url=url, password=settings.proxy_password)
    purpose = proxy_password_of(row.user_id, row.tracker_id, own)
    return Proxy(url=url, password=vault.open(row.proxy_secret, purpose))


def described(row: _Row | TrackerModel) -> Tracker:
    """A stored connection without what is sealed of it."""
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
