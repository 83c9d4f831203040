"""The one place where things are wired together: settings, logs, database, user, trackers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.process.isolation import hide_memory
from db.acting import acting_for
from db.connections import close_kept
from db.location import configured_url
from db.settings import DatabaseSettings, environment, libpq_url
from db.settings import read_settings as read_database_settings
from pipeline.logs import configure, keep_libraries_quiet, keep_secret
from pipeline.settings import Settings, read_settings

if TYPE_CHECKING:
    from crawler.errors import CrawlError
    from crawler.http.proxy import Proxy
    from db.errors import DatabaseError
    from pipeline.sessions.crawl_session import SessionLease
    from pipeline.stages.counts import Observer
    from pipeline.trackers.connect import Tracker
    from pipeline.trackers.recognise import Place
    from pipeline.trackers.secrets import Vault


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
        from pipeline.trackers.secrets import open_vault

        return open_vault(self.home, self.settings.secret_key)

    def new_vault(self) -> Vault:
        """A vault whose newest key is fresh; with keys from the environment, the newest of those."""
        from pipeline.trackers.secrets import add_key

        return self.vault if self.settings.secret_key else add_key(self.home)

    def open_tracker(self, name: str | None) -> Tracker:
        """A stored tracker with its password; see :func:`pipeline.trackers.opened.open_tracker`."""
        from pipeline.trackers.opened import open_tracker

        with acting_for(self.user_id) as acting:
            return open_tracker(acting.connection, name, self.settings, self.vault)

    def find_tracker(self, name: str | None) -> Tracker:
        """A stored tracker without its password; as :meth:`open_tracker` else."""
        from pipeline.trackers.opened import find_tracker

        with acting_for(self.user_id) as acting:
            return find_tracker(acting.connection, name)

    def open_adhoc(self, kind: str, url: str) -> Tracker:
        """A tracker by its address; see :func:`pipeline.trackers.opened.open_adhoc`."""
        from pipeline.trackers.opened import open_adhoc

        with acting_for(self.user_id) as acting:
            return open_adhoc(acting.connection, kind, url, self.settings, self.vault)

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
        import asyncio

        from crawler.http.proxy import proxy_of_environment
        from pipeline.trackers.opened import stored_place
        from pipeline.trackers.recognise import place_of, recognise

        if kind is not None:
            return place_of(kind, url)
        with acting_for(self.user_id) as acting:
            known = stored_place(acting.connection, url)
        if known is not None:
            return known
        return asyncio.run(recognise(url, proxy=proxy or proxy_of_environment(url, self.settings.proxies)))

    def tracker_of(self, lease: SessionLease) -> Tracker:
        """The tracker that a session crawls."""
        from pipeline.trackers.opened import open_by_id

        with acting_for(lease.user_id) as acting:
            return open_by_id(acting.connection, lease.tracker_id, self.settings, self.vault)

    def run(
        self, lease: SessionLease, tracker: Tracker, observer: Observer | None = None
    ) -> CrawlError | DatabaseError | None:
        """Work on a session until it ends; see :func:`pipeline.sessions.whole_session.run_session`."""
        import asyncio

        return asyncio.run(self.run_within(lease, tracker, observer))

    async def run_within(
        self, lease: SessionLease, tracker: Tracker, observer: Observer | None = None
    ) -> CrawlError | DatabaseError | None:
        """As :meth:`run`, within a running event loop."""
        from pipeline.sessions.whole_session import run_session
        from pipeline.stages.counts import ignore_progress

        return await run_session(
            lease,
            tracker,
            conninfo=self.conninfo,
            home=self.home,
            observer=observer or ignore_progress,
            ceiling=self.settings.ceiling,
        )


def settings_of_a_server() -> tuple[Settings, DatabaseSettings]:
    """The settings of a program that serves people as themselves: nobody is acted for, nothing is opened.

    Raises:
        UsageError: a setting is wrong.
        DatabaseError: likewise.
    """
    hide_memory()
    settings, database = read_settings(environment()), read_database_settings()
    keep_secret(settings.secret_key)
    keep_libraries_quiet()
    return settings, database


def start(*, level: int = logging.INFO, asks_only: bool = False) -> Program:
    """Read the settings, set logging up, and make sure that database and user are there.

    Args:
        level: from which one on something is logged.
        asks_only: what is stored is only asked for, so nothing is logged.

    Raises:
        UsageError: a setting is wrong.
        DatabaseError: the database cannot be used.
    """
    hide_memory()
    database = read_database_settings()
    settings = read_settings(environment())
    keep_secret(settings.tracker_password)
    keep_secret(settings.proxy_password)
    keep_secret(settings.secret_key)
    if asks_only:
        keep_libraries_quiet()
    else:
        configure(settings.log, level=level)
    with acting_for() as acting:
        user_id = acting.user_id
    if not asks_only:
        close_kept()  # most of the program has connections of its own
    conninfo = libpq_url(configured_url(database))
    return Program(settings=settings, home=database.home, conninfo=conninfo, user_id=user_id)
