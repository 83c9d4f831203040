"""``worker`` and ``workers``: who does what is scheduled."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import complain, print_json, print_table


def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="jobs at once")] = 2,
    lease_timeout: Annotated[
        float,
        typer.Option(
            min=1, max=3600, help="seconds without a heartbeat before another worker's jobs are taken over"
        ),
    ] = 30.0,
    allow_network: Annotated[
        list[str] | None,
        typer.Option(
            help="a network of your own, such as 10.20.0.0/16, where webhooks and other users' trackers may "
            "be; else only public addresses (or IMS_ALLOW_NETWORKS)"
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="do what is due, then end")] = False,
) -> None:
    """Run scheduled crawls for all users until stopped; start as many workers as you like, on any machine.

    With --once the exit status is 3 if a login was refused, 4 if issues failed, and 5 if a tracker was
    unreachable.
    Each needs the same DATABASE_URL and IMS_SECRET_KEY. Ctrl-C or SIGTERM: what is in hand is finished and
    committed, the rest is left to others; a second one stops at once.
    """
    import asyncio
    from dataclasses import replace

    from cli.exit_codes import FAILED_ISSUES, INTERRUPTED, sentence, status_of
    from crawler.http.reach import networks
    from db import job_queue
    from pipeline.bootstrap import start
    from pipeline.jobs.retry import SOON
    from pipeline.jobs.worker import serve

    program = start()
    if allow_network:
        settings = replace(program.settings, allow_networks=networks(allow_network))
        program = replace(program, settings=settings)
    _ = program.vault  # a key that is none is better told now than in every run

    def is_over() -> bool:
        due = job_queue.due(1) or job_queue.due_alerts(1)
        return not due and job_queue.unfinished(SOON) == 0

    complain("The worker is ready.")
    try:
        ended = asyncio.run(
            serve(
                program,
                concurrency=concurrency,
                lease_timeout=lease_timeout,
                until=is_over if once else None,
                once=once,
            )
        )
    except asyncio.CancelledError as error:
        raise typer.Exit(INTERRUPTED) from error
    if once and ended.failures:
        for failure in ended.failures:
            complain(f"A run failed: {sentence(failure)}")
        raise typer.Exit(max(status_of(failure) or 1 for failure in ended.failures))
    if once and ended.failed_issues:
        complain(f"{ended.failed_issues:,} issues failed: see runs, and the receipt of each session.")
        raise typer.Exit(FAILED_ISSUES)


def workers(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="at most this many")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="skip this many")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """List the workers with their state (idle, working, stopping, lost) and last heartbeat."""
    from db.job_queue import list_workers
    from pipeline.bootstrap import start
    from pipeline.jobs.worker import LEASE_TIMEOUT

    start()
    rows = list_workers(lease_timeout=LEASE_TIMEOUT, limit=limit, offset=offset)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("worker", "state", "jobs>", "concurrency>", "started", "last heartbeat", "wait"),
        [list(row.values()) for row in rows],
        empty="No worker is running. Start one with: worker.",
    )
