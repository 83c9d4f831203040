"""A tracker, asked through a process of its own that meets everything hostile, and takes the blame for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from msgspec.structs import replace as replaced

from crawler.errors import ItemError, PageRejected, TrackerError
from crawler.http.stats import ClientStats
from crawler.http.transfer import Kept, Sink
from crawler.kept_page import KeptPage
from crawler.process.hand import FIRST, LOGIN, NOTHING
from crawler.process.messages import (
    Answer,
    BrokenFrame,
    Done,
    Download,
    Fault,
    Fetch,
    Fetched,
    FetchedIssue,
    FileBegun,
    FromProcess,
    GiveBack,
    Granted,
    Learn,
    Learnt,
    Listed,
    Login,
    Note,
    Open,
    Parse,
    Parsed,
    Piece,
    Recognise,
    Recognised,
    Render,
    Rendered,
    Renew,
    RenewSoon,
    Request,
    SameIssue,
    Search,
    Spent,
    error_of,
)
from crawler.query import Tree
from crawler.records import AttachmentRecord, IssueRecord
from crawler.source import Reference, Rendering, SearchPage
from crawler.sources import find_kind
from db.log_library import structlog
from pipeline.logs import keep_secret, redact
from pipeline.sessions.watchdog import Wait
from pipeline.trackers.call import Call, ProcessEnded
from pipeline.trackers.child import Child, End
from pipeline.trackers.connect import IGNORE_ROBOTS, Tracker
from pipeline.trackers.host_share import PAUSE, HostShare

__all__ = ["FetchedIssue", "Outcome", "SameIssue", "TrackerProcess"]

Outcome = FetchedIssue | SameIssue | ItemError

SECONDS = 60.0  # that one page may take; the slow engine needs one for a very broken page of usual length
MOST_DEATHS = 3  # over the same list or login page; or of processes that did nothing before

A = TypeVar("A", bound=Answer)


class FileStore(Sink, Protocol):
    """Whoever keeps a file's bytes."""

    @property
    def kept(self) -> Kept | None:
        """What is there of the file."""
        ...


log = structlog.get_logger(__name__)


class TrackerProcess:
    """A process for one tracker and one session; an async context manager.

    A page that ends the process, or takes it too long, costs that page only: what else was asked for is asked
    again of a new process. Every method raises the errors of :mod:`crawler.errors` that the source's method
    of this name raises, and besides

    Raises:
        DatabaseError: turns at the host could not be had.
        RuntimeError: a defect; no process stays alive, or the source failed in a way that it does not tell.

    Args:
        tracker: with the account to use.
        workers: requests at once; never more than the tracker allows.
        share: of what all processes together may ask, entered; None: only the tracker's own limits hold.
        stats: live totals to be added to; None: new ones.
        network: False: nobody is asked, and no credential handed over; for :meth:`parse`.
        seconds: that one page may take.
    """

    def __init__(
        self,
        tracker: Tracker,
        *,
        workers: int | None = None,
        share: HostShare | None = None,
        stats: ClientStats | None = None,
        network: bool = True,
        seconds: float = SECONDS,
    ) -> None:
        keep_secret(tracker.password)
        keep_secret(None if tracker.proxy is None else tracker.proxy.password)
        features = find_kind(tracker.kind).features
        connection = tracker.connection
        self.stats = stats or ClientStats()  # live totals of the clients within
        self._opening = Open(
            kind=tracker.kind,
            connection=connection if network else replace(connection, username=None, password=None),
            network=network,
            concurrency=min(tracker.concurrency, workers or tracker.concurrency),
            rate=tracker.rate,
            obeys_robots=features.obeys_robots and not tracker.options.get(IGNORE_ROBOTS),
            proxy=tracker.proxy if network else None,
            largest=tracker.largest,
            reach=None if tracker.reach is None else tuple(map(str, tracker.reach.allowed)),
            shares=share is not None,
        )
        self._batch_size = features.batch_size
        self._share = share
        self._seconds = seconds
        self._numbers = count(FIRST)
        self._calls: dict[int, Call] = {}  # not yet answered, by their number
        self._child: Child | None = None
        self._starting = asyncio.Lock()
        self._turns: asyncio.Queue[Renew | GiveBack] = asyncio.Queue(maxsize=16)
        self._granting: asyncio.Task[None] | None = None
        self._told = Spent(
            requests=0, retries=0, bytes=0, wait_seconds=0.0
        )  # by this operating-system process
        self._barren = 0  # processes in a row that ended before any answer, and nobody was to blame
        self._login_deaths = 0
        self._paused_until = 0.0  # by the tracker's own wish, or before another try
        self._fatal: Exception | None = None  # whatever is asked is answered so

    async def __aenter__(self) -> Self:
        self._granting = asyncio.create_task(self._grant())
        await self._be_started()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._granting is not None:
            self._granting.cancel()
            await asyncio.gather(self._granting, return_exceptions=True)
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    @property
    def wait(self) -> Wait | None:
        """What keeps the process from what it was asked for; None: it was asked for nothing."""
        if not self._calls:
            return None
        if monotonic() < self._paused_until:
            return PAUSE
        if self._share is not None and (wait := self._share.wait) is not None:
            return wait
        if any(call.is_login for call in self._calls.values()):
            return Wait("the answer to a login")
        return Wait("an answer of the tracker")

    def renew_soon(self) -> None:
        """Let the process ask for its share of the host anew: others of the session have none yet."""
        if self._child is not None:
            self._child.send(RenewSoon())

    async def recognise(self, candidates: Sequence[tuple[str, str]]) -> tuple[str | None, str | None]:
        """Ask a server what it is: the first kind of those that is right, and what the server calls itself.

        Args:
            candidates: kinds, each with the base address that it would have.
        """
        found = await self._ask(Recognise(candidates=tuple(candidates)), Recognised, patience=1)
        known = {kind for kind, _ in candidates}
        return (found.kind, found.server) if found.kind in known else (None, None)

    async def login(self, learnt: dict[str, Any] | None = None) -> None:
        """Log in, as :meth:`crawler.source.Source.login`, or as :meth:`crawler.source.SharingSource.join`."""
        await self._ask(Login(learnt=learnt), Done)

    async def learnt(self) -> dict[str, Any] | None:
        """As :meth:`crawler.source.SharingSource.learnt`; None: the source is none."""
        return (await self._ask(Learn(), Learnt)).learnt

    async def render(self, query: Tree) -> Rendering:
        """Say the query in the tracker's language."""
        return (await self._ask(Render(query=query), Rendered)).rendering

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncGenerator[SearchPage, None]:
        """Yield pages of references, as :meth:`crawler.source.Source.search`."""
        request = Search(query=query, product=product, since=since, limit=limit, cursor=cursor)
        deaths = 0
        while True:
            try:
                with self._called(request) as call:
                    await call.begin()
                    while isinstance(answer := await call.answer(Listed, Done), Listed):
                        deaths = 0
                        page = answer.page
                        left = None if request.limit is None else request.limit - len(page.references)
                        request = replaced(request, cursor=page.cursor, limit=left)
                        yield page
                        if page.cursor is None or (left is not None and left <= 0):
                            return
                        call.go_on()
                return
            except ProcessEnded as ended:
                deaths += ended.how is not None
                if deaths == MOST_DEATHS:
                    raise TrackerError(
                        f"The process that reads the tracker {ended.how} {deaths} times over the same list: "
                        "it cannot be searched."
                    ) from None

    async def fetch(self, references: Sequence[Reference]) -> list[Outcome]:
        """Fetch and parse issues, as many at once as the tracker allows: an outcome for each, in order.

        Those whose pages have the hashes of their reference are not parsed: a SameIssue.

        A page that cannot be read comes as a PageRejected with its ``pages``.
        """
        return await in_groups(references, self._batch_size, self._fetch)

    async def download(self, attachment: AttachmentRecord, store: FileStore, *, limit: int) -> None:
        """Get a file in pieces of bounded size.

        Args:
            attachment: from its ``download_url``.
            store: gets each piece, and knows what it has from an earlier try.
            limit: bytes that the file may have.

        Raises:
            ItemError: this file cannot be had; the store may have got a part of it.
        """
        while True:
            try:
                with self._called(Download(attachment=attachment, limit=limit, kept=store.kept)) as call:
                    await call.begin()
                    while not isinstance(answer := await call.answer(FileBegun, Piece, Done), Done):
                        if isinstance(answer, FileBegun):
                            await store.begin(answer.head)
                        elif isinstance(answer, Piece):
                            await store.write(answer.data)
                        call.go_on()
                return
            except ProcessEnded as ended:
                if ended.how is not None:
                    raise ItemError(
                        "The process that fetched the file ended before all of it was here."
                    ) from None

    async def parse(self, pages: Sequence[KeptPage]) -> IssueRecord:
        """Read an issue from its pages, as :meth:`crawler.source.Parser.parse`."""
        try:
            return (await self._ask(Parse(pages=tuple(pages)), Parsed, patience=1)).record
        except ProcessEnded as ended:
            raise _rejected(ended) from None

    async def _fetch(self, references: Sequence[Reference]) -> list[Outcome]:
        try:
            answer = await self._ask(Fetch(references=tuple(references)), Fetched, patience=1)
        except ProcessEnded as ended:
            if len(references) == 1:
                return [_rejected(ended)]
            # One of them is to blame: each is asked for by itself.
            return [outcome for reference in references for outcome in await self._fetch([reference])]
        except ItemError as error:  # what it came to cannot be told
            if len(references) == 1:
                return [error]
            return [outcome for reference in references for outcome in await self._fetch([reference])]
        if len(answer.outcomes) != len(references):
            raise RuntimeError("The source gave other outcomes than it was asked for.")
        return [_judged(*each) for each in zip(references, answer.outcomes, strict=True)]

    async def _ask(self, request: Request, kind: type[A], *, patience: int = MOST_DEATHS) -> A:
        """Ask for something that has one answer, and again where the process ended over something else.

        Args:
            request: what.
            kind: the answer's.
            patience: of how many processes that this request ends the last one is told.
        """
        while True:
            try:
                with self._called(request) as call:
                    await call.begin()
                    return await call.answer(kind)
            except ProcessEnded as ended:
                patience -= ended.how is not None
                if not patience:
                    raise

    @contextmanager
    def _called(self, request: Request) -> Iterator[Call]:
        number = next(self._numbers)
        call = self._calls[number] = Call(replaced(request, number=number), self._be_started)
        try:
            yield call
        finally:
            del self._calls[number]
            call.close()

    async def _be_started(self) -> Child:
        """Have a process.

        Raises:
            Exception: there is none to be had any more, and why.
        """
        async with self._starting:
            if self._fatal is not None:
                raise self._fatal
            if self._child is None:
                child = Child(self._opening, seconds=self._seconds, take=self._take, ended=self._bury)
                await child.start()
                self._child = child
            return self._child

    def _take(self, message: FromProcess) -> None:
        match message:
            case Spent():
                self._count(message)
            case Note(kind="defect"):
                log.error("the tracker's source failed", trace=redact(message.reason))
            case Note():
                self._paused_until = max(self._paused_until, monotonic() + message.seconds)
                reason = redact(message.reason)
                log.info(f"tracker: {message.kind}", reason=reason, seconds=round(message.seconds, 1))
            case Renew() | GiveBack():
                try:
                    self._turns.put_nowait(message)
                except asyncio.QueueFull:
                    raise BrokenFrame("A process asks for turns without waiting for them.") from None
            case _:
                self._barren = 0
                if (call := self._calls.get(message.number)) is not None:
                    call.take(message)

    def _count(self, spent: Spent) -> None:
        stats, told = self.stats, self._told
        stats.requests += max(0, spent.requests - told.requests)
        stats.retries += max(0, spent.retries - told.retries)
        stats.bytes += max(0, spent.bytes - told.bytes)
        stats.wait_seconds += max(0.0, spent.wait_seconds - told.wait_seconds)
        self._told = spent

    def _bury(self, end: End) -> None:
        """Tell those who wait that the process has ended, and the one who is to blame that it is."""
        self._child = None
        self._told = Spent(requests=0, retries=0, bytes=0, wait_seconds=0.0)
        if end.number == LOGIN:
            self._login_deaths += 1
            if self._login_deaths >= MOST_DEATHS:
                self._fatal = TrackerError(
                    f"The process that reads the tracker {end.how} {self._login_deaths} times over its login "
                    "page: one cannot log in."
                )
        elif end.number not in self._calls:
            self._barren += 1
            if self._barren >= MOST_DEATHS:
                self._fatal = RuntimeError("No tracker process stays alive.")
        log.warning("a tracker process ended", how=end.how, idle=end.number == NOTHING)
        for number, call in self._calls.items():
            call.fail(self._fatal or ProcessEnded(end.how if number == end.number else None))

    async def _grant(self) -> None:
        """Get turns at the host for the process, as often as it asks."""
        while True:
            wanted = await self._turns.get()
            if self._share is None:
                continue
            if isinstance(wanted, GiveBack):
                await self._share.give_back()
                continue
            try:
                grant = await self._share.renew(
                    active=wanted.active, wanted=wanted.wanted, pause=wanted.pause
                )
            except Exception as error:  # whoever waits for a turn must not wait for ever
                self._end(error)
                return
            if self._child is not None:
                self._child.send(Granted(grant=grant))

    def _end(self, error: Exception) -> None:
        """Answer everything with this error, from now on."""
        self._fatal = error
        for call in self._calls.values():
            call.fail(error)


async def in_groups(
    references: Sequence[Reference],
    size: int,
    fetch: Callable[[Sequence[Reference]], Coroutine[None, None, list[Outcome]]],
) -> list[Outcome]:
    """Fetch references side by side, so many in a group; the outcomes come in order."""
    if len(references) <= size:
        return await fetch(references)
    starts = range(0, len(references), size)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch(references[start : start + size])) for start in starts]
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return [outcome for task in tasks for outcome in task.result()]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of several, which the others mostly follow from."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _rejected(ended: ProcessEnded) -> PageRejected:
    return PageRejected(f"The process that read the page {ended.how} over it.")


def _judged(reference: Reference, told: FetchedIssue | SameIssue | Fault) -> Outcome:
    if isinstance(told, SameIssue) and not reference.kept:
        return ItemError("The process that read the page calls it one that is kept, and none is.")
    return _item_error(told) if isinstance(told, Fault) else told


def _item_error(fault: Fault) -> ItemError:
    error = error_of(fault)
    return error if isinstance(error, ItemError) else ItemError(str(error))
