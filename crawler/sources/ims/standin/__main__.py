"""Run the stand-in as a program: its address on the first line, until a signal or the end of stdin."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence

from crawler.sources.ims.standin.app import StandIn


def read_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m crawler.sources.ims.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 (the default) takes a free one")
    parser.add_argument(
        "--issues",
        type=int,
        default=None,
        help="serve this many generated issues in place of the written ones",
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait so long before each answer")
    parser.add_argument("--until-eof", action="store_true", help="stop as well when stdin is closed")
    return parser.parse_args(argv)


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal comes, or stdin ends where that was asked for."""
    latency = arguments.latency_ms / 1000
    if arguments.issues is None:
        tracker = StandIn.demo(port=arguments.port, latency=latency)
    else:
        tracker = StandIn(synthetic=arguments.issues, port=arguments.port, latency=latency)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if arguments.until_eof:
        # a thread, since not everything that stdin can be is able to wake an event loop
        threading.Thread(target=_read_to_end, args=(loop, stopped), daemon=True).start()
    async with tracker:
        sys.stdout.write(f"{tracker.url}\n")
        sys.stdout.flush()
        await stopped.wait()


def _read_to_end(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop may be gone already
        loop.call_soon_threadsafe(stopped.set)


if __name__ == "__main__":
    asyncio.run(serve(read_arguments()))
