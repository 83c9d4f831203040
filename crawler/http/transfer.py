"""A file on its way: asked for as it is, and gone on with where it was cut, never mixed with another one.

Whether what follows belongs to what is here, only the server can say: by the strong validator that it gave
with the first part (RFC 9110, 13.1.5). Some make it of a file's size and second only, so the last bytes that
are here are asked for again and compared. Whatever is not certain begins the file anew.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterable, Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from msgspec import Struct

from crawler.errors import FileTooLarge, TemporaryError
from crawler.http.inflate import Inflater

OVERLAP = 1 << 10  # bytes that are asked for again
_AT_ONCE = 1 << 18  # bytes handed over together
BUFFERED = 64 << 20  # bytes of a file that came compressed; whether it is meant so shows at its end
SLOWEST = 16 << 10  # bytes a second; a file that comes slower than this has missed its deadline

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_COMPRESSED = re.compile(r"\.(?:[a-z]*gz|svgz|z|ta[zZ]|emz|wmz|vcfz|gzip)(?:\.[0-9]+)?$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_OLD_ENOUGH = timedelta(seconds=60)  # a date is a strong validator once its second is long over (8.8.2.2)


class Head(Struct, frozen=True, kw_only=True):
    """What an answer says of the file whose bytes follow."""

    start: int  # the first of the bytes that follow
    size: int | None = None  # of the whole file
    content_type: str | None = None  # as it came
    validator: str | None = None  # with it the file can be gone on with; None: it cannot
    sha256: str | None = None  # of the whole file, in hexadecimal, where the server tells it


class Kept(Struct, frozen=True, kw_only=True):
    """What an earlier try left of a file."""

    have: int  # bytes, from the beginning on
    tail: bytes  # the last of them, as many as are asked for again
    size: int  # of the whole file
    validator: str


class Sink(Protocol):
    """Whoever gets the bytes."""

    async def begin(self, head: Head) -> None:
        """Take what follows from ``head.start`` on, and drop what is there behind it."""
        ...

    async def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...


class Transfer:
    """One file, over as many answers as it takes.

    Args:
        sink: gets its bytes.
        limit: bytes that it may have.
        name: of the file, which tells whether it is compressed itself.
        announced: bytes that the tracker says it has; it may round.
        kept: of an earlier try.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        limit: int,
        name: str = "",
        announced: int | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._sink = sink
        self._limit = limit
        self._name = name
        self._announced = announced
        self.have = 0  # bytes that the sink has got
        self.is_taken = False  # an answer was the file
        self._size: int | None = None
        self._validator: str | None = None
        self._tail = b""
        if kept is not None and kept.have < kept.size <= limit:
            self.have, self._size, self._validator = kept.have, kept.size, kept.validator
            self._tail = kept.tail[-OVERLAP:]

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """What to ask with: the bytes as they are, and of these only what is missing."""
        plain = (b"Accept-Encoding", b"identity")
        if not self.wants_rest or self._validator is None:
            return (plain,)
        since = (b"Range", b"bytes=%d-" % (self.have - OVERLAP))
        return (plain, since, (b"If-Range", self._validator.encode("latin-1")))

    @property
    def wants_rest(self) -> bool:
        """Whether only the rest is asked for."""
        return self._validator is not None and self.have > OVERLAP == len(self._tail)

    def start_anew(self) -> None:
        """Ask for all of the file next time."""
        self.have, self._size, self._validator, self._tail = 0, None, None, b""

    async def whole(self, body: bytes, content_type: str | None) -> None:
        """Hand over a file that came within an answer, or as a page."""
        self._check(len(body))
        self.is_taken = True
        await self._begin(Head(start=0, size=len(body), content_type=content_type))
        await self._write(body)

    async def receive(
        self,
        status: int,
        headers: Mapping[str, str],
        length: int | None,
        stream: AsyncIterable[bytes],
        on_piece: Callable[[int], None],
    ) -> None:
        """Hand over the file that an answer brings, or the rest of it.

        Args:
            status: 200 or 206.
            headers: with lower-case names.
            length: bytes that the answer announces; None: it does not.
            stream: its body.
            on_piece: is told the size of each piece that came.

        Raises:
            FileTooLarge: the file is larger than the limit.
            TemporaryError: worth another try, with what is here or anew.
        """
        self.is_taken = True
        encoding = headers.get("content-encoding", "").strip().lower()
        is_plain = encoding in ("", "identity") or (length is not None and length == self._announced)
        if status == 206:
            self._check_rest(headers, length, is_plain=is_plain)
            head = Head(
                start=self.have,
                size=self._size,
                content_type=headers.get("content-type"),
                validator=self._validator,
                sha256=_digest(headers),
            )
        elif is_plain:
            if length is not None:
                self._check(length)
            self.have, self._size = 0, length
            self._validator = validator_of(headers) if length is not None else None
            head = Head(
                start=0,
                size=length,
                content_type=headers.get("content-type"),
                validator=self._validator,
                sha256=_digest(headers) if encoding in ("", "identity") else None,
            )
        else:
            await self._compressed(encoding, headers, length, stream, on_piece)
            return
        await self._begin(head)
        await self._hand_over(stream, on_piece, again=self._tail if status == 206 else b"")
        if self._size is not None and self.have != self._size:
            raise TemporaryError("The answer is shorter than announced.")

    async def _hand_over(
        self, stream: AsyncIterable[bytes], on_piece: Callable[[int], None], *, again: bytes
    ) -> None:
        """Hand over what comes, in larger pieces; where it is cut, the last one too.

        Args:
            stream: what comes.
            on_piece: is told of it.
            again: what must come first, since it is here already.
        """
        waiting = bytearray()
        try:
            async for piece in stream:
                on_piece(len(piece))
                same = min(len(again), len(piece))
                if piece[:same] != again[:same]:
                    self.start_anew()
                    raise TemporaryError("The rest that came is that of another file.")
                again = again[same:]
                waiting += piece[same:]
                self._check(self.have + len(waiting))
                if self._size is not None and self.have + len(waiting) > self._size:
                    self.start_anew()
                    raise TemporaryError("The answer is longer than announced.")
                if len(waiting) >= _AT_ONCE:
                    data = bytes(waiting)
                    waiting.clear()
                    await self._write(data)
        except Exception:
            if self._validator is not None:
                await self._write(bytes(waiting))
            raise
        await self._write(bytes(waiting))

    def _check_rest(self, headers: Mapping[str, str], length: int | None, *, is_plain: bool) -> None:
        """See that an answer is the rest that was asked for, of the same file."""
        told = _RANGE.fullmatch(headers.get("content-range", "").strip())
        tag, changed = headers.get("etag"), headers.get("last-modified")
        is_tag = (self._validator or "").startswith('"')
        if (
            told is None
            or not self.wants_rest
            or self._size is None
            or not is_plain
            or int(told[1]) != self.have - OVERLAP
            or int(told[2]) != self._size - 1
            or told[3] not in ("*", str(self._size))
            or length not in (None, self._size - self.have + OVERLAP)
            or (tag if is_tag else changed) != self._validator
        ):
            self.start_anew()
            raise TemporaryError("The answer is not the rest that was asked for.")

    async def _compressed(
        self,
        encoding: str,
        headers: Mapping[str, str],
        length: int | None,
        stream: AsyncIterable[bytes],
        on_piece: Callable[[int], None],
    ) -> None:
        """Take a file that came compressed though nobody asked for it: as it came, or inflated.

        A server may have compressed it on the way, or call a ``.gz`` that it keeps so "encoded", as Apache's
        AddEncoding does. The size that the tracker tells says which, else the name.
        """
        self.start_anew()
        most = min(self._limit, BUFFERED)
        came = bytearray()
        async for piece in stream:
            on_piece(len(piece))
            came += piece
            if len(came) > most:
                raise FileTooLarge(f"The file came compressed, and is larger than {most:,} bytes.")
        if length not in (None, len(came)):
            raise TemporaryError("The answer is shorter or longer than announced.")
        body = bytes(came)
        if len(body) != self._announced:
            inflater = Inflater(encoding, limit=most)
            inflater.feed(body)
            inflated = inflater.finish()
            by_name = _COMPRESSED.search(self._name) is not None and not inflated.startswith(_GZIP)
            if len(inflated) == self._announced or not by_name:
                body = inflated
        await self._begin(Head(start=0, size=len(body), content_type=headers.get("content-type")))
        await self._write(body)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise FileTooLarge(f"The file is larger than the limit of {self._limit:,} bytes.")

    async def _begin(self, head: Head) -> None:
        self.have = head.start
        self._tail = self._tail if head.start else b""
        await self._sink.begin(head)

    async def _write(self, data: bytes) -> None:
        await self._sink.write(data)
        self.have += len(data)
        self._tail = (self._tail + data[-OVERLAP:])[-OVERLAP:]


def validator_of(headers: Mapping[str, str]) -> str | None:
    """The strong validator of an answer, or None where it has none or its server gives no parts."""
    if headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    tag = headers.get("etag", "").strip()
    if re.fullmatch(r'"[!#-~\x80-\xff]{1,200}"', tag):
        return tag
    changed, now = headers.get("last-modified", "").strip(), headers.get("date", "").strip()
    if tag or not changed.isascii() or max(len(changed), len(now)) > 100:
        return None
    try:
        old_enough = parsedate_to_datetime(now) - parsedate_to_datetime(changed) >= _OLD_ENOUGH
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return changed if old_enough else None


def _digest(headers: Mapping[str, str]) -> str | None:
    """The SHA-256 of the whole file, as RFC 9530 has it, or RFC 3230 before."""
    for name, pattern in (
        ("repr-digest", r"sha-256=:([A-Za-z0-9+/]{43}=):"),
        ("digest", r"sha-256=([A-Za-z0-9+/]{43}=)(?:,|$)"),
    ):
        if (told := re.search(pattern, headers.get(name, ""), re.IGNORECASE)) is not None:
            try:
                return base64.b64decode(told[1], validate=True).hex()
            except (binascii.Error, ValueError):
                return None
    return None
