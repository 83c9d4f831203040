"""What the stages of one session share: the queues between them, the running totals, the reason to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from crawler.errors import CrawlError, ItemError
from db.crawl.frontier import Pending
from db.crawl.transaction import Actor
from db.rows import IssueRow
from pipeline.ceiling import USUAL, Ceiling
from pipeline.crawl_session import Handle
from pipeline.stages.counts import Counts, Observer
from pipeline.stages.meter import Meter
from pipeline.stages.selection import Selection
from pipeline.trackers.pool import TrackerPool


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A part of a session's frontier that this process holds, others hold the rest."""

    number: int
    fence: int  # every batch of the chunk must still hold it
    first_position: int
    last_position: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a session is to do, and with what."""

    handle: Handle
    source: TrackerPool
    meter: Meter  # of the source's client
    searching: Actor  # the connection of the search stage and the feed
    loading: Actor  # the connection of the loader
    selection: Selection
    search_limit: int | None = None  # how many references the search may bring
    issue_limit: int | None = None  # how many issues may be stored, where each must be looked at first
    ceiling: Ceiling = USUAL  # the most that the session may bring
    chunk: Chunk | None = None  # all that is to be fetched; None: the whole frontier


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What became of one reference, on its way to the loader."""

    item: Pending
    row: IssueRow | None = None
    warnings: tuple[str, ...] = ()
    comments_announced: int = 0
    history_announced: int = 0
    refusal: str | None = None  # why it was left out though it could be had
    removal: str | None = None  # what a census says of it: deleted, denied, or moved to another number
    error: ItemError | None = None


class Mark(Enum):
    """What passes the loader's queue between the fetched."""

    FLUSH = auto()  # nobody has anything more to fetch until what is here is committed
    END = auto()


@dataclass(slots=True)
class Belt:
    """The moving parts between the stages of one run."""

    workers: int
    counts: Counts
    observer: Observer
    stop: asyncio.Event = field(default_factory=asyncio.Event)  # set: finish what is in hand, then end
    fatal: CrawlError | None = None  # what ended the run early
    news: asyncio.Event = field(default_factory=asyncio.Event)  # the frontier grew, or something was settled
    in_flight: int = 0  # references handed out and not yet committed
    listed: int = 0  # references in the session's frontier
    idle: bool = False  # the feed has nothing to hand out until something is committed
    accepted: int = 0  # issues that the selection let through
    shortfall: bool = False  # the session did all it could and yet not what was asked for
    todo: asyncio.Queue[Pending | None] = field(init=False)
    done: asyncio.Queue[Fetched | Mark] = field(init=False)

    def __post_init__(self) -> None:
        self.todo = asyncio.Queue(maxsize=2 * self.workers)
        self.done = asyncio.Queue(maxsize=2 * self.workers)

    def tell(self) -> None:
        """Let the observer and the waiting stages know that something moved."""
        self.news.set()
        self.observer(self.counts)

    def keep_within(self, plan: Plan) -> None:
        """End where the session has brought more than it may."""
        received = plan.handle.bytes_received + plan.meter.received
        if (excess := plan.ceiling.excess(self.listed, received)) is not None:
            self.end(excess)

    def interrupt(self) -> None:
        """Finish what is in hand, commit it, and end."""
        self.stop.set()
        self.news.set()

    def end(self, error: CrawlError) -> None:
        """Stop all stages because of this error; the first one counts."""
        if self.fatal is None:
            self.fatal = error
        self.interrupt()
