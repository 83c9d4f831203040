"""Progress of a crawl: a bar on a terminal, a plain log line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from db.log_library import structlog
from pipeline.stages.counts import Observer, RunCounts

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

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
        files = counts.files
        if files.files:
            log.info(
                "fetching attached files",
                files=files.done + files.failed,
                of=files.files,
                bytes=files.bytes_done,
                of_bytes=max(files.bytes, files.bytes_done),
            )
            return
        log.info(
            "crawling",
            found=counts.found,
            total=counts.tracker_total,
            stored=counts.crawled,
            failed=counts.failed,
        )


@contextmanager
def _bar(title: str) -> Iterator[Observer]:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    from cli.output import console

    class Amount(ProgressColumn):
        """Issues, or the bytes of files."""

        def render(self, task: Task) -> Text:
            column = (
                DownloadColumn(binary_units=True) if task.fields.get("in_bytes") else MofNCompleteColumn()
            )
            return column.render(task)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        Amount(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None, note="")
        show_files = _file_bar(progress)

        def observe(counts: RunCounts) -> None:
            found = counts.found + counts.related
            total = max(found, counts.tracker_total or 0) if not counts.search_done else found
            progress.update(task, completed=counts.settled, total=total or None, note=_note(counts))
            if counts.files.files or counts.files.to_read:
                show_files(counts)

        yield observe


def _file_bar(progress: Progress) -> Observer:
    """A second line that shows the bytes of attached files, from the first one on."""
    task: TaskID | None = None

    def show(counts: RunCounts) -> None:
        nonlocal task
        files = counts.files
        if task is None:
            task = progress.add_task("attached files", total=None, note="", in_bytes=True)
        # What the tracker did not announce is known when it is here.
        total = max(files.bytes, files.bytes_done)
        parts = [f"{files.done + files.failed} of {files.files} files"]
        parts += [f"{files.skipped} left out"] if files.skipped else []
        parts += [f"{files.failed} failed"] if files.failed else []
        parts += [f"{files.read} of {files.to_read} read"] if files.to_read else []
        progress.update(task, completed=files.bytes_done, total=total or None, note=", ".join(parts))

    return show


def _note(counts: RunCounts) -> str:
    if counts.stall is not None:
        return counts.stall
    parts = [f"{counts.new} new", f"{counts.changed} changed"]
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    return ", ".join(parts)
