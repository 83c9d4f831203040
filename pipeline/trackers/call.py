"""A request to a tracker process that waits for its answer, or for the parts of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crawler.process.messages import (
    Answer,
    BrokenFrame,
    Close,
    CommentBlock,
    Failed,
    Fault,
    FileBegun,
    Gathered,
    Listed,
    Login,
    More,
    Piece,
    Request,
    error_of,
)
from pipeline.trackers.child import Child

A = TypeVar("A", bound=Answer)


class ProcessEnded(Exception):
    """The process ended before it answered.

    Args:
        how: crashed, hung or lied; None: it was not this request's doing.
    """

    def __init__(self, how: str | None) -> None:
        super().__init__(how)
        self.how = how


class Call:
    """One request.

    Args:
        request: with its number.
        start: gives the process to ask.
    """

    def __init__(self, request: Request, start: Callable[[], Awaitable[Child]]) -> None:
        self._request = request
        self._start = start
        self._child: Child | None = None
        self._answers: asyncio.Queue[Answer | Exception] = asyncio.Queue(maxsize=1)
        self._failure: Exception | None = None
        self._is_open = False
        self._gathered = Gathered()

    @property
    def is_login(self) -> bool:
        """Whether a login was asked for, and nothing else."""
        return isinstance(self._request, Login)

    async def begin(self) -> None:
        """Ask the process, which is started where there is none."""
        self._child = await self._start()
        self._child.send(self._request)
        self._is_open = True

    def go_on(self) -> None:
        """Ask for the next part."""
        if self._child is not None:
            self._child.send(More(number=self._request.number))

    def take(self, answer: Answer) -> None:
        """Take the answer, or the next part of it.

        Raises:
            BrokenFrame: nobody asked for more.
        """
        if self._answers.full():
            raise BrokenFrame("A process says more than it was asked for.")
        if isinstance(answer, CommentBlock):
            self._gathered.take(answer)
        else:
            self._answers.put_nowait(self._gathered.put_into(answer))

    def fail(self, error: Exception) -> None:
        """Nothing more will come but what is here already."""
        self._is_open = False
        self._failure = error
        if not self._answers.full():
            self._answers.put_nowait(error)

    async def answer(self, *kinds: type[A]) -> A:
        """Wait for the answer or the next part of it."""
        if self._failure is not None and self._answers.empty():
            raise self._failure
        answer = await self._answers.get()
        if isinstance(answer, Exception):
            raise answer
        self._is_open = self._failure is None and isinstance(answer, Listed | FileBegun | Piece)
        if isinstance(answer, Failed):
            raise _error(answer.fault)
        if not isinstance(answer, kinds):
            raise RuntimeError(f"The tracker process answered {type(answer).__name__}.")
        return answer

    def close(self) -> None:
        """Let the process know that nobody waits any more, where it may not know."""
        if self._is_open and self._child is not None:
            self._child.send(Close(number=self._request.number))


def _error(fault: Fault) -> Exception:
    return error_of(fault) if fault.name else RuntimeError(fault.sentence)
