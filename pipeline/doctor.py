"""The doctor: looks at everything that the program needs, and says what is wrong and how to mend it."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Literal

from sqlalchemy import func, select

from crawler.errors import CrawlError
from db import get_session
from db.errors import DatabaseError, NoBinaries
from db.location import configured_url
from db.models import SavedSearch, Tracker, User
from db.session import driver_connection
from db.settings import DatabaseSettings, address_source, environment, libpq_url
from db.settings import read_settings as read_database_settings
from db.setup.bootstrap import schema_status
from db.setup.schema_version import State
from db.setup.server_version import server_facts
from pipeline.bootstrap import start
from pipeline.logs import keep_secret, redact
from pipeline.sessions.left_over import left_over
from pipeline.settings import Settings, read_settings
from pipeline.trackers.connect import Tracker as Connected
from pipeline.trackers.opened import open_by_id
from pipeline.trackers.process import TrackerProcess
from pipeline.trackers.secrets import place_of_key

Level = Literal["ok", "note", "problem"]

FEW_BYTES = 1 << 30  # free on the disk; PostgreSQL stops when there are none
SKEW = 5.0  # seconds that two clocks may differ


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was looked at, and what is the matter with it."""

    name: str
    state: Level
    detail: str
    advice: str | None = None  # what to do, where it is a problem


def examine(*, online: bool = False) -> Iterator[Finding]:
    """Look at everything, one thing after the other; what cannot be looked at is a finding too.

    Args:
        online: log in to each tracker as well.
    """
    yield _program()
    try:
        database = read_database_settings()
        settings = read_settings(environment())
    except (CrawlError, DatabaseError) as error:
        yield Finding(name="settings", state="problem", detail=_told(error), advice="Mend the setting.")
        return
    for secret in (settings.tracker_password, settings.proxy_password, settings.secret_key):
        keep_secret(secret)
    yield from _guarded("data folder", lambda: _folder(database))
    reached = False
    for finding in _guarded("database", lambda: _database(database)):
        reached = reached or finding.name == "server"
        yield finding
    if reached:
        yield from _guarded("user", lambda: _account(database, settings, online=online))


def _guarded(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (CrawlError, DatabaseError, OSError) as error:
        yield Finding(name=name, state="problem", detail=_told(error))


def _program() -> Finding:
    try:
        version = metadata.version("ims-crawler")
    except metadata.PackageNotFoundError:
        version = "not installed, run from its folder"
    return Finding(
        name="program",
        state="ok",
        detail=f"{version}, Python {platform.python_version()} at {sys.prefix}, {platform.platform()}",
    )


def _folder(database: DatabaseSettings) -> Iterator[Finding]:
    home = database.home
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(place, os.W_OK):
        yield Finding(
            name="data folder",
            state="problem",
            detail=f"{home} cannot be written by this account.",
            advice="Set IMS_HOME to a folder of this account.",
        )
        return
    yield Finding(name="data folder", state="ok", detail=str(home))
    free, total = shutil.disk_usage(place).free, shutil.disk_usage(place).total
    short = free < FEW_BYTES
    yield Finding(
        name="disk",
        state="problem" if short else "ok",
        detail=f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free there",
        advice="Make room, or see what db prune would free." if short else None,
    )


def _database(database: DatabaseSettings) -> Iterator[Finding]:
    if database.database_url is None:
        where = f"embedded, under {database.home / 'postgres'}"
    else:
        source = address_source()
        where = "DATABASE_URL, from " + ("the environment" if source is None else str(source))
    try:
        url = configured_url(database)
        schema = schema_status(url)
        version, size = server_facts(libpq_url(url))
    except DatabaseError as error:
        advice = (
            "Set DATABASE_URL to a PostgreSQL of your own, 15 or later."
            if isinstance(error, NoBinaries)
            else "Start the server, or correct DATABASE_URL."
            if database.database_url is not None
            else None
        )
        yield Finding(name="database", state="problem", detail=f"{_told(error)} ({where})", advice=advice)
        return
    yield Finding(name="database", state="ok", detail=where)
    advice = {
        State.ABSENT: "Set it up: db init, with an administrator's DATABASE_URL.",
        State.BEHIND: "Bring it up to date: db upgrade, with an administrator's DATABASE_URL.",
        State.AHEAD: "A newer version of the program was here: update the program.",
    }.get(schema.state)
    yield Finding(
        name="schema",
        state="problem" if advice else "ok",
        detail=f"{schema.state.value}, revision {schema.revision}",
        advice=advice,
    )
    yield Finding(name="server", state="ok", detail=f"PostgreSQL {version}, {size / 2**20:,.0f} MiB of data")


def _account(database: DatabaseSettings, settings: Settings, *, online: bool) -> Iterator[Finding]:
    program = start(level=logging.WARNING)
    user_id, vault = program.user_id, program.vault
    with get_session(user_id=user_id) as session:
        role, now = session.execute(
            select(User.role, func.clock_timestamp()).where(User.user_id == user_id)
        ).one()
        yield Finding(name="user", state="ok", detail=f"{database.user}, {role}")
        skew = abs((datetime.now(UTC) - now).total_seconds())
        yield Finding(
            name="clock",
            state="problem" if skew > SKEW else "ok",
            detail=f"{skew:.1f} s between this machine and the database server",
            advice="Set the clocks by a time server." if skew > SKEW else None,
        )
        rows = session.scalars(select(Tracker).where(Tracker.user_id == user_id).order_by(Tracker.name)).all()
        opened: dict[str, Connected | None] = {}
        for row in rows:
            try:
                opened[row.name] = open_by_id(driver_connection(session), row.tracker_id, settings, vault)
            except CrawlError:  # its password cannot be read
                opened[row.name] = None
        sealed = sum(row.secret is not None for row in rows)
        scheduled = session.scalar(
            select(func.count()).where(SavedSearch.user_id == user_id, SavedSearch.next_run_at.is_not(None))
        )
    key = place_of_key(database.home, settings.secret_key)
    yield _key(key, sealed, [name for name, tracker in opened.items() if tracker is None])
    detail = f"{len(opened)}: {', '.join(opened)}" if opened else "none yet: add one with trackers add"
    yield Finding(name="trackers", state="ok" if opened else "note", detail=detail)
    for tracker in opened.values():
        if online and tracker is not None:
            yield _reached(tracker)
    yield _workers(scheduled or 0)
    yield _sessions(user_id)


def _key(place: str, sealed: int, lost: list[str]) -> Finding:
    if lost:
        return Finding(
            name="key",
            state="problem",
            detail=f"{place} does not open the passwords of {', '.join(lost)}.",
            advice="Put the key back that they were stored with, or store them again with trackers add.",
        )
    return Finding(name="key", state="ok", detail=f"{place}, for {sealed} stored passwords")


def _reached(tracker: Connected) -> Finding:
    import asyncio

    async def log_in() -> None:
        async with TrackerProcess(tracker) as source:
            await source.login()

    try:
        asyncio.run(log_in())
    except (CrawlError, DatabaseError) as error:
        return Finding(
            name=f"tracker {tracker.name}",
            state="problem",
            detail=_told(error),
            advice=f"See: trackers test {tracker.name}",
        )
    return Finding(name=f"tracker {tracker.name}", state="ok", detail=f"answers at {tracker.base_url}")


def _workers(scheduled: int) -> Finding:
    from pipeline.jobs.worker import count_workers

    at_work = count_workers()
    if scheduled and not at_work:
        return Finding(
            name="workers",
            state="problem",
            detail=f"No worker is running, and {scheduled} schedules wait for one.",
            advice="Start one: worker",
        )
    return Finding(name="workers", state="ok", detail=f"{at_work} running, {scheduled} schedules")


def _sessions(user_id: int) -> Finding:
    left = left_over(user_id)
    if left.resumable:
        return Finding(
            name="sessions",
            state="note",
            detail=f"{len(left.resumable)} are incomplete and nobody works on them: resume --all",
        )
    return Finding(name="sessions", state="ok", detail=f"{len(left.alive)} at work")


def _told(error: Exception) -> str:
    return redact(str(error))
