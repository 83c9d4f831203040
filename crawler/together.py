"""Questions that do not wait for each other's answers; the client holds how many are on their way at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

Answer = TypeVar("Answer")


async def together(questions: Sequence[Awaitable[Answer]]) -> list[Answer]:
    """All answers, in the order of the questions.

    Raises the first error in that order, when every question has ended: none goes on unseen.
    """
    tasks = [asyncio.ensure_future(question) for question in questions]
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]  # an answer may be an error that was not raised
