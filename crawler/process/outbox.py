"""What a tracker process has to say, put together where it comes together: one write for many messages."""

from __future__ import annotations

import asyncio

from crawler.http.stats import ClientStats
from crawler.process.messages import Message, Spent, frame


class Outbox:
    """Messages on their way to the coordinator.

    Args:
        writer: of the channel.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: list[bytes] = []
        self.stats = ClientStats()  # told before what follows, whenever they have grown
        self._told = Spent(requests=0, retries=0, bytes=0, wait_seconds=0.0)

    def put(self, message: Message) -> None:
        """Send a message, together with what else is said now.

        Raises:
            PageTooLarge: it is larger than a frame may be.
        """
        body = frame(message)
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(body)

    async def drain(self) -> None:
        """Wait until the coordinator has taken most of what was said."""
        if self._waiting:
            await asyncio.sleep(0)  # until it is written
        await self._writer.drain()

    def _flush(self) -> None:
        stats = self.stats
        spent = Spent(
            requests=stats.requests,
            retries=stats.retries,
            bytes=stats.bytes,
            wait_seconds=stats.wait_seconds,
        )
        if spent != self._told:
            self._told = spent
            self._waiting.insert(0, frame(spent))
        waiting, self._waiting = self._waiting, []
        self._writer.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
