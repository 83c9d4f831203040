"""``trackers``: connections to trackers."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import AsJson, trackers
from cli.output import invocation, print_json, print_table, say, tell_done
from cli.passwords import read_password

app = typer.Typer(help="Manage your connections to trackers.")

Name = Annotated[str, typer.Argument(help="the tracker's name", autocompletion=trackers)]


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
        bool, typer.Option("--ignore-robots", help="ignore the robots.txt of the tracker")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Save a connection; its password is encrypted and only sent to this address.

    Adding a name again changes it; with another address the stored password is deleted.
    """
    from shlex import quote

    from crawler.errors import UsageError
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
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
        if username is not None and not has_password:
            raise UsageError(
                f"The password of {username} is missing: give it at the prompt, with --password-stdin, "
                "or in IMS_TRACKER_PASSWORD."
            )
    refresh(program.user_id)
    stored = {"name": name, "kind": kind, "base_url": url.rstrip("/"), "username": username}
    tell_done(
        f"Tracker {name} is saved. Try it with: {invocation()} trackers test {quote(name)}",
        {**stored, "has_password": has_password},
        as_json=as_json,
    )


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="skip this many")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List your trackers, without their passwords."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.trackers.stored import list_trackers

    program = start()
    with get_session(user_id=program.user_id) as session:
        rows = list_trackers(session, limit=limit, offset=offset)
    refresh(program.user_id)
    if as_json:
        print_json(rows)
    else:
        print_table(
            ("name", "kind", "address", "account"),
            [list(row.values()) for row in rows],
            empty="There are no trackers yet. Add one with: trackers add.",
        )


@app.command("test")
def try_login(name: Name, as_json: AsJson = False) -> None:
    """Log in to a tracker and look at its first page of issues."""
    import asyncio

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
    if as_json:
        print_json({"name": name, "answers": True, "issues": total})
        return
    say(f"Tracker {name} answers" + (f" and shows {total:,} issues." if total is not None else "."))


@app.command("rename")
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(help="its new name")],
    as_json: AsJson = False,
) -> None:
    """Give a tracker another name; its issues, sessions and password stay with it."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.trackers.stored import rename_tracker

    program = start()
    with get_session(user_id=program.user_id) as session:
        rename_tracker(session, name, new_name)
    refresh(program.user_id)
    tell_done(
        f"Tracker {name} is called {new_name} now.", {"name": new_name, "before": name}, as_json=as_json
    )


@app.command("remove")
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a tracker that nothing was crawled from."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.trackers.stored import remove_tracker

    program = start()
    with get_session(user_id=program.user_id) as session:
        remove_tracker(session, name)
    refresh(program.user_id)
    tell_done(f"Tracker {name} is removed.", {"name": name, "removed": True}, as_json=as_json)


@app.command("rotate-key")
def rotate_key(as_json: AsJson = False) -> None:
    """Encrypt your stored passwords with a new key; older keys are kept for other users' passwords."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.trackers.stored import rotate

    program = start()
    with get_session(user_id=program.user_id) as session:
        number = rotate(session, program.new_vault())
    tell_done(
        f"{number} stored passwords are encrypted with the newest key.",
        {"passwords": number},
        as_json=as_json,
    )
