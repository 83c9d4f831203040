"""The one place where things are wired together: settings, logs, database, user, trackers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy import func, select

from crawler.errors import CrawlError
from crawler.http.proxy import Proxy, proxy_of_environment
from crawler.process.isolation import hide_memory
from db import get_session
from db.errors import DatabaseError
from db.location import configured_url
from db.models import Tracker as TrackerModel
from db.settings import environment
from db.settings import read_settings as read_database_settings
from db.setup.bootstrap import libpq_url
from pipeline.logs import configure, keep_secret
from pipeline.sessions.crawl_session import SessionLease
from pipeline.settings import Settings, read_settings
from pipeline.stages.counts import Observer, ignore_progress
from pipeline.trackers.connect import Tracker
from pipeline.trackers.recognise import Place, place_of, recognise
from pipeline.trackers.secrets import Vault, add_key, open_vault
from pipeline.trackers.stored import find_tracker, open_adhoc, open_tracker, stored_place


@dataclass(frozen=True)
class Program:
    """A running program: who it works for, and what it works with."""

    settings: Settings
    home: Path  # the data folder
    conninfo: str = field(repr=False)  # the application's own connections to the database
    user_id: int  # the configured user

    @cached_property
    def vault(self) -> Vault:
        """Opens stored passwords."""
        return open_vault(self.home, self.settings.secret_key)

    def new_vault(self) -> Vault:
        """A vault whose newest key is fresh; with keys from the environment, the newest of those."""
        return self.vault if self.settings.secret_key else add_key(self.home)

    def open_tracker(self, name: str | None) -> Tracker:
        """A stored tracker with its password; see :func:`pipeline.trackers.stored.open_tracker`."""
        with get_session(user_id=self.user_id) as session:
            return open_tracker(session, name, self.settings, self.vault)

    def find_tracker(self, name: str | None) -> Tracker:
        """A stored tracker without its password; as :meth:`open_tracker` else."""
        with get_session(user_id=self.user_id) as session:
            return find_tracker(session, name)

    def open_adhoc(self, kind: str, url: str) -> Tracker:
        """A tracker by its address; see :func:`pipeline.trackers.stored.open_adhoc`."""
        with get_session(user_id=self.user_id) as session:
            return open_adhoc(session, kind, url, self.settings, self.vault)

    def find_place(self, kind: str | None, url: str, proxy: Proxy | None = None) -> Place:
        """What is at an address: as a stored tracker says, or the kind's own rules, or the server itself.

        Args:
            kind: of the tracker; None: it is to be found out.
            url: as people copy it from their browser.
            proxy: that the server is asked through; None: as the environment says.

        Raises:
            UsageError: nothing that is known here.
            TrackerError: the server cannot be reached.
        """
        if kind is not None:
            return place_of(kind, url)
        with get_session(user_id=self.user_id) as session:
            known = stored_place(session, url)
        if known is not None:
            return known
        return asyncio.run(recognise(url, proxy=proxy or proxy_of_environment(url, self.settings.proxies)))

    def tracker_of(self, lease: SessionLease) -> Tracker:
        """The tracker that a session crawls."""
        with get_session(user_id=lease.user_id) as session:
            name = session.scalar(
                select(TrackerModel.name).where(TrackerModel.tracker_id == lease.tracker_id)
            )
            return open_tracker(session, name, self.settings, self.vault)

    def run(
        self, lease: SessionLease, tracker: Tracker, observer: Observer = ignore_progress
    ) -> CrawlError | DatabaseError | None:
        """Work on a session until it ends; see :func:`pipeline.sessions.whole_session.run_session`."""
        return asyncio.run(self.run_within(lease, tracker, observer))

    async def run_within(
        self, lease: SessionLease, tracker: Tracker, observer: Observer = ignore_progress
    ) -> CrawlError | DatabaseError | None:
        """As :meth:`run`, within a running event loop."""
        from pipeline.sessions.whole_session import run_session

        return await run_session(
            lease,
            tracker,
            conninfo=self.conninfo,
            home=self.home,
            observer=observer,
            ceiling=self.settings.ceiling,
        )


def start(*, level: int = logging.INFO) -> Program:
    """Read the settings, set logging up, and make sure that database and user are there.

    Raises:
        UsageError: a setting is wrong.
        DatabaseError: the database cannot be used.
    """
    hide_memory()
    database = read_database_settings()
    settings = read_settings(environment())
    configure(settings.log, level=level)
    keep_secret(settings.tracker_password)
    keep_secret(settings.proxy_password)
    keep_secret(settings.secret_key)
    with get_session() as session:
        user_id = session.scalar(select(func.ims.current_user_id()))
    assert user_id is not None  # noqa: S101 - get_session() without an identity is refused
    conninfo = libpq_url(configured_url(database))
    return Program(settings=settings, home=database.home, conninfo=conninfo, user_id=user_id)
