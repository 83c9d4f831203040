"""``trackers``: connections to trackers."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from cli.output import complain, print_json, print_table, say
from cli.passwords import read_password

app = typer.Typer(help="Connections to trackers, each user's own.")

Name = Annotated[str, typer.Argument(help="the tracker's name")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="a name of your choice")],
    kind: Annotated[str, typer.Option(help="ims, trac, or another installed kind")],
    url: Annotated[str, typer.Option(help="http(s)://host[:port][/path]")],
    username: Annotated[str | None, typer.Option(help="the account to log in with")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input")
    ] = False,
    timezone: Annotated[
        str | None, typer.Option(help="the tracker's own time zone, such as Asia/Seoul")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="requests a second at most")] = None,
    concurrency: Annotated[int, typer.Option(help="requests at once at most")] = 4,
    ignore_robots: Annotated[
        bool, typer.Option("--ignore-robots", help="go where its robots.txt asks crawlers not to go")
    ] = False,
) -> None:
    """Store a connection; the password is encrypted, and only ever sent to this address.

    Adding a name again changes it; with an address elsewhere the stored password is forgotten.
    """
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.trackers.stored import NewTracker, add_tracker

    password = None
    if password_stdin or username is not None:
        password = read_password(f"Password of {username} at {url}: ", from_stdin=password_stdin)
    program = start()
    new = NewTracker(
        name=name,
        kind=kind,
        base_url=url,
        username=username,
        password=password or program.settings.tracker_password,
        timezone=timezone,
        rate=rate,
        concurrency=concurrency,
        ignore_robots=ignore_robots,
    )
    with get_session(user_id=program.user_id) as session:
        has_password = add_tracker(session, new, program.vault).secret is not None
    how = "is stored" if has_password else "is stored without a password"
    complain(f"Tracker {name} {how}; try it with: trackers test {name}")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="leave out the first ones")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List the stored connections, without their passwords."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.trackers.stored import list_trackers

    program = start()
    with get_session(user_id=program.user_id) as session:
        rows = list_trackers(session, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("name", "kind", "address", "account"),
            [list(row.values()) for row in rows],
            empty="There is no tracker yet: add one with trackers add.",
        )


@app.command("test")
def test(name: Name) -> None:
    """Log in to a tracker and look at its first page of issues."""
    from pipeline.bootstrap import start
    from pipeline.trackers.connect import Tracker
    from pipeline.trackers.process import TrackerProcess

    async def first_total(tracker: Tracker) -> int | None:
        async with TrackerProcess(tracker) as source:
            await source.login()
            async for page in source.search(None, limit=1):
                return page.total
        return None

    total = asyncio.run(first_total(start().open_tracker(name)))
    say(f"Tracker {name} answers" + (f" and shows {total} issues." if total is not None else "."))


@app.command("remove")
def remove(name: Name) -> None:
    """Forget a connection; one that issues were crawled with stays."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.trackers.stored import remove_tracker

    program = start()
    with get_session(user_id=program.user_id) as session:
        remove_tracker(session, name)


@app.command("rotate-key")
def rotate_key() -> None:
    """Encrypt your stored passwords with a new key; the former keys still open the others'."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.trackers.stored import rotate

    program = start()
    with get_session(user_id=program.user_id) as session:
        number = rotate(session, program.new_vault())
    say(f"{number} stored passwords are encrypted with the newest key.")
