"""A tracker with the account to use, and its share of the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crawler.http.origin import Origin
from crawler.http.proxy import Proxy
from crawler.http.reach import Reach
from crawler.limits import LARGEST_ANSWER
from crawler.records import Json
from crawler.source import Connection
from db.crawl.host_lease import HostLease
from pipeline.trackers.host_share import HostShare

IGNORE_ROBOTS = "ignore_robots"  # the option of a tracker whose robots.txt is not meant for us

PROXY = "proxy"  # the option that has the address of a tracker's own proxy


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
    proxy: Proxy | None = None  # that it is asked through
    reach: Reach | None = None  # which addresses may be connected to; None: any, for it is one's own
    largest: int = LARGEST_ANSWER  # bytes of an answer, files included
    is_new: bool = False  # stored just now, for an address on the command line

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
