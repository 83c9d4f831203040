"""``favorites``: searches saved under a name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.arguments import Everybody, favorites
from cli.confirm import Exact, Yes
from cli.filter_options import Given, with_filters
from cli.output import invocation, print_json, print_table, tell_done
from cli.query_words import Query, QueryCommand, joined
from cli.search_results import AsCsv, AsJson, Limit, Offset, Open, Raw, Shape

app = typer.Typer(help="Save searches under a name and run them again.")

Name = Annotated[str, typer.Argument(help="the favorite's name", autocompletion=favorites)]


@app.command("add", cls=QueryCommand)
@with_filters
def add(
    name: Annotated[str, typer.Argument(help="a name of your choice")],
    query: Query,
    notify: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="tell of each new hit once: a command by its name in notify.toml of the worker's data "
            "folder, which gets the hits as JSON on its input (no shell)",
        ),
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="tell of each new hit once: an http(s) address that gets the hits by POST; - reads it from "
            "standard input, for it may be a secret",
        ),
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option(
            metavar="CRON",
            help="with --notify or --webhook: all new hits together at these times, such as '0 9 * * 1-5'; "
            "without it within a minute",
        ),
    ] = None,
    timezone: Annotated[str, typer.Option(help="time zone of --digest, such as Asia/Seoul")] = "UTC",
    as_json: AsJson = False,
    *,
    filters: Given,
) -> None:
    """Keep a search and its filters under a name, and say who is told of new hits.

    Adding a name again changes it. Relative times such as 7d are counted from the day of each run.
    """
    from shlex import quote

    from cli.passwords import read_password
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.jobs.alerts import NewAlert, check_alert, set_alert
    from pipeline.search.favorites import Favorite, add_favorite

    if webhook == "-":
        webhook = read_password("", from_stdin=True)
    alert = NewAlert(notify=notify, webhook=webhook, digest=digest, timezone=timezone)
    check_alert(alert)
    tracker, product = filters.pop("tracker", None), filters.pop("product", None)
    new = Favorite(name=name, query=joined(query), tracker=tracker, product=product, options=filters)
    program = start()
    with get_session(user_id=program.user_id) as session:
        add_favorite(session, new)
        set_alert(session, name, alert, program.vault if webhook else None, program.home)
    refresh(program.user_id)
    told = f" New hits are told by a worker: {invocation()} worker." if notify or webhook else ""
    tell_done(
        f"Favorite {name} is saved. Run it with: {invocation()} favorites run {quote(name)}.{told}",
        {"name": name, "query": new.query, "tracker": tracker, "product": product, "options": filters},
        as_json=as_json,
    )


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="skip this many")] = 0,
    as_json: AsJson = False,
) -> None:
    """List your saved searches."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.search.favorites import list_favorites

    program = start()
    with get_session(user_id=program.user_id) as session:
        rows = list_favorites(session, limit=limit, offset=offset)
    refresh(program.user_id)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("name", "query", "tracker", "product", "filters", "saved", "alert"),
        [
            (
                row["name"],
                row["query"],
                row["tracker"],
                row["product"],
                " ".join(f"--{name.replace('_', '-')} {value}" for name, value in row["options"].items()),
                row["created_at"],
                _alert(row["alert"]),
            )
            for row in rows
        ],
        empty="There are no favorites yet. Save a search with: favorites add NAME QUERY.",
    )


@app.command("remove")
def remove(name: Name, as_json: AsJson = False) -> None:
    """Delete a saved search."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.search.favorites import remove_favorite

    program = start()
    with get_session(user_id=program.user_id) as session:
        remove_favorite(session, name)
    refresh(program.user_id)
    tell_done(f"Favorite {name} is removed.", {"name": name, "removed": True}, as_json=as_json)


@app.command("run")
@with_filters
def run(
    name: Name,
    limit: Limit = 20,
    offset: Offset = 0,
    exact: Exact = False,
    yes: Yes = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    raw: Raw = False,
    opened: Open = None,
    everybody: Everybody = False,
    *,
    filters: Given,
) -> None:
    """Run a saved search. Filters that are given here replace its own."""
    from cli.search import run_search
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.search.favorites import read_favorite

    program = start()
    with get_session(user_id=program.user_id) as session:
        saved = read_favorite(session, name)
    own = {"product": saved.product, "tracker": saved.tracker, **saved.options}
    given = {key: value for key, value in own.items() if value is not None and not _is_replaced(key, filters)}
    shape = Shape(as_json=as_json, as_csv=as_csv, raw=raw, opened=opened, offset=offset)
    run_search(saved.query, given | filters, shape, limit=limit, exact=exact, yes=yes, everybody=everybody)


def _alert(alert: dict[str, Any] | None) -> str:
    if alert is None:
        return ""
    whom = " and ".join(filter(None, (alert["notify"], alert["webhook"])))
    when = f", {alert['digest']} {alert['timezone']}" if alert["digest"] else ""
    return f"{whom}{when}{'. ' + alert['error'] if alert['error'] else ''}"


def _is_replaced(name: str, filters: Given) -> bool:
    """Tell whether a filter given now is about the same; three of them are about the last change."""
    changed = {"updated", "since", "until"}
    return name in filters or (name in changed and bool(changed & filters.keys()))
