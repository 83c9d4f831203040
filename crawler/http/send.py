"""One request and its whole answer, bounded in time and size.

The one place that meets the HTTP library's errors, and translates them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Container

from msgspec import Struct

from crawler.errors import CrawlError, ItemError, PageTooLarge, TemporaryError, TrackerError
from crawler.http.inflate import Inflater
from crawler.http.library import httpx
from crawler.http.origin import shown
from crawler.http.retry import RetryableError, causes_of
from crawler.http.stats import ClientStats
from crawler.http.transfer import SLOWEST, Transfer

_DRAINED = 64 << 10  # bytes of an unwanted body that are read so that the connection can be used again
_TOO_LARGE = 431  # h11's hint for headers that exceed its buffer
# These stand behind a handshake that was cut off or took too long, which may go better next time.
_UNFINISHED = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_BODILESS = (204, 304)
_CONNECT_TRIES = 3


class Bounds(Struct, frozen=True):
    """How much one exchange may take."""

    deadline: float  # seconds, from sending the request to the last byte of the body
    size: int  # bytes of the body, on the wire and inflated


async def send(
    transport: httpx.AsyncBaseTransport,
    request: httpx.Request,
    *,
    bounds: Bounds,
    wanted: Container[int],
    stats: ClientStats,
    into: Transfer | None = None,
    is_file: Callable[[int, dict[str, str]], bool] = lambda status, headers: False,
) -> tuple[httpx.Response, dict[str, str], bytes]:
    """Send a request and read its answer to the end.

    Args:
        transport: an open one.
        request: what to send.
        bounds: what it may take.
        wanted: the statuses whose bodies are of interest; others come with an empty one.
        stats: where the request and its bytes are counted.
        into: takes the body of an answer that is a file; it has more time, and other bounds.
        is_file: whether an answer with this status and these headers is one.

    Returns:
        The library's answer (its own body is not read), the headers with lower-case names and without
        Set-Cookie, and the inflated body; of an answer that is not wanted only its beginning, which may tell
        why.

    Raises:
        RetryableError: worth another try.
        PageTooLarge: body or headers exceed the bounds.
        ItemError: the answer cannot be read at all.
        TrackerError: no safe connection to the tracker.
    """
    stats.requests += 1
    try:
        async with asyncio.timeout(bounds.deadline) as patience:
            answer = await transport.handle_async_request(request)
            stream = answer.stream
            if not isinstance(stream, httpx.AsyncByteStream):
                raise TypeError("an asynchronous transport answers with an asynchronous stream")
            try:
                headers = _headers(answer)
                if into is not None and is_file(answer.status_code, headers):
                    body = b""
                    on_piece = _clock(patience, stats)
                    await into.receive(answer.status_code, headers, _length(headers), stream, on_piece)
                else:
                    body = await _body(answer.status_code, headers, stream, bounds, wanted, stats)
            finally:
                await stream.aclose()
    except TimeoutError as error:
        raise RetryableError(
            f"{shown(request.url)} did not answer within {bounds.deadline:g} seconds."
        ) from error
    except RetryableError:  # of a proxy on the way
        raise
    except TemporaryError as error:
        raise RetryableError(_at(request, error)) from error
    except ItemError as error:
        raise type(error)(_at(request, error)) from error
    except (httpx.HTTPError, httpx.StreamError, OSError, UnicodeError) as error:
        raise _translated(error, request.url) from error
    return answer, headers, body


def _clock(patience: asyncio.Timeout, stats: ClientStats) -> Callable[[int], None]:
    """Count the pieces of a file, and give it more time for each."""

    def on_piece(size: int) -> None:
        stats.bytes += size
        until = patience.when()
        if until is not None and not patience.expired():
            patience.reschedule(until + size / SLOWEST)

    return on_piece


async def _body(
    status: int,
    headers: dict[str, str],
    stream: httpx.AsyncByteStream,
    bounds: Bounds,
    wanted: Container[int],
    stats: ClientStats,
) -> bytes:
    if status not in wanted:
        return await _reason(stream, headers, stats)
    length = _length(headers)
    if length is not None and length > bounds.size:
        raise PageTooLarge(f"The answer is larger than the limit of {bounds.size:,} bytes.")
    # An empty answer has nothing to inflate, whatever its headers say.
    empty = status in _BODILESS or length == 0
    inflater = Inflater(None if empty else headers.get("content-encoding"), limit=bounds.size)
    taken = 0
    async for piece in stream:
        taken += len(piece)
        stats.bytes += len(piece)
        inflater.feed(piece)
    if length is not None and length != taken and not empty:
        raise TemporaryError("The answer is shorter or longer than announced.")
    return inflater.finish()


async def _reason(stream: httpx.AsyncByteStream, headers: dict[str, str], stats: ClientStats) -> bytes:
    """Read what an unwanted answer says; nothing where it says too much, or what cannot be read."""
    taken = b""
    async for piece in stream:
        taken += piece
        stats.bytes += len(piece)
        if len(taken) > _DRAINED:
            return b""
    try:
        inflater = Inflater(headers.get("content-encoding") if taken else None, limit=_DRAINED)
        inflater.feed(taken)
        return inflater.finish()
    except (ItemError, TemporaryError):
        return b""


def _length(headers: dict[str, str]) -> int | None:
    """The announced length; RFC 9112, 6.3: none where the body comes in chunks."""
    value = headers.get("content-length", "")
    if "transfer-encoding" in headers or not value.isascii() or not value.isdigit():
        return None
    return int(value[:20])


def _headers(answer: httpx.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in answer.headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name != "set-cookie":
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _at(request: httpx.Request, error: CrawlError) -> str:
    return f"{shown(request.url)}: {error}"


def _translated(error: Exception, url: httpx.URL) -> CrawlError:
    causes = list(causes_of(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return TrackerError(f"The certificate of {url.host} is not valid, so nothing was sent to it.")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        if any(isinstance(cause, ssl.SSLError) and not isinstance(cause, _UNFINISHED) for cause in causes):
            return TrackerError(f"No encrypted connection to {url.host} could be made.")
        return RetryableError(f"{url.host} cannot be reached.", most_tries=_CONNECT_TRIES, final=TrackerError)
    if any(getattr(cause, "error_status_hint", None) == _TOO_LARGE for cause in causes):
        return PageTooLarge(f"{shown(url)}: The headers of the answer are too large.")
    if isinstance(error, UnicodeError):
        return TrackerError(f"{url.host[:100]} is not the name of a host.")
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return ItemError(f"{shown(url)} cannot be asked for.")
    return RetryableError(f"{shown(url)}: The connection broke before the answer was complete.")
