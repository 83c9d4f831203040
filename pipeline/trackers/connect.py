"""From a stored connection to a source that can be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from crawler.client import Client, Event
from crawler.http.origin import Origin
from crawler.http.reach import Reach
from crawler.http.stats import Stats
from crawler.records import Json
from crawler.source import Connection, Source
from crawler.throttle import Share
from db.crawl.host_lease import HostLease
from pipeline.logs import keep_secret, redact
from pipeline.trackers.host_share import HostShare
from pipeline.trackers.kinds import source_class

IGNORE_ROBOTS = "ignore_robots"  # the option of a tracker whose robots.txt is not meant for us

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracker:
    """A tracker with the account to use, ready to be connected to."""

    tracker_id: int
    name: str
    kind: str
    base_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timezone: str | None = None
    rate: float | None = None  # requests a second
    concurrency: int = 4  # requests at once
    options: Mapping[str, Json] = field(default_factory=dict)
    reach: Reach | None = None  # which addresses may be connected to; None: any, for it is one's own

    @property
    def connection(self) -> Connection:
        """What a source needs to know."""
        return Connection(
            base_url=self.base_url.rstrip("/"),
            username=self.username,
            password=self.password,
            timezone=self.timezone,
            options=self.options,
        )


@asynccontextmanager
async def connected(
    tracker: Tracker, *, workers: int | None = None, share: Share | None = None
) -> AsyncIterator[tuple[Source, Stats]]:
    """Open a client for the tracker and give the source, not yet logged in, with the client's totals.

    Args:
        tracker: with the account to use.
        workers: requests at once; never more than the tracker allows.
        share: of what all processes together may ask.
    """
    keep_secret(tracker.password)
    concurrency = min(tracker.concurrency, workers or tracker.concurrency)
    async with Client(
        tracker.connection.base_url,
        concurrency=concurrency,
        rate=tracker.rate,
        robots=not tracker.options.get(IGNORE_ROBOTS),
        share=share,
        reach=tracker.reach,
        on_event=_note,
    ) as client:
        yield source_class(tracker.kind)(tracker.connection, client), client.stats


def shared(tracker: Tracker, conninfo: str, party: object) -> HostShare:
    """A share of the tracker's host, to be entered.

    Args:
        tracker: whose limits hold.
        conninfo: the database that hands shares out.
        party: whoever gets one part together: a session.
    """
    lease = HostLease(
        conninfo,
        host=Origin(tracker.base_url).key,
        party=str(party),
        concurrency=tracker.concurrency,
        rate=tracker.rate,
    )
    return HostShare(lease)


def _note(event: Event) -> None:
    log.info(f"tracker: {event.kind}", reason=redact(event.reason), seconds=round(event.seconds, 1))
