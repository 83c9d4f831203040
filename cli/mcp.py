"""``mcp``: what an assistant may ask, over the Model Context Protocol."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import Everybody
from cli.output import complain

_INSTALL = "An assistant asks by the extra mcp: install it with pip install 'ims-crawler[mcp]'."
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORT = 8318


def mcp(
    http: Annotated[
        bool,
        typer.Option(
            "--http", help="answer over HTTP, each request with a personal database login (users add --login)"
        ),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="for --http; 0: any that is free")] = _PORT,
    host: Annotated[
        str, typer.Option(help="for --http: the address to listen at; beyond this machine with a certificate")
    ] = "127.0.0.1",
    public_name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="for --http: the host name by which a proxy reaches it by https"),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="for --http: serve by https; PEM")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="the certificate's key; PEM")] = None,
    everybody: Everybody = False,
) -> None:
    """Let an assistant ask, over the Model Context Protocol: it looks, and changes nothing.

    Without --http it speaks on standard input and output, for an assistant that starts it.
    """
    from importlib.util import find_spec

    from crawler.errors import UsageError

    if find_spec("mcp") is None:
        raise UsageError(_INSTALL)
    if not http:
        _stdio(everybody=everybody)
        return
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key go together: give both.")
    if host not in _LOOPBACK and certificate is None and public_name is None:
        raise UsageError(
            "Passwords come with each request: beyond this machine give --certificate and --key, "
            "or --public-name for a proxy with https."
        )
    _http(host, port, public_name, (certificate, key), everybody=everybody)


def _stdio(*, everybody: bool) -> None:
    from db.acting import acting_for
    from db.location import configured_url
    from db.settings import read_settings
    from pipeline.assistant.asker import Asker
    from pipeline.assistant.server import serve_stdio
    from pipeline.bootstrap import start

    program = start(asks_only=True)
    with acting_for(program.user_id, everybody=everybody):
        pass  # whoever may not see everybody's rows is told now
    asker = Asker(url=configured_url(read_settings()), user_id=program.user_id, everybody=everybody)
    signal.signal(signal.SIGINT, _end)
    serve_stdio(asker, program.settings, program.home)


def _end(*_: object) -> None:
    """End at once: a thread waits for standard input, and nothing wakes it."""
    from cli.exit_codes import INTERRUPTED

    complain("Interrupted.")
    os._exit(INTERRUPTED)


def _http(
    host: str, port: int, name: str | None, files: tuple[Path | None, Path | None], *, everybody: bool
) -> None:
    from cli.exit_codes import INTERRUPTED
    from crawler.process.isolation import hide_memory
    from db.location import configured_url
    from db.settings import environment
    from db.settings import read_settings as read_database_settings
    from pipeline.assistant.http import PATH, make_application
    from pipeline.logs import keep_libraries_quiet
    from pipeline.settings import read_settings
    from web.server import bound, check_certificate, run

    certificate, key = files
    if certificate is not None and key is not None:
        check_certificate(certificate, key)
    hide_memory()
    keep_libraries_quiet()
    database = read_database_settings()
    with bound("127.0.0.1" if host == "localhost" else host, port) as listening:
        shown = f"{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
        hosts = [
            shown,
            *(f"{each}:{listening.getsockname()[1]}" for each in ("127.0.0.1", "localhost", "[::1]")),
        ]
        hosts += [] if name is None else [name]
        application = make_application(
            hosts,
            configured_url(database),
            read_settings(environment()),
            database.home,
            everybody=everybody,
            has_proxy=name is not None and certificate is None,
        )
        base = f"https://{name}" if name else f"{'https' if certificate else 'http'}://{shown}"
        ended_by = run(
            application,
            listening,
            ready=lambda: complain(f"Assistants are answered at {base}{PATH}. Ctrl-C ends it."),
            certificate=certificate,
            key=key,
        )
    if ended_by == 2:
        complain("Interrupted.")
        raise typer.Exit(INTERRUPTED)
