"""The tracker process's program: frames on standard input, which is a socket, answers on the same.

Its arguments are the folders to import from, the coordinator's process id, and the descriptor of the memory
that shows what it has in hand (:mod:`crawler.process.hand`).
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import os
import socket
import sys
from contextlib import suppress

from msgspec import msgpack

from crawler.http.origin import Origin
from crawler.process.hand import SIZE, Hand
from crawler.process.isolation import die_with, limit_memory, needs_of_a_tracker, wall_in
from crawler.process.messages import Open, ToProcess, read_frame
from crawler.process.outbox import Outbox
from crawler.process.session import Session

_GARBAGE = 20_000  # objects; a page of 50 kB makes about 3,000


def main(parent: int, memory: int) -> None:
    """Answer frame by frame until the coordinator has ended."""
    die_with(parent)
    limit_memory()
    channel = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # whatever a parser may read must not come from the frames
    os.close(nothing)
    hand = Hand(mmap.mmap(memory, SIZE))
    os.close(memory)
    with suppress(
        asyncio.IncompleteReadError, OSError
    ):  # the coordinator has ended, nobody is left to be told
        asyncio.run(_serve(channel, hand))
    sys.stderr.flush()
    os._exit(0)  # connections and whatever third parties left behind need no farewell


async def _serve(channel: socket.socket, hand: Hand) -> None:
    asyncio.get_running_loop().set_task_factory(hand.make_task)
    reader, writer = await asyncio.open_connection(sock=channel, limit=1 << 20)
    decoder = msgpack.Decoder(ToProcess)
    opened = await read_frame(reader, decoder)
    if not isinstance(opened, Open):
        raise TypeError(f"the first frame is {type(opened).__name__}")
    async with Session(opened, Outbox(writer), hand) as session:
        _collect_less_often()
        wall_in(*needs_of_a_tracker(session.kind, _port(opened) if opened.network else None))
        while True:
            session.take(await read_frame(reader, decoder))


def _port(opened: Open) -> int | None:
    """The port of TCP that is connected to."""
    return opened.proxy.port if opened.proxy is not None else Origin(opened.connection.base_url).port


def _collect_less_often() -> None:
    """Leave the modules out of every collection of garbage, and wait for a page's worth of it."""
    gc.freeze()  # what they left behind, too: to look for it takes longer than it is worth
    gc.set_threshold(_GARBAGE)
    gc.enable()
