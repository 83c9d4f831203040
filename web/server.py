"""The page's server: one process, one socket, an end at once."""

from __future__ import annotations

import secrets
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from starlette.applications import Starlette
from uvicorn.config import Config
from uvicorn.server import Server

from crawler.errors import UsageError
from web.visitors import end_questions

_HANGING = 2  # seconds that an answer may still take when the server is to end


def new_token() -> str:
    """A token for the address, which nobody guesses."""
    return secrets.token_urlsafe(32)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: an address of this machine.
        port: 0: any that is free.

    Raises:
        UsageError: the port is taken, or there is no such address here.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, for asyncio does without small delays only where it knows that this is TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except PermissionError as error:
        listening.close()
        raise UsageError(
            f"Port {port} is not for this account: give one from 1024 on with --port."
        ) from error
    except OSError as error:
        listening.close()
        if isinstance(error, socket.gaierror) or error.errno in (99, 49, 10049):
            raise UsageError(f"{host!r} is no address of this machine: leave --host out.") from error
        raise UsageError(
            f"Port {port} is taken: give another one with --port, or --port 0 for any that is free."
        ) from error
    return listening


def check_certificate(certificate: Path, key: Path) -> None:
    """Make sure that a certificate and its key are there and belong together.

    Raises:
        UsageError: they do not.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"{certificate} and {key} are no certificate with its key: give two PEM files."
        ) from error


def run(
    application: Starlette,
    listening: socket.socket,
    *,
    ready: Callable[[], None],
    certificate: Path | None = None,
    key: Path | None = None,
) -> int:
    """Serve until a signal says to end.

    Args:
        application: the pages.
        listening: of :func:`bound`.
        ready: called when requests are answered.
        certificate: with ``key``: serve by https.
        key: of the certificate.

    Returns:
        The signal that ended it; 0: none did.
    """
    config = Config(
        application,
        log_config=None,
        access_log=False,  # addresses have questions in them
        server_header=False,
        proxy_headers=False,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_HANGING,
        limit_concurrency=200,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    server = _Server(config, ready)
    server.run(sockets=[listening])
    return server.ended_by


class _Server(Server):
    """Ends by our rules: the first signal is enough."""

    def __init__(self, config: Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self.ended_by = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Note a signal and end; uvicorn would raise it once more."""

        def end(number: int, _: FrameType | None) -> None:
            self.ended_by = number
            self.should_exit = True
            self.force_exit = True
            end_questions()

        former: dict[int, Any] = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)
