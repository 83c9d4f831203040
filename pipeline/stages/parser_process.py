"""Reading pages beside the crawl: a process of its own takes the work, and the blame."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from crawler.errors import PageRejected
from crawler.records import IssueRecord
from crawler.source import Connection, RawPage
from pipeline.stages.parser_child import HEAD, Answer, frame

SECONDS = 60.0  # that one issue may take; the slow engine needs one for a very broken page of usual length

_MOST_BARREN = 3
_LARGEST = 1 << 20  # bytes that wait in our buffer before the process must wait

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from pipeline.stages.parser_child import main
main()
"""

log = structlog.get_logger(__name__)

_Job = tuple[bytes, "asyncio.Future[Answer]"]


class Parser:
    """Reads issues in another process, in the order they come; an async context manager.

    A page that kills the process, or takes too long, is rejected, and a new process reads the next one.

    Args:
        kind: of the tracker.
        connection: of the tracker; name and password stay here.
        seconds: that one issue may take.
    """

    def __init__(self, kind: str, connection: Connection, *, seconds: float = SECONDS) -> None:
        self._greeting = frame((kind, replace(connection, username=None, password=None)))
        self._seconds = seconds
        self._jobs: deque[_Job] = deque()  # not yet answered, the one that is being read first
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._receiver: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._barren = 0  # processes in a row that died before any answer

    async def __aenter__(self) -> Self:
        await self._be_started()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disarm()
        if self._receiver is not None:
            self._receiver.cancel()
            await asyncio.gather(self._receiver, return_exceptions=True)
        process, self._process = self._process, None
        if process is not None:
            await _kill(process)
        while self._jobs:
            self._jobs.popleft()[1].cancel()

    async def parse(self, pages: Sequence[RawPage]) -> IssueRecord:
        """Read one issue.

        Raises:
            PageRejected: the pages cannot be read, or no process survives reading them.
            CrawlError: as the source's parser raises.
        """
        job: _Job = (frame(tuple(pages)), asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        if self._process is None:
            await self._be_started()
        else:
            self._write(self._process, job[0])
            if len(self._jobs) == 1:
                self._arm()
        answer = await job[1]
        if answer.trace is not None:
            log.error("the parser failed", trace=answer.trace)
        if answer.record is None:
            raise answer.error or PageRejected("The parser gave no answer.")
        return answer.record

    async def _be_started(self) -> None:
        """Have a process, and give a new one all that waits."""
        async with self._starting:
            if self._process is not None:
                return
            process = await asyncio.create_subprocess_exec(
                *reader_command(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=_environment(),
                limit=_LARGEST,
                start_new_session=True,  # Ctrl-C is for us: what is in hand is finished first
            )
            self._process = process
            self._write(process, self._greeting)
            for job in self._jobs:
                self._write(process, job[0])
            self._receiver = asyncio.create_task(self._receive(process))
            self._arm()

    def _write(self, process: asyncio.subprocess.Process, data: bytes) -> None:
        # Not drained: as many pages wait here as there are workers, which is what they would wait for anyway.
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(data)

    async def _receive(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            while True:
                head = await process.stdout.readexactly(HEAD)
                body = await process.stdout.readexactly(int.from_bytes(head, "big"))
                answer = pickle.loads(body)  # noqa: S301 - our own child's
                self._barren = 0
                self._answer(answer)
                self._arm()
        except asyncio.IncompleteReadError:
            await self._replace(process)
        except Exception as error:
            # Whoever waits must not wait for ever.
            self._give_up(error)

    async def _replace(self, process: asyncio.subprocess.Process) -> None:
        """The page that was being read is the one to blame; the others get another process."""
        late = self._alarm is None and bool(self._jobs)
        self._disarm()
        await _kill(process)
        self._process = None
        self._barren += 1
        if self._barren >= _MOST_BARREN:
            self._give_up(RuntimeError("No parser process stays alive."))
        elif self._jobs:
            self._answer(
                Answer(error=PageRejected(f"The parser {'hung' if late else 'crashed'} over the page."))
            )
            if self._jobs:
                await self._be_started()

    def _give_up(self, error: Exception) -> None:
        while self._jobs:
            _, future = self._jobs.popleft()
            if not future.done():
                future.set_exception(error)

    def _answer(self, answer: Answer) -> None:
        _, future = self._jobs.popleft()
        if not future.done():
            future.set_result(answer)

    def _arm(self) -> None:
        """Give the page that is being read its time."""
        self._disarm()
        if self._jobs:
            self._alarm = asyncio.get_running_loop().call_later(self._seconds, self._ring)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


def reader_command() -> list[str]:
    """The reader's command line: it imports from where this process does, never from the current folder."""
    # -P keeps the current folder away even from what is imported before our own line runs. A path that is
    # relative means the current folder, too.
    paths = [path for path in sys.path if Path(path).is_absolute()]
    return [sys.executable, "-P", "-c", _START, json.dumps(paths)]


def _environment() -> dict[str, str]:
    """What the process needs of ours; no secret is among it, nor a variable that Python heeds."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
