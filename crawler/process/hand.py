"""What a tracker process has in hand at this moment, in memory that its coordinator can see.

A regular expression or a C parser over a hostile page answers nobody, neither a signal handler nor a thread.
So whoever works for a request leaves the request's number in shared memory at every step of its task, and
takes it away when the task waits. A process that dies is asked for the number, a process whose number stays
the same for too long is ended; both cost no system call, and cover headers, redirects and lists as well as
the pages of issues.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from types import coroutine
from typing import Any, NamedTuple

SIZE = 16  # bytes
NOTHING, SOMETHING, LOGIN, FIRST = 0, 1, 2, 3  # numbers that are no request's, and the first one that is

_FORMAT = "QQ"
_number: ContextVar[int] = ContextVar("_number", default=SOMETHING)


class Sight(NamedTuple):
    """What is seen from outside."""

    number: int  # of the request
    step: int  # how many steps of tasks there have been


def look(memory: mmap.mmap) -> Sight:
    """See what the process has in hand."""
    return Sight._make(struct.unpack_from(_FORMAT, memory))


class Hand:
    """The process's side.

    Args:
        memory: shared with the coordinator, SIZE bytes.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        self._cells = memoryview(memory).cast("Q")

    @contextmanager
    def working_on(self, number: int) -> Iterator[None]:
        """Tasks that are made within the block, and by those tasks, work for this request."""
        token = _number.set(number)
        try:
            yield
        finally:
            _number.reset(token)

    def make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        doing: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        *,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        """A task factory whose tasks leave their number while they run."""
        return asyncio.Task(self._shown(doing, _number.get()), loop=loop, context=context)

    async def _shown(self, doing: Any, number: int) -> Any:
        return await self._steps(doing, number)

    @coroutine
    def _steps(self, doing: Any, number: int) -> Generator[Any, Any, Any]:
        cells = self._cells
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            cells[1] += 1
            cells[0] = number
            try:
                awaited = doing.send(sent) if thrown is None else doing.throw(thrown)
            except StopIteration as stop:
                return stop.value
            finally:
                cells[0] = NOTHING
            try:
                sent, thrown = (yield awaited), None
            except BaseException as error:  # a cancellation, on its way to the task
                thrown = error
