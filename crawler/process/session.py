"""What a tracker process does for its coordinator: log in, search, fetch and parse for one session."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import Any, Self

from msgspec import structs

from crawler.client import Client, Event
from crawler.errors import (
    CrawlError,
    ItemError,
    LoginRefused,
    PageCut,
    PageRejected,
    TrackerError,
    is_cut,
)
from crawler.http.reach import Reach, networks
from crawler.http.transfer import Head, Transfer
from crawler.json_document import JsonNode
from crawler.kept_page import are_kept, inflate, pack
from crawler.process.hand import LOGIN, Hand
from crawler.process.messages import (
    Answer,
    Close,
    Done,
    Download,
    Failed,
    Fault,
    Fetch,
    Fetched,
    FetchedIssue,
    FileBegun,
    GiveBack,
    Grant,
    Granted,
    Learn,
    Learnt,
    Listed,
    Login,
    Message,
    More,
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
    ToProcess,
    fault_of,
    in_parts,
)
from crawler.process.outbox import Outbox
from crawler.process.turns import Turns
from crawler.records import IssueRecord
from crawler.source import RawPage, Reference, Source
from crawler.sources import find_kind

PIECE = 1 << 18  # bytes of a file in one message
RECOGNISED_IN = 20.0  # seconds for each request that asks a server what it is

Pages = tuple[RawPage, ...]


class Session:
    """Serves one coordinator; an async context manager.

    Args:
        opened: whom it works for.
        outbox: takes its answers.
        hand: shows what is worked on.
    """

    def __init__(self, opened: Open, outbox: Outbox, hand: Hand) -> None:
        self._opened = opened
        self._outbox = outbox
        self._hand = hand
        self.kind = find_kind(opened.kind)
        self._parser = self.kind.open_parser(replace(opened.connection, username=None, password=None))
        self._source: Source | None = None
        self._asker: Client | None = None
        self._lease = _Lease(outbox)
        self._turns: Turns | None = None
        self._entered = AsyncExitStack()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._taken: dict[int, asyncio.Event] = {}  # set: the coordinator took the last part of an answer
        self._seats = asyncio.Semaphore(opened.concurrency)  # of issues that are fetched at once
        self._logging_in = asyncio.Lock()
        self._is_logged_in = False
        self._refused: LoginRefused | None = None

    async def __aenter__(self) -> Self:
        opened = self._opened
        if opened.network:
            if opened.shares:
                self._turns = await self._entered.enter_async_context(Turns(self._lease))
            client = self._client(
                opened.connection.base_url,
                rate=opened.rate,
                robots=opened.obeys_robots,
                share=self._turns,
                file_hosts=self.kind.features.download_hosts,
                forbidden=self.kind.features.forbidden,
            )
            self._outbox.stats = client.stats
            await self._entered.enter_async_context(client)
            self._asker = client
            # Not of this kind, by its address: whoever wants to know what it is may ask all the same.
            with suppress(CrawlError):
                self._source = self.kind.open_source(opened.connection, client)
        return self

    def _client(self, base_url: str, **more: Any) -> Client:
        opened = self._opened
        return Client(
            base_url,
            concurrency=opened.concurrency,
            max_bytes=opened.largest,
            reach=None if opened.reach is None else Reach(networks(opened.reach)),
            proxy=opened.proxy,
            on_event=self._note,
            **more,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks.values():
            task.cancel()
        await self._entered.aclose()

    def take(self, message: ToProcess) -> None:
        """Begin what is asked for, or go on with it."""
        match message:
            case Granted(grant=grant):
                self._lease.answer(grant)
            case More(number=number):
                if number in self._taken:
                    self._taken[number].set()
            case Close(number=number):
                if number in self._tasks:
                    self._tasks[number].cancel()
            case RenewSoon():
                if self._turns is not None:
                    self._turns.renew_soon()
            case Open():
                raise TypeError("the session is open already")
            case _:
                self._begin(message)

    def _begin(self, request: Request) -> None:
        number = request.number
        with self._hand.working_on(number):
            task = asyncio.get_running_loop().create_task(self._answer(request))
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number))

    async def _answer(self, request: Request) -> None:
        answer: Answer
        try:
            answer = await self._do(request)
        except CrawlError as error:
            answer = Failed(number=request.number, fault=fault_of(error))
        except Exception as error:
            self._note_defect()
            answer = Failed(number=request.number, fault=_defect(error))
        try:
            for part in in_parts(answer):
                self._outbox.put(part)
                await self._outbox.drain()
        except OSError:  # nobody is left to be told
            raise
        except CrawlError as error:  # larger than a frame may be
            self._outbox.put(Failed(number=request.number, fault=fault_of(error)))
        except Exception as error:  # a third party's own types, somewhere within
            self._note_defect()
            rejected = PageRejected(f"What was read cannot be told: {type(error).__name__}.")
            self._outbox.put(Failed(number=request.number, fault=fault_of(rejected)))

    async def _do(self, request: Request) -> Answer:
        match request:
            case Login(number=number, learnt=learnt):
                self._is_logged_in = False
                await self._be_logged_in(learnt)
                return Done(number=number)
            case Learn(number=number):
                tell = getattr(self._asked, "learnt", None)  # of a SharingSource
                return Learnt(number=number, learnt=None if tell is None else await tell())
            case Render(number=number, query=query):
                return Rendered(number=number, rendering=self._asked.render(query))
            case Search():
                return await self._search(request)
            case Fetch(number=number, references=references):
                await self._be_logged_in()
                async with self._seats:
                    return Fetched(number=number, outcomes=await self._fetch(references))
            case Download():
                return await self._download(request)
            case Parse(number=number, pages=pages):
                return Parsed(number=number, record=self._parse(tuple(map(inflate, pages))))
            case Recognise():
                return await self._recognise(request)

    @property
    def _asked(self) -> Source:
        if self._source is None and self._asker is not None:
            # It could not be opened before, and now says why.
            self._source = self.kind.open_source(self._opened.connection, self._asker)
        if self._source is None:
            raise TypeError("this process has no network")
        return self._source

    async def _be_logged_in(self, learnt: dict[str, Any] | None = None) -> None:
        """Log in once for all requests; a login that was refused is never tried again."""
        if self._is_logged_in:
            return
        async with self._logging_in:
            if self._refused is not None:
                raise LoginRefused(str(self._refused)) from self._refused
            if self._is_logged_in:
                return
            with self._hand.working_on(LOGIN):
                doing = asyncio.get_running_loop().create_task(self._log_in(learnt))
            try:
                await doing
            except LoginRefused as error:
                self._refused = error
                raise
            self._is_logged_in = True

    async def _log_in(self, learnt: dict[str, Any] | None) -> None:
        join = getattr(self._asked, "join", None)  # of a SharingSource
        if learnt is None or join is None:
            await self._asked.login()
        else:
            await join(JsonNode(learnt, "$.learnt"))

    async def _recognise(self, request: Recognise) -> Recognised:
        """Ask the server for each kind, until one is right.

        Raises:
            CrawlError: it cannot be asked at all.
        """
        away: TrackerError | None = None
        answers = False
        for name, base_url in request.candidates:
            kind = find_kind(name)
            if kind.recognise is None:
                continue
            try:
                async with self._client(base_url, tries=1, deadline=RECOGNISED_IN) as client:
                    server = await kind.recognise(client)
            except TrackerError as error:
                away = away or error
                continue
            except CrawlError:
                server = None
            answers = True
            if server is not None:
                return Recognised(number=request.number, kind=name, server=server[:200])
        if away is not None and not answers:
            raise away
        return Recognised(number=request.number, kind=None)

    async def _search(self, request: Search) -> Answer:
        await self._be_logged_in()
        await self._in_parts(request.number, self._listed(request))
        return Done(number=request.number)

    async def _listed(self, request: Search) -> AsyncIterator[Message]:
        """The pages of a search; one that was cut is asked for once more, from the cursor before it."""
        cursor, given = request.cursor, 0
        was_cut = False
        while True:
            pages = self._asked.search(
                request.query,
                product=request.product,
                since=request.since,
                limit=None if request.limit is None else request.limit - given,
                cursor=cursor,
            )
            try:
                async for page in pages:
                    yield Listed(number=request.number, page=page)
                    cursor, given = page.cursor, given + len(page.references)
                    was_cut = False
                return
            except CrawlError as error:
                if was_cut or not is_cut(error):
                    raise
                was_cut = True

    async def _download(self, request: Download) -> Answer:
        await self._be_logged_in()
        file, number = request.attachment, request.number
        taken = self._taken[number] = asyncio.Event()
        try:
            transfer = Transfer(
                _Delivery(number, self._outbox, taken),
                limit=request.limit,
                name=file.filename,
                announced=file.file_size,
                kept=request.kept,
            )
            page = await self._asked.download(file, transfer)
            if not transfer.is_taken:  # it came within an answer
                await transfer.whole(page.body, page.content_type)
        finally:
            del self._taken[number]
        return Done(number=number)

    async def _in_parts(self, number: int, parts: AsyncIterator[Message]) -> None:
        """Send an answer part by part, the next one when the last one was taken."""
        taken = self._taken[number] = asyncio.Event()
        try:
            async for part in parts:
                self._outbox.put(part)
                await taken.wait()
                taken.clear()
        finally:
            del self._taken[number]

    async def _fetch(self, references: tuple[Reference, ...]) -> tuple[FetchedIssue | SameIssue | Fault, ...]:
        began = monotonic()
        try:
            issues = await self._pages_of(references)
        except CrawlError as error:
            if not is_cut(error):
                raise
            issues = await self._pages_of(references)
        outcomes = []
        if len(issues) != len(references):
            raise TypeError("the source gave other issues than it was asked for")
        issues.reverse()  # each is let go of when it was read
        for reference in references:
            try:
                outcomes.append(self._outcome(reference, issues.pop(), began))
            except PageCut:
                (again,) = await self._pages_of((reference,))
                outcomes.append(self._outcome(reference, again, began, again=True))
            await asyncio.sleep(0)  # others may have something to do, too
        return tuple(outcomes)

    async def _pages_of(self, references: tuple[Reference, ...]) -> list[Pages | ItemError]:
        """The pages of issues as the source gives them, by one request where there are several."""
        if len(references) > 1:
            found: list[Pages | ItemError] = await self._asked.fetch_many(references)  # type: ignore[attr-defined] # a BatchSource
            return found
        try:
            return [await self._asked.fetch(references[0])]
        except ItemError as error:
            return [error]
        except CrawlError:
            raise
        except Exception as error:
            self._note_defect()
            return [PageRejected(f"The source failed with {type(error).__name__}.")]

    def _outcome(
        self, reference: Reference, fetched: Pages | ItemError, began: float, *, again: bool = False
    ) -> FetchedIssue | SameIssue | Fault:
        """What came of an issue; a page that was cut is raised, unless it was asked for again already."""
        try:
            if isinstance(fetched, ItemError):
                raise fetched
            if are_kept(fetched, reference.kept):
                return SameIssue(milliseconds=round((monotonic() - began) * 1000))
            record = self._parse(fetched)
        except ItemError as error:
            if is_cut(error) and not again:
                raise PageCut(str(error)) from error
            kept = fetched if isinstance(error, PageRejected) and not isinstance(fetched, ItemError) else ()
            return fault_of(error, tuple(pack(page) for page in kept))
        return FetchedIssue(
            record=record,
            pages=tuple(pack(page) for page in fetched),
            milliseconds=round((monotonic() - began) * 1000),
        )

    def _parse(self, pages: Pages) -> IssueRecord:
        """Read an issue; one odd page must not end a session of thousands."""
        try:
            return self._parser.parse(pages)
        except CrawlError:
            raise
        except Exception as error:
            self._note_defect()
            # It is kept, so that a mended parser can read it.
            raise PageRejected(f"The parser failed with {type(error).__name__}.") from error

    def _note(self, event: Event) -> None:
        self._outbox.put(Note(kind=event.kind, reason=event.reason[:10_000], seconds=event.seconds))

    def _note_defect(self) -> None:
        self._outbox.put(Note(kind="defect", reason=traceback.format_exc()[-50_000:]))


class _Delivery:
    """A file's way to the coordinator: the next piece when the last one was taken."""

    def __init__(self, number: int, outbox: Outbox, taken: asyncio.Event) -> None:
        self._number = number
        self._outbox = outbox
        self._taken = taken

    async def begin(self, head: Head) -> None:
        """See :class:`crawler.http.transfer.Sink`."""
        content_type = None if head.content_type is None else head.content_type[:1000]
        await self._send(
            FileBegun(number=self._number, head=structs.replace(head, content_type=content_type))
        )

    async def write(self, data: bytes) -> None:
        """See :class:`crawler.http.transfer.Sink`."""
        for start in range(0, len(data), PIECE):
            await self._send(Piece(number=self._number, data=data[start : start + PIECE]))

    async def _send(self, message: Message) -> None:
        self._outbox.put(message)
        await self._taken.wait()
        self._taken.clear()


class _Lease:
    """The coordinator's lease of the host, asked for through the channel."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._answer: asyncio.Future[Grant | None] | None = None

    async def renew(self, *, active: int, wanted: int, pause: float) -> Grant | None:
        """See :class:`crawler.process.turns.Lease`."""
        self._answer = asyncio.get_running_loop().create_future()
        self._outbox.put(Renew(active=active, wanted=wanted, pause=pause))
        return await self._answer

    async def give_back(self) -> None:
        """See :class:`crawler.process.turns.Lease`."""
        self._outbox.put(GiveBack())

    def answer(self, grant: Grant | None) -> None:
        """Take what was granted."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(grant)


def _defect(error: Exception) -> Fault:
    return Fault(name="", sentence=f"The tracker's source failed with {type(error).__name__}.")
