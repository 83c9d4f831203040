"""The language between a tracker process and its coordinator: bounded frames of plain fields.

A frame is the length of a message in four bytes, and the message in msgpack. Whoever reads one checks the
shape, type and bounds of every field: what comes from a tracker process may be a lie.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct, msgpack

from crawler import errors
from crawler.errors import CrawlError, PageRejected, PageTooLarge, TemporaryError
from crawler.http.proxy import Proxy
from crawler.http.transfer import Head, Kept
from crawler.kept_page import KeptPage
from crawler.packed import Packed
from crawler.query.tree import Tree
from crawler.records import AttachmentRecord, CommentRecord, Comments, IssueRecord
from crawler.source import Connection, Reference, Rendering, SearchPage

HEAD = 4  # bytes of a frame's length
LARGEST = 256 << 20  # bytes of a message

Count = Annotated[int, Meta(ge=0, le=2**53)]
Number = Annotated[int, Meta(ge=0, le=2**53)]  # of a request; its answers bear it
Seconds = Annotated[float, Meta(ge=0, le=10**9)]
Text = Annotated[str, Meta(max_length=100_000)]

T = TypeVar("T")


class BrokenFrame(ValueError):
    """What came is no frame, or not one that may come here.

    Args:
        message: one sentence.
        number: of the request that it seems to answer; None: of none.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class Message(Struct, kw_only=True, array_like=True, tag=True):
    """One message."""


class Open(Message):
    """The first message: whom the process works for."""

    kind: str
    connection: Connection
    network: bool  # False: pages come from the coordinator, and nobody is to be asked
    concurrency: int  # requests at once
    rate: float | None  # requests a second
    obeys_robots: bool
    proxy: Proxy | None  # that the tracker is asked through
    largest: int  # bytes of an answer
    reach: tuple[str, ...] | None  # networks allowed beside public addresses; None: any address
    shares: bool  # turns at the host are asked for; else only the limits above hold


class Login(Message):
    """Log in; answered by Done."""

    learnt: dict[str, Any] | None = None  # by another process of the session, which has logged in; see Learn
    number: Number = 0


class Learn(Message):
    """Say what the tracker has told of itself; answered by Learnt."""

    number: Number = 0


class Render(Message):
    """Say a query in the tracker's language; answered by Rendered."""

    query: Tree
    number: Number = 0


class Search(Message):
    """Search; answered by Listed, one for the request and one for every More, and Done."""

    query: Tree | None
    product: str | None
    since: datetime | None
    limit: int | None
    cursor: str | None
    number: Number = 0


class Fetch(Message):
    """Fetch and parse issues, by one request where there are several; answered by Fetched."""

    references: tuple[Reference, ...]
    number: Number = 0


class Download(Message):
    """Get a file; answered by FileBegun and Piece, one for the request and one for every More, and Done."""

    attachment: AttachmentRecord
    limit: Count  # bytes that it may have
    kept: Kept | None = None  # of an earlier try
    number: Number = 0


class Parse(Message):
    """Read an issue from its pages; answered by Parsed."""

    pages: tuple[KeptPage, ...]
    number: Number = 0


class Recognise(Message):
    """Ask a server what it is; answered by Recognised."""

    candidates: tuple[tuple[str, str], ...]  # kinds, each with the base address that it would have
    number: Number = 0


class More(Message):
    """The last part of an answer was taken, the next may come."""

    number: Number


class Close(Message):
    """Nobody waits for this answer any more."""

    number: Number


class Grant(Message):
    """What may be asked of a host until the next one."""

    slots: Count  # requests at once
    start_in: float | None = None  # seconds to the first of the moments
    moments: Count = 0  # at each of which one request may be sent
    spacing: float | None = None  # seconds between two of them; None: there is no rate
    paused: Seconds = 0.0  # that the host wants to be left alone
    unlimited: bool = False  # nobody shares the host with us


class Granted(Message):
    """The answer to Renew."""

    grant: Grant | None  # None: nobody could be asked


class RenewSoon(Message):
    """Another process of the session has no part of the host yet: ask for a Grant before the next request."""


class Fault(Message):
    """An error of :mod:`crawler.errors` with its pages, if there are any."""

    name: str  # of its class
    sentence: Text
    retry_after: Seconds | None = None
    pages: tuple[KeptPage, ...] = ()


class FetchedIssue(Message):
    """An issue with the pages it was read from."""

    record: IssueRecord
    pages: tuple[KeptPage, ...]
    milliseconds: Count  # from the first request to the record


class SameIssue(Message):
    """An issue whose pages are those that it was read from before."""

    milliseconds: Count  # from the first request to the last answer


class Done(Message):
    """A request is done."""

    number: Number


class Learnt(Message):
    """See Learn."""

    number: Number
    learnt: dict[str, Any] | None  # None: the source cannot say


class Rendered(Message):
    """See Render."""

    number: Number
    rendering: Rendering


class Listed(Message):
    """See Search."""

    number: Number
    page: SearchPage


class Fetched(Message):
    """See Fetch: an outcome for each reference, in order."""

    number: Number
    outcomes: tuple[FetchedIssue | SameIssue | Fault, ...]


class FileBegun(Message):
    """See Download: what follows are the bytes from ``head.start`` on."""

    number: Number
    head: Head


class Piece(Message):
    """See Download."""

    number: Number
    data: bytes


class CommentBlock(Message):
    """Comments of an issue that the answer to come tells, where they are packed; then there it has none."""

    number: Number
    place: Count  # of the issue's outcome in the answer
    block: bytes


class Parsed(Message):
    """See Parse."""

    number: Number
    record: IssueRecord


class Recognised(Message):
    """See Recognise."""

    number: Number
    kind: Annotated[str, Meta(max_length=100)] | None  # the first that is right; None: none of them
    server: Text | None = None  # the program with its version, where it tells them


class Failed(Message):
    """A request failed."""

    number: Number
    fault: Fault


class Renew(Message):
    """Ask for a Grant."""

    active: Annotated[int, Meta(ge=0, le=10_000)]  # requests under way
    wanted: Annotated[int, Meta(ge=0, le=10_000)]  # moments to send one
    pause: Annotated[float, Meta(ge=0, le=3600)]  # seconds for which the host asked to be left alone


class GiveBack(Message):
    """What was granted is not needed now."""


class Spent(Message):
    """What the process's client has cost the tracker so far."""

    requests: Count
    retries: Count
    bytes: Count
    wait_seconds: Seconds


class Note(Message):
    """Something worth a line in the coordinator's log."""

    kind: Annotated[str, Meta(max_length=100)]  # retry, pause, or defect: then the reason is a traceback
    reason: Text
    seconds: Seconds = 0.0


Request = Login | Learn | Render | Search | Fetch | Download | Parse | Recognise
ToProcess = Open | Request | More | Close | Granted | RenewSoon
Answer = (
    Done
    | Learnt
    | Rendered
    | Listed
    | Fetched
    | FileBegun
    | Piece
    | CommentBlock
    | Parsed
    | Recognised
    | Failed
)
FromProcess = Answer | Renew | GiveBack | Spent | Note

_ANSWERS = {answer.__name__ for answer in get_args(Answer)}
_encoder = msgpack.Encoder()


def in_parts(answer: Answer) -> Iterator[Answer]:
    """An answer as it goes through the pipe: packed comments block by block, then the rest of it."""
    packed = {
        place: record.comments
        for place, record in enumerate(_records(answer))
        if record is not None and isinstance(record.comments, Packed)
    }
    for place, comments in packed.items():
        for block in comments.blocks:
            yield CommentBlock(number=answer.number, place=place, block=block)
    yield _with_comments(answer, dict.fromkeys(packed, ())) if packed else answer


class Gathered:
    """The comments that come before an answer."""

    def __init__(self) -> None:
        self._packed: dict[int, Packed[CommentRecord]] = {}
        self._size = 0

    def take(self, part: CommentBlock) -> None:
        """Take some more.

        Raises:
            BrokenFrame: they cannot be read, or are too many.
        """
        self._size += len(part.block)
        if self._size > LARGEST:
            raise BrokenFrame("The comments are larger than the limit.", part.number)
        try:
            self._packed.setdefault(part.place, Packed(CommentRecord)).add(part.block)
        except ValueError as error:
            raise BrokenFrame(f"A frame cannot be read: {error}", part.number) from error

    def put_into(self, answer: Answer) -> Answer:
        """The answer with its comments."""
        return _with_comments(answer, self._packed) if self._packed else answer


def _with_comments(answer: Answer, comments: Mapping[int, Comments]) -> Answer:
    """An answer with other comments, by the places of their issues' outcomes."""
    if isinstance(answer, Parsed):
        return msgspec.structs.replace(
            answer, record=msgspec.structs.replace(answer.record, comments=comments.get(0, ()))
        )
    if not isinstance(answer, Fetched):
        return answer
    outcomes = list(answer.outcomes)
    for place, others in comments.items():
        if place < len(outcomes) and isinstance(issue := outcomes[place], FetchedIssue):
            record = msgspec.structs.replace(issue.record, comments=others)
            outcomes[place] = msgspec.structs.replace(issue, record=record)
    return msgspec.structs.replace(answer, outcomes=tuple(outcomes))


def frame(message: Message) -> bytes:
    """A message as it goes through the pipe.

    Text that is no Unicode and numbers of more than 64 bits become what can be sent.

    Raises:
        PageTooLarge: it is larger than a frame may be.
    """
    try:
        body = _encoder.encode(message)
    except (UnicodeEncodeError, OverflowError):
        body = _encoder.encode(_sendable(message))
    if len(body) > LARGEST:
        raise PageTooLarge(f"What was read from the page is larger than the limit of {LARGEST:,} bytes.")
    return len(body).to_bytes(HEAD, "big") + body


async def read_frame(reader: asyncio.StreamReader, decoder: msgpack.Decoder[T]) -> T:
    """Read the next message.

    Raises:
        BrokenFrame: it is not one of those that the decoder knows, or too large.
        asyncio.IncompleteReadError: the other side has ended.
    """
    size = int.from_bytes(await reader.readexactly(HEAD), "big")
    if size > LARGEST:
        raise BrokenFrame("A frame is larger than the limit.")
    body = await reader.readexactly(size)
    try:
        message = decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise BrokenFrame(f"A frame cannot be read: {error}", _number_in(body)) from error
    for record in _records(message):
        if record is not None and not _is_json(record.extra, depth=100):
            raise BrokenFrame("A record holds what is not JSON.", _number_in(body))
    return message


def _number_in(body: bytes) -> int | None:
    with suppress(msgspec.MsgspecError, RecursionError, ValueError):
        match msgpack.decode(body):
            case [str(tag), int(number), *_] if tag in _ANSWERS:
                return number
    return None


def fault_of(error: CrawlError, pages: tuple[KeptPage, ...] = ()) -> Fault:
    """An error as it is told to the coordinator; a third party's becomes the one it is derived from."""
    name = next(each.__name__ for each in type(error).__mro__ if _ERRORS.get(each.__name__) is each)
    after = error.retry_after if isinstance(error, TemporaryError) else None
    if after is not None and not (math.isfinite(after) and after >= 0):
        after = None
    return Fault(name=name, sentence=str(error)[:10_000], retry_after=after, pages=pages)


def error_of(fault: Fault) -> CrawlError:
    """The error that was told; one of a kind that nobody knows is a plain one."""
    kind = _ERRORS.get(fault.name, CrawlError)
    if issubclass(kind, TemporaryError):
        return kind(fault.sentence, retry_after=fault.retry_after)
    if issubclass(kind, PageRejected):
        return kind(fault.sentence, pages=fault.pages)
    return kind(fault.sentence)


_ERRORS: Mapping[str, type[CrawlError]] = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, CrawlError)
}


def _records(message: object) -> list[IssueRecord | None]:
    """The records of an answer, in the places of their outcomes."""
    if isinstance(message, Fetched):
        return [each.record if isinstance(each, FetchedIssue) else None for each in message.outcomes]
    return [message.record] if isinstance(message, Parsed) else []


def _is_json(value: object, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(each, depth - 1) for key, each in value.items())
    if isinstance(value, list):
        return all(_is_json(each, depth - 1) for each in value)
    return value is None or isinstance(value, bool | int | float | str)


def _sendable(value: Any) -> Any:
    if isinstance(value, str):
        return type(value)(_unicode(value)) if type(value) is not str else _unicode(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, Struct):
        return msgspec.structs.replace(
            value, **{name: _sendable(getattr(value, name)) for name in value.__struct_fields__}
        )
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _sendable(getattr(value, each.name)) for each in fields(value)})
    if isinstance(value, Mapping):
        return {_sendable(key): _sendable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_sendable(each) for each in value)
    return value


def _unicode(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
