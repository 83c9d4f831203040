"""``schedule``: crawls at set times, done by workers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.arguments import (
    Attachments,
    AttachmentsKind,
    AttachmentsMax,
    AttachmentsNot,
    products,
    schedules,
    trackers,
)
from cli.confirm import Yes, confirm
from cli.output import complain, invocation, one_line, print_json, print_table, say, tell_done
from cli.query_words import QueryCommand, joined

app = typer.Typer(help="Manage scheduled crawls.")

Name = Annotated[str, typer.Argument(help="the schedule's name", autocompletion=schedules)]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]


@app.command("add", cls=QueryCommand)
def add(
    name: Annotated[str, typer.Argument(help="a name of your choice")],
    query: Annotated[
        list[str],
        typer.Argument(metavar="QUERY", help="what to look for, as search takes it; '*' for everything"),
    ],
    cron: Annotated[
        str, typer.Option(help="minute hour day month weekday: '0 2 * * *' is every night at two")
    ],
    tracker: Annotated[
        str | None,
        typer.Option(
            help="a stored tracker, by its name; may be left out if it is the only one",
            autocompletion=trackers,
        ),
    ] = None,
    product: Annotated[
        str | None, typer.Option(help="only this product, component or family", autocompletion=products)
    ] = None,
    timezone: Annotated[str, typer.Option(help="time zone of --cron, such as Asia/Seoul")] = "UTC",
    attachments: Attachments = False,
    attachments_max: AttachmentsMax = None,
    attachments_kind: AttachmentsKind = None,
    attachments_not: AttachmentsNot = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="requests at once of each worker; default: the tracker's concurrency"
        ),
    ] = None,
    notify: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="a command by its name in notify.toml of the worker's data folder; it gets the news as JSON "
            "on its input (no shell)",
        ),
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="an http(s) address that gets the news by POST")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Add a scheduled crawl: each run fetches what changed since the one before.

    Adding a name again changes it.
    """
    from db import get_session
    from pipeline.attachments.limits import Limits, read_limits
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.jobs.commands import COMMANDS_FILE, read_commands
    from pipeline.jobs.cron import check
    from pipeline.jobs.schedules import NewSchedule, add_schedule
    from pipeline.search.question import adapt_to_kind, ask

    check(cron, timezone)
    limits = read_limits(attachments_max, attachments_kind or (), attachments_not or ())
    program = start()
    question = ask(joined(query).strip() or "*", program.settings, home=program.home, exact=True)
    connection = program.find_tracker(tracker)
    question = adapt_to_kind(connection.kind, question, program.settings, home=program.home)
    confirm(question, yes=yes)
    new = NewSchedule(
        name=name,
        query=question.original,
        parsed=question.parsed,
        tracker_id=connection.tracker_id,
        product=product,
        cron=cron,
        timezone=timezone,
        attachments=attachments or limits != Limits(),
        limits=limits,
        workers=workers,
        notify=notify,
        webhook=webhook,
    )
    known = read_commands(program.home) if notify is not None else {}
    with get_session(user_id=program.user_id) as session:
        due = add_schedule(session, new, program.vault).next_run_at
    if notify is not None and notify not in known:
        complain(
            f"{program.home / COMMANDS_FILE} has no command {notify}: the worker that runs this needs one."
        )
    refresh(program.user_id)
    tell_done(
        f"Schedule {name} is saved. Its next run is at {due:%Y-%m-%d %H:%M} UTC; "
        f"runs are done by a worker: {invocation()} worker",
        {"name": name, "query": new.query, "cron": cron, "timezone": timezone, "next_run_at": due},
        as_json=as_json,
    )


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="skip this many")] = 0,
    as_json: AsJson = False,
) -> None:
    """List your schedules."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.jobs.schedules import list_schedules

    program = start()
    with get_session(user_id=program.user_id) as session:
        rows = list_schedules(session, limit=limit, offset=offset)
    refresh(program.user_id)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("name", "query", "tracker", "product", "cron", "time zone", "next run"),
        [(*list(row.values())[:6], row["next_run_at"] if row["is_active"] else "paused") for row in rows],
        empty="There are no schedules yet. Add one with: schedule add NAME QUERY --cron CRON.",
    )


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a schedule, how its runs went, and whether it keeps failing."""
    from db import get_session
    from pipeline.attachments.limits import told
    from pipeline.bootstrap import start
    from pipeline.jobs.runs import list_runs, statistics
    from pipeline.jobs.schedules import MARKED_FROM, find_schedule, newest_failure_to_tell, webhook_site

    program = start()
    with get_session(user_id=program.user_id) as session:
        row = find_schedule(session, name)
        facts: dict[str, Any] = {
            "name": row.name,
            "query": row.query,
            "tracker": row.tracker.name if row.tracker is not None else None,
            "product": row.product,
            "cron": row.cron,
            "timezone": row.timezone,
            "next_run_at": row.next_run_at,
            "is_active": row.is_active,
            "failures": row.failures,
            "failing": row.failures >= MARKED_FROM,
            "attachments": told(row.options),
            "notify": row.options.get("notify"),
            "webhook": webhook_site(row),
            "notification_failure": newest_failure_to_tell(session, row),
            "statistics": next(iter(statistics(session, row.name)), None),
            "last_run": next(iter(list_runs(session, row.name, limit=1)), None),
        }
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            say(f"{key.replace('_', ' ')}")
            for inner, each in value.items():
                if inner != "name":
                    say(f"  {inner.replace('_', ' '):<22} {one_line(str(each)) if each is not None else ''}")
        else:
            say(f"{key.replace('_', ' '):<15} {one_line(str(value)) if value is not None else ''}")


@app.command("pause")
def pause(name: Name, as_json: AsJson = False) -> None:
    """Pause a schedule; a run in progress continues."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.jobs import schedules

    program = start()
    with get_session(user_id=program.user_id) as session:
        schedules.pause(session, name)
    tell_done(f"Schedule {name} is paused.", {"name": name, "is_active": False}, as_json=as_json)


@app.command("resume")
def resume(name: Name, as_json: AsJson = False) -> None:
    """Resume a paused schedule."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.jobs import schedules

    program = start()
    with get_session(user_id=program.user_id) as session:
        schedules.resume(session, name)
    tell_done(f"Schedule {name} runs again.", {"name": name, "is_active": True}, as_json=as_json)


@app.command("remove")
def remove(name: Name, as_json: AsJson = False) -> None:
    """Delete a schedule and the list of its runs; the issues that they stored stay."""
    from db import get_session
    from pipeline.bootstrap import start
    from pipeline.completion import refresh
    from pipeline.jobs import schedules

    program = start()
    with get_session(user_id=program.user_id) as session:
        schedules.remove(session, name)
    refresh(program.user_id)
    tell_done(f"Schedule {name} is removed.", {"name": name, "removed": True}, as_json=as_json)


@app.command("run")
def run(name: Name, as_json: AsJson = False) -> None:
    """Run a schedule now and wait for the end; a run that is in progress is joined."""
    from cli.crawl import print_figures
    from cli.exit_codes import FAILED_ISSUES, INTERRUPTED, status_of_name
    from pipeline.bootstrap import start
    from pipeline.jobs.run_now import run_now
    from pipeline.jobs.runs import WORKING
    from pipeline.logs import redact

    ended = run_now(start(), name)
    if ended.figures is not None:
        if as_json:
            print_json(ended.figures)
        else:
            print_figures(ended.figures)
    if ended.status in WORKING:
        complain("Interrupted. A worker continues the run, or the same command does.")
        raise typer.Exit(INTERRUPTED)
    if ended.error is not None:
        complain(redact(ended.error))
    if ended.status != "completed":
        raise typer.Exit(status_of_name(ended.error_type) or FAILED_ISSUES)
    if ended.figures is not None and ended.figures["failed_issues"]:
        raise typer.Exit(FAILED_ISSUES)
