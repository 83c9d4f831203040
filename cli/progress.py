"""Progress of a crawl: a bar on a terminal, a plain log line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import structlog

from pipeline.stages.counts import Observer, RunCounts

LINE_EVERY = 5.0  # seconds between two log lines

log = structlog.get_logger(__name__)


@contextmanager
def shown(title: str, *, quiet: bool = False) -> Iterator[Observer]:
    """Give an observer that shows the totals of a session until the block ends."""
    if quiet or not sys.stderr.isatty():
        yield _Lines(silent=quiet)
    else:
        with _bar(title) as observer:
            yield observer


class _Lines:
    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._last = monotonic()

    def __call__(self, counts: RunCounts) -> None:
        now = monotonic()
        if self._silent or now - self._last < LINE_EVERY:
            return
        self._last = now
        log.info(
            "crawling",
            found=counts.found,
            total=counts.tracker_total,
            stored=counts.crawled,
            failed=counts.failed,
        )


@contextmanager
def _bar(title: str) -> Iterator[Observer]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cli.output import console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, note="")

        def observe(counts: RunCounts) -> None:
            found = counts.found + counts.related
            total = max(found, counts.tracker_total or 0) if not counts.search_done else found
            progress.update(task, completed=counts.settled, total=total or None, note=_note(counts))

        yield observe


def _note(counts: RunCounts) -> str:
    if counts.stall is not None:
        return counts.stall
    parts = [f"{counts.new} new", f"{counts.changed} changed"]
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    return ", ".join(parts)
