"""HTTP/1.1 on a connection: keep-alive, one request after the other, limits for what comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs, unquote

from crawler.sources.ims.standin.messages import Answer, Request, status_line

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024

_FORM = "application/x-www-form-urlencoded"


class BadRequestError(Exception):
    """A request that is not understood; carries the status to answer with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Take the head of a request apart into method, target and headers (lower-case names).

    Raises:
        BadRequestError: it is not HTTP/1.1 as we speak it.
    """
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        raise BadRequestError(400)
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError(400)
        headers[name.lower()] = value.strip()
    if parts[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if parts[0] not in ("GET", "POST"):
        raise BadRequestError(405)
    if "transfer-encoding" in headers:
        raise BadRequestError(411)
    return parts[0], parts[1], headers


def body_length(headers: dict[str, str]) -> int:
    """How many bytes follow the head.

    Raises:
        BadRequestError: the length is not a number, or over the limit.
    """
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()):
        raise BadRequestError(400)
    if len(text) > 9 or int(text) > MAX_BODY:
        raise BadRequestError(413)
    return int(text)


def make_request(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    """Put a request together from its parts."""
    path, _, query = target.partition("?")
    params = parse_qs(query, keep_blank_values=True, errors="replace") if query else {}
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        for name, values in parse_qs(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"
        ).items():
            params.setdefault(name, []).extend(values)
    cookies = {}
    for part in headers.get("cookie", "").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            cookies[name] = value
    # a servlet container takes a session id in the path for what it is
    path = unquote(path.partition(";")[0])
    return Request(method=method, path=path, params=params, cookies=cookies)


class Wire(asyncio.Protocol):
    """One connection of a client.

    Args:
        answer: makes the answer to a request.
        latency: seconds to wait before each answer.
        connections: where open connections are noted, so that a stopping server can close them.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        latency: Callable[[], float],
        connections: set[asyncio.Transport],
    ) -> None:
        self._answer = answer
        self._latency = latency
        self._connections = connections
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str], int] | None = None
        self._waiting = False  # an answer is held back by the latency
        self._paused = False  # the client does not read fast enough
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport = cast(asyncio.Transport, transport)  # a TCP server makes no other
        self._connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._transport is not None:
            self._connections.discard(self._transport)
        self._transport = None

    def pause_writing(self) -> None:
        """Serve nothing more until the client reads."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on where a slow client stopped us."""
        self._paused = False
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Serve what is there whole."""
        self._buffer += data
        self._go_on()
        if len(self._buffer) > MAX_HEAD + MAX_BODY and self._transport is not None:
            self._transport.abort()  # it pipelines without reading the answers

    def _go_on(self) -> None:
        try:
            while self._is_free() and self._step():
                pass
        except BadRequestError as bad:
            self._send(Answer(status=bad.status), keep=False)

    def _is_free(self) -> bool:
        alive = self._transport is not None and not self._transport.is_closing()
        return alive and not self._waiting and not self._paused

    def _step(self) -> bool:
        """Serve one request from the buffer, if it is there whole."""
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0 or end > MAX_HEAD:
                if len(self._buffer) > MAX_HEAD:
                    raise BadRequestError(431)
                return False
            method, target, headers = read_head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            self._head = (method, target, headers, body_length(headers))
            if headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, target, headers, length = self._head
        if len(self._buffer) < length:
            return False
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        request = make_request(method, target, headers, body)
        keep = headers.get("connection", "").lower() != "close"
        latency = self._latency()
        if latency > 0:
            self._waiting = True
            asyncio.get_running_loop().call_later(latency, self._late, request, keep)
        else:
            self._send(self._answer(request), keep=keep)
        return True

    def _late(self, request: Request, keep: bool) -> None:
        self._waiting = False
        self._send(self._answer(request), keep=keep)
        self._go_on()

    def _send(self, answer: Answer, *, keep: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        lines = [status_line(answer.status)]
        if answer.body or answer.status == 200:
            lines.append(f"Content-Type: {answer.content_type}\r\n".encode("latin-1"))
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in answer.headers]
        ending = "" if keep else "Connection: close\r\n"
        lines.append(f"Content-Length: {len(answer.body)}\r\n{ending}\r\n".encode("ascii"))
        lines.append(answer.body)
        self._transport.write(b"".join(lines))
        if not keep:
            self._transport.close()
