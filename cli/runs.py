"""``runs`` and ``news``: what schedules did, and what they found."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.arguments import Everybody, schedules
from cli.output import print_json, print_table, say

Name = Annotated[str | None, typer.Argument(help="of this schedule only", autocompletion=schedules)]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="at most this many")]
Offset = Annotated[int, typer.Option(min=0, help="skip this many")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document")]


def runs(
    name: Name = None,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="for each schedule: runs, successes, failures, durations")
    ] = False,
    limit: Limit = 20,
    offset: Offset = 0,
    everybody: Everybody = False,
    as_json: AsJson = False,
) -> None:
    """List the runs of your schedules, the newest first."""
    from db import get_session
    from db.acting import acting_for
    from pipeline.bootstrap import start
    from pipeline.jobs import runs as pipeline_runs
    from pipeline.jobs.news import known_name

    program = start()
    part = {"limit": limit, "offset": offset}
    with acting_for(program.user_id, everybody=everybody) as acting:
        wanted = known_name(acting, name, everybody=everybody) if name is not None else None
    with get_session(program.user_id, everybody=everybody) as session:
        if statistics:
            rows, figures = [], pipeline_runs.statistics(session, wanted, **part, everybody=everybody)
        else:
            rows = pipeline_runs.list_runs(session, wanted, **part, everybody=everybody)
            figures = pipeline_runs.statistics(session, wanted, everybody=everybody) if wanted else []
    _note_missing_worker(rows)
    if as_json:
        print_json(figures if statistics else rows)
        return
    owner = ("owner_user",) if everybody else ()
    if not statistics:
        print_table(
            (
                "schedule",
                "session",
                "status",
                "started",
                "seconds>",
                "stored>",
                "new>",
                "changed>",
                "error or wait",
                *owner,
            ),
            [
                (
                    row["name"],
                    row["session_uuid"],
                    row["status"],
                    row["started_at"] or row["due_at"],
                    row["duration_seconds"],
                    row["issues_crawled"],
                    row["issues_new"],
                    row["issues_changed"],
                    row["error"] or row["waits_for"],
                    *(row[name] for name in owner),
                )
                for row in rows
            ],
            empty="There are no runs yet. A worker does them, or: schedule run NAME.",
        )
    if figures:
        say()
        print_table(
            ("schedule", "total>", "success>", "failed>", "skipped>", "average s>", "p95 s>", *owner),
            [list(row.values()) for row in figures],
            empty="",
        )


def _note_missing_worker(rows: list[dict[str, Any]]) -> None:
    """Say of runs that wait though no worker is there that they wait for one."""
    waiting = [row for row in rows if row["status"] == "waiting"]
    if not waiting:
        return
    from pipeline.jobs.worker import count_workers  # with the queue's machinery, which a list does not need

    if not count_workers():
        for row in waiting:
            row["waits_for"] = "no worker is running: start one with worker"


def news(
    name: Name = None,
    limit: Limit = 100,
    offset: Offset = 0,
    everybody: Everybody = False,
    as_json: AsJson = False,
) -> None:
    """List the issues that the newest run of each schedule found new or changed, and what is gone since.

    What is gone a census tells: crawl '*' --census.
    """
    from db.acting import acting_for
    from pipeline.bootstrap import start
    from pipeline.jobs.news import known_name, list_gone, list_news, tell_gone

    program = start(asks_only=True)
    with acting_for(program.user_id, everybody=everybody) as acting:
        wanted = known_name(acting, name, everybody=everybody) if name is not None else None
        rows = list_news(acting, wanted, limit=limit, offset=offset, everybody=everybody)
        gone = list_gone(acting, wanted, everybody=everybody)
    if offset == 0:
        rows += gone[: max(limit - len(rows), 0)]
    if as_json:
        print_json(rows)
        return
    columns = ("schedule", "issue_id", "tracker", "title", "product", "status", "change")
    owner = ("owner_user",) if everybody else ()
    print_table(
        (*(name.removesuffix("_id") for name in columns), *owner),
        [
            [row[name] if name != "change" else row.get("reason") or row[name] for name in (*columns, *owner)]
            for row in rows
        ],
        empty="No new or changed issues.",
    )
    if told := tell_gone(gone):
        say(told)
