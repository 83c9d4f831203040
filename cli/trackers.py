"""``trackers``: connections to trackers."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.arguments import AsJson, kinds, options_of_a_kind, trackers
from cli.confirm import confirm_removal
from cli.output import invocation, one_line, print_json, print_table, say, tell_done
from cli.passwords import read_password
from cli.tracker_states import states

if TYPE_CHECKING:
    from crawler.source import Features
    from db import Tracker as StoredTracker
    from pipeline.bootstrap import Program

app = typer.Typer(help="Manage your connections to trackers.")
app.command("states")(states)

Name = Annotated[str, typer.Argument(help="the tracker's name", autocompletion=trackers)]
GivenOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="set an option of this kind of tracker, as trackers options lists them; may be given again",
        autocompletion=options_of_a_kind,
    ),
]
ProxyOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="ask it through this proxy, http://[NAME@]HOST:PORT; without it HTTPS_PROXY and the like count",
    ),
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password or token from standard input")
]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="a name of your choice")],
    url: Annotated[
        str, typer.Option(help="its address; one of its pages will do, as you copy it from your browser")
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="such as ims, trac or redmine; without it the server is asked", autocompletion=kinds
        ),
    ] = None,
    username: Annotated[str | None, typer.Option(help="the account to log in with")] = None,
    password_stdin: PasswordStdin = False,
    timezone: Annotated[
        str | None, typer.Option(help="the tracker's own time zone, such as Asia/Seoul")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="requests a second at most")] = None,
    concurrency: Annotated[int, typer.Option(help="requests at once at most")] = 4,
    ignore_robots: Annotated[
        bool, typer.Option("--ignore-robots", help="ignore the robots.txt of the tracker")
    ] = False,
    proxy: ProxyOption = None,
    option: GivenOptions = None,
    as_json: AsJson = False,
) -> None:
    """Save a connection; its password or token is encrypted and only sent to this address.

    Adding a name again changes it; with another address the stored password is deleted.
    """
    from shlex import quote

    from crawler.http.proxy import Proxy
    from crawler.options import changed
    from crawler.sources import find_kind
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.trackers.stored import NewTracker, add_tracker

    program = start()
    proxy, proxy_password = _proxy(proxy, program)
    through = None if proxy is None else Proxy(url=proxy, password=proxy_password)
    place = program.find_place(kind, url, through)
    if kind is None and not as_json:
        server = f", which calls itself {one_line(place.server)}" if place.server else ""
        say(f"{one_line(url)} is a tracker of the kind {place.kind}{server}.")
    kind, url = place.kind, place.base_url
    options = changed(find_kind(kind), {}, option or ())
    password = _secret(find_kind(kind).features, url, username, from_stdin=password_stdin)
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
        proxy=proxy,
        proxy_password=proxy_password,
        options=options,
    )
    with get_session(user_id=program.user_id) as session:
        row = add_tracker(session, new, program.vault)
        _demand_password(row)
        has_password = row.secret is not None
    refresh(program.user_id)
    stored = {"name": name, "kind": kind, "base_url": url, "username": username}
    tell_done(
        f"Tracker {name} is saved. Try it with: {invocation()} trackers test {quote(name)}",
        {**stored, "has_password": has_password},
        as_json=as_json,
    )


@app.command("edit")
def edit(
    name: Name,
    url: Annotated[str | None, typer.Option(help="its new address")] = None,
    username: Annotated[str | None, typer.Option(help="the account to log in with; '' for none")] = None,
    password_stdin: PasswordStdin = False,
    timezone: Annotated[
        str | None, typer.Option(help="the tracker's own time zone; '' for the kind's default")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="requests a second at most; 0 for no bound")] = None,
    concurrency: Annotated[int | None, typer.Option(help="requests at once at most")] = None,
    ignore_robots: Annotated[
        bool | None,
        typer.Option("--ignore-robots/--keep-robots", help="ignore the robots.txt of the tracker, or not"),
    ] = None,
    proxy: ProxyOption = None,
    option: GivenOptions = None,
    as_json: AsJson = False,
) -> None:
    """Change some of a connection and keep the rest; alone it shows what is stored, without the password.

    A new address or account asks for the password again. --proxy '' removes the proxy, --option NAME= sets an
    option back to its default.
    """
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.trackers.stored import edit_tracker

    given = {
        "base_url": url,
        "username": username,
        "timezone": timezone,
        "rate": rate,
        "concurrency": concurrency,
        "ignore_robots": ignore_robots,
    }
    unset = {"username": "", "timezone": "", "rate": 0.0}
    changes: dict[str, Any] = {
        field: None if field in unset and value == unset[field] else value
        for field, value in given.items()
        if value is not None
    }
    program = start()
    if proxy is not None:
        changes["proxy"], changes["proxy_password"] = _proxy(proxy, program)
    asks = password_stdin or url is not None or bool(username)
    if asks:
        password = read_password(f"Password at {url or 'the tracker'}: ", from_stdin=password_stdin)
        changes["password"] = password or program.settings.tracker_password
    with get_session(user_id=program.user_id) as session:
        row = edit_tracker(session, name, changes, option or (), program.vault)
        if asks:
            _demand_password(row)
        options = dict(row.options)
        stored: dict[str, Any] = {
            "name": row.name,
            "kind": row.kind,
            "base_url": row.base_url,
            "username": row.username,
            "has_password": row.secret is not None,
            "timezone": row.timezone,
            "rate": row.rate,
            "concurrency": row.concurrency,
        }
    refresh(program.user_id)
    if as_json:
        print_json({**stored, "options": options})
        return
    known = {field: value for field, value in {**stored, **options}.items() if value is not None}
    say("\n".join(f"{field}: {_shown(value)}" for field, value in known.items()))


@app.command("options")
def options(
    kind: Annotated[str, typer.Argument(help="ims, trac, or another installed kind", autocompletion=kinds)],
    as_json: AsJson = False,
) -> None:
    """List the options that a kind of tracker has: what --option NAME=VALUE sets."""
    from crawler.options import type_of
    from crawler.sources import find_kind

    rows = [
        {"name": each.name, "type": type_of(each), "default": each.default, "help": each.help}
        for each in find_kind(kind).features.options
    ]
    if as_json:
        print_json(rows)
    else:
        words = {"bool": "yes or no", "int": "number", "str": "text"}
        print_table(
            ("name", "type", "default", "help"),
            [[row["name"], words[str(row["type"])], row["default"], row["help"]] for row in rows],
            empty=f"A tracker of the kind {kind} has no options.",
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

    async def first_page(tracker: Tracker) -> tuple[int | None, str | None]:
        async with TrackerProcess(tracker) as source:
            await source.login()
            async for page in source.search(None, limit=1):
                return page.total, page.server
        return None, None

    tracker = start().open_tracker(name)
    total, server = asyncio.run(first_page(tracker))
    proxy = None if tracker.proxy is None else tracker.proxy.described()
    if as_json:
        print_json({"name": name, "answers": True, "issues": total, "server": server, "proxy": proxy})
        return
    answers = "answers" if server is None else f"answers as {one_line(server)}"
    shows = "" if total is None else f" and shows {total:,} issues"
    say(f"Tracker {name} {answers}{shows}{f', through the proxy {proxy}' if proxy else ''}.")


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
def remove(
    name: Name,
    with_data: Annotated[
        bool,
        typer.Option("--with-data", help="with its issues, kept pages, sessions, schedules and favorites"),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask for confirmation")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a tracker that nothing was crawled from; or, with --with-data, everything that came from it.

    Attached files stay on disk until: db prune.
    """
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.trackers.removal import belongings, remove_tracker, remove_with_data
    from pipeline.trackers.stored import find_row

    program = start()
    with get_session(user_id=program.user_id) as session:
        row = find_row(session, name)
        gone = belongings(session, row)
        if with_data:
            _be_sure(name, gone, yes=yes)
            remove_with_data(session, row)
        else:
            remove_tracker(session, row)
    refresh(program.user_id)
    tell_done(f"Tracker {name} is removed.", {"name": name, "removed": True, **gone}, as_json=as_json)


def _be_sure(name: str, gone: dict[str, int], *, yes: bool) -> None:
    told = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in gone.items() if number)
    if told:
        confirm_removal(
            f"Remove {name} with {told}, for good?",
            without_terminal=f"With {name} go {told}, for good: give --yes to remove them.",
            yes=yes,
        )


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


def _demand_password(row: StoredTracker) -> None:
    from crawler.errors import UsageError

    if row.username is not None and row.secret is None:
        raise UsageError(
            f"The password of {row.username} is missing: give it at the prompt, with --password-stdin, "
            "or in IMS_TRACKER_PASSWORD."
        )


def _secret(features: Features, url: str, username: str | None, *, from_stdin: bool) -> str | None:
    """The password or token that the tracker is read with; None: it is read without."""
    if username is not None:
        return read_password(f"Password of {username} at {url}: ", from_stdin=from_stdin)
    if from_stdin:
        return read_password("", from_stdin=True)
    if features.credential != "token":
        return None
    how = textwrap.fill(features.secret_help, shutil.get_terminal_size().columns - 1)
    return read_password(f"{how}\nToken (none: Enter): ".lstrip(), from_stdin=False)


def _proxy(given: str | None, program: Program) -> tuple[str | None, str | None]:
    """A proxy's address and password, as they are stored."""
    from crawler.errors import UsageError
    from crawler.http.proxy import Proxy, read_proxy

    if not given:
        return None, None
    url, password = read_proxy(given)
    if password is not None:
        raise UsageError(
            "The proxy's password must not be in its address, where others see it: "
            "give the name alone and the password at the prompt, or in IMS_PROXY_PASSWORD."
        )
    username = Proxy(url=url).username
    if username is None:
        return url, None
    password = program.settings.proxy_password or read_password(
        f"Password of {username} at the proxy: ", from_stdin=False
    )
    if password is None:
        raise UsageError(
            f"The password of {username} at the proxy is missing: give it at the prompt, "
            "or in IMS_PROXY_PASSWORD."
        )
    return url, password


def _shown(value: object) -> str:
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"
