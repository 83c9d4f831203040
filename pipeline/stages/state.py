"""What the stages of one run share: the plan, the queues between them, the counters, the reason to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto

from crawler.errors import CrawlError, ItemError, PageRejected, TooMuch
from crawler.kept_page import KeptPage
from crawler.source import Features
from db.crawl.frontier import Pending
from db.crawl.transaction import UserTransactions
from db.rows import IssueRow, SameIssueRow
from pipeline.sessions.ceiling import Ceiling
from pipeline.sessions.claim import Claim
from pipeline.sessions.crawl_session import SessionLease
from pipeline.stages.batch_policy import BATCH_BYTES, BATCH_ISSUES
from pipeline.stages.counts import Observer, RunCounts
from pipeline.stages.selection import Selection
from pipeline.trackers.pool import TrackerPool


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run is to do, and with what."""

    claim: Claim
    tracker: TrackerPool
    searching: UserTransactions  # the connection of the search stage and the feed
    loading: UserTransactions  # the connection of the loader
    selection: Selection
    features: Features  # of the tracker's kind
    ceiling: Ceiling  # the most that the session may bring
    bytes_before: int  # that the tracker's processes got for the claims before this one
    search_limit: int | None = None  # how many references the search may bring
    issue_limit: int | None = None  # how many issues may be stored, where each must be looked at first

    @property
    def lease(self) -> SessionLease:
        """The session that is worked on."""
        return self.claim.lease

    def excess(self, listed: int) -> TooMuch | None:
        """Return what ends a session that has brought more than it may.

        Args:
            listed: references in its frontier.
        """
        received = self.lease.bytes_received + self.tracker.stats.bytes - self.bytes_before
        return self.ceiling.excess(listed, received)

    @property
    def settles_after(self) -> timedelta | None:
        """How long after its last change an issue must have been fetched to be known by that time.

        Within it a second change may bear the same time: the tracker's times are cut, and its clock and ours
        differ. None: each issue is looked at, since the list does not tell, or the session wants more of an
        issue than that it is stored.
        """
        precision = self.features.modified_precision
        if precision is None or self.selection.is_needed or self.lease.crawl_related or self.lease.census:
            return None
        return precision + self.features.since_overlap

    @property
    def compares(self) -> bool:
        """Whether it is enough to know that an issue's pages are those that it was read from before."""
        return not (self.selection.is_needed or self.lease.crawl_related)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What became of one reference, on its way to the loader."""

    item: Pending
    row: IssueRow | None = None
    same: SameIssueRow | None = None  # instead of a row: it is stored as it is
    warnings: tuple[str, ...] = ()
    comments_announced: int = 0
    history_announced: int = 0
    refusal: str | None = None  # why it was left out though it could be had
    removal: str | None = None  # what a census says of it: deleted, denied, or moved to another number
    error: ItemError | None = None  # with the pages that could not be read, where there are some

    @property
    def size(self) -> int:
        """Bytes of its raw pages, packed."""
        return sum(len(page.body) for page in (self.rejected if self.row is None else self.row.pages))

    @property
    def rejected(self) -> tuple[KeptPage, ...]:
        """Pages that could not be read."""
        return self.error.pages if isinstance(self.error, PageRejected) else ()


class Mark(Enum):
    """What passes the loader's queue between the fetched."""

    FLUSH = auto()  # nobody has anything more to fetch until what is here is committed
    END = auto()


class Waiting(asyncio.Queue[Fetched | Mark]):
    """What waits for the loader, so that fetching goes on while a batch is committed.

    That takes a third as long as fetching the batch did, so half a batch has room, by number and by bytes.
    """

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def _put(self, item: Fetched | Mark) -> None:
        super()._put(item)
        self._bytes += _size(item)

    def _get(self) -> Fetched | Mark:
        item = super()._get()
        self._bytes -= _size(item)
        return item

    def full(self) -> bool:
        """Whether what comes next must wait; something as large as all the room is still let in alone."""
        return 2 * self.qsize() >= BATCH_ISSUES or 2 * self._bytes >= BATCH_BYTES


def _size(item: Fetched | Mark) -> int:
    return 0 if isinstance(item, Mark) else item.size


@dataclass(slots=True)
class RunState:
    """The queues, the counters and the reason to stop of one run.

    Each part has one owner. The search counts what it finds; the feed hands references out and waits for
    news; the fetch workers ask whether an issue is still wanted; the loader counts outcomes and settles what
    it committed. Anybody may stop the run.
    """

    workers: int
    counts: RunCounts
    observer: Observer
    stop: asyncio.Event = field(default_factory=asyncio.Event)  # set: finish what is in hand, then end
    fatal: CrawlError | None = None  # what ended the run early
    shortfall: bool = False  # the run did all it could and yet not what was asked for
    listed: int = 0  # references in the session's frontier
    accepted: int = 0  # issues that the selection let through
    todo: asyncio.Queue[list[Pending] | None] = field(init=False)  # from the feed to the workers
    done: Waiting = field(default_factory=Waiting, init=False)  # from the workers to the loader
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _in_flight: int = field(default=0, init=False)  # references handed out and not yet committed
    _starved: bool = field(default=False, init=False)  # the feed has nothing until something is committed

    def __post_init__(self) -> None:
        self.todo = asyncio.Queue(maxsize=2 * self.workers)

    async def hand_out(self, references: list[Pending]) -> None:
        """Give references to a worker (the feed)."""
        self._in_flight += len(references)
        await self.todo.put(references)

    @property
    def is_settled(self) -> bool:
        """Whether everything that was handed out is committed."""
        return self._in_flight == 0

    async def wait_for_news(self) -> None:
        """Wait until the frontier may have grown: by the search, or by related issues (the feed)."""
        self._starved = self.counts.search_done
        if self._starved:
            await self.done.put(Mark.FLUSH)
        await self._news.wait()
        self._news.clear()
        self._starved = False

    def accept(self, limit: int | None) -> bool:
        """Tell whether one more issue is wanted, and count it if so (the workers)."""
        if self.is_full(limit):
            return False
        self.accepted += 1
        return True

    def is_full(self, limit: int | None) -> bool:
        """Whether as many issues were accepted as may be stored."""
        return limit is not None and self.accepted >= limit

    def is_last(self, waiting: int) -> bool:
        """Whether nothing more will be fetched before these many are committed (the loader)."""
        return self._starved and waiting == self._in_flight

    def settle(self, number: int) -> None:
        """Note that so many references are committed (the loader)."""
        self._in_flight -= number
        self.tell()

    def tell(self) -> None:
        """Let the observer and the waiting feed know that something moved."""
        self._news.set()
        self.observer(self.counts)

    def keep_within(self, plan: Plan) -> None:
        """End where the session has brought more than it may."""
        if (excess := plan.excess(self.listed)) is not None:
            self.end(excess)

    def interrupt(self) -> None:
        """Finish what is in hand, commit it, and end."""
        self.stop.set()
        self._news.set()

    def end(self, error: CrawlError) -> None:
        """Stop all stages because of this error; the first one counts."""
        if self.fatal is None:
            self.fatal = error
        self.interrupt()
