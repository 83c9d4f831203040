"""``serve``: what is stored, as a page in the browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import complain, say

if TYPE_CHECKING:
    from web.door import Door

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PORT = 8317
_LEAD = "open-page.html"  # of the data folder: leads a browser to the page, and has the token in it


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free")] = _PORT,
    opened: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
    login: Annotated[
        bool,
        typer.Option(
            "--login",
            help="for everybody with a personal database login (users add --login), each as themselves",
        ),
    ] = False,
    host: Annotated[
        str, typer.Option(help="the address to listen at; beyond this machine with --login and a certificate")
    ] = "127.0.0.1",
    public_name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="the host name by which browsers reach it by https, such as a proxy's"
        ),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="serve by https; PEM")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="the certificate's key; PEM")] = None,
) -> None:
    """Show what is stored as a local web page: search, issues, saved questions, sessions, figures.

    The address that is printed has a token in it and opens the page once in your browser, for you alone. The
    page changes nothing but your saved questions. Ctrl-C ends it.
    """
    from cli.exit_codes import INTERRUPTED
    from web.application import application
    from web.server import bound, check_certificate, run

    _check(login=login, host=host, certificate=certificate, key=key, name=public_name)
    if certificate is not None and key is not None:
        check_certificate(certificate, key)
    with bound("127.0.0.1" if host == "localhost" else host, port) as listening:
        taken = listening.getsockname()[1]
        is_secure = certificate is not None or public_name is not None
        has_proxy = public_name is not None and certificate is None
        hosts = _hosts(host, public_name, taken)
        door = _door(hosts, is_secure=is_secure, has_proxy=has_proxy, login=login)
        shown = f"[{host}]" if ":" in host else host
        base = (
            f"https://{public_name}/"
            if public_name
            else f"{'https' if certificate else 'http'}://{shown}:{taken}/"
        )
        address = base if door.token is None else f"{base}enter?token={door.token}"

        def ready() -> None:
            say(address)
            sys.stdout.flush()
            complain("The page is ready. Ctrl-C ends it.")
            if opened:
                _open(address, door)

        try:
            ended_by = run(application(door), listening, ready=ready, certificate=certificate, key=key)
        finally:
            if opened:
                (door.home / _LEAD).unlink(missing_ok=True)
    if ended_by == 2:
        complain("Interrupted.")
        raise typer.Exit(INTERRUPTED)


def _check(*, login: bool, host: str, certificate: Path | None, key: Path | None, name: str | None) -> None:
    from crawler.errors import UsageError

    if (certificate is None) != (key is None):
        raise UsageError("Give both --certificate and --key, or neither.")
    if host not in _LOOPBACK and not (login and certificate):
        raise UsageError(
            "Beyond this machine the page needs --login, and --certificate with --key: else passwords and "
            "issues go over the network for everybody to read."
        )
    if name is not None and not (login and all(part.isalnum() for part in name.replace("-", "a").split("."))):
        raise UsageError("--public-name is the host name of a page with --login, such as issues.example.com.")


def _hosts(host: str, name: str | None, port: int) -> frozenset[str]:
    """What browsers may call the page: its own names, so that no other page's name leads here."""
    own = {host, "localhost", "127.0.0.1", "[::1]"} if host in _LOOPBACK else {host}
    hosts = {f"{each}:{port}" for each in own}
    if name is not None:
        hosts |= {name.lower(), f"{name.lower()}:{port}"}
    if port in (80, 443):
        hosts |= own
    return frozenset(hosts)


def _door(hosts: frozenset[str], *, is_secure: bool, has_proxy: bool, login: bool) -> Door:
    from pipeline.bootstrap import settings_of_a_server, start
    from web.door import Door
    from web.server import new_token
    from web.visitors import Visitors

    if login:
        from db.location import configured_url

        settings, database = settings_of_a_server()
        return Door(
            settings=settings,
            home=database.home,
            hosts=hosts,
            is_secure=is_secure,
            has_proxy=has_proxy,
            visitors=Visitors(idle=3600, life=12 * 3600),
            database_url=configured_url(database),
        )
    from db.settings import read_settings

    program = start(asks_only=True)
    return Door(
        settings=program.settings,
        home=program.home,
        hosts=hosts,
        visitors=Visitors(idle=float("inf"), life=float("inf")),  # as long as the page is served
        token=new_token(),
        user_id=program.user_id,
        user_name=read_settings().user,
    )


def _open(address: str, door: Door) -> None:
    """Open the browser. Others see what it is started with, so the token goes by a file of this account."""
    import webbrowser

    from cli.children import secrets_put_away

    target = address
    if door.token is not None:
        from db.files import whole_file

        path = door.home / _LEAD
        with whole_file(path) as file:
            file.write(f'<meta http-equiv="refresh" content="0; url={address}">'.encode())
        target = path.as_uri()
    with secrets_put_away():
        if not webbrowser.open(target):
            complain("No browser could be opened: open the address yourself.")
