"""The program that reads pages, in a process of its own: pages on its standard input, records on its output.

What it reads is hostile, so it has neither the password nor the environment of its parent, a bound on its
memory, and ends when its parent does. A page that makes it crash or hang costs that page only.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from crawler.errors import CrawlError, PageRejected
from crawler.records import IssueRecord
from crawler.source import Parser, RawPage
from crawler.sources import find_kind

MEMORY = 2 << 30  # bytes of address space; a page is 64 MB at most
HEAD = 8  # bytes of a frame's length


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one issue's pages."""

    record: IssueRecord | None = None
    error: CrawlError | None = None
    trace: str | None = None  # of a defect of the parser


def frame(message: object) -> bytes:
    """A message as it goes through the pipe: its length, then itself."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(HEAD, "big") + body


def read(parser: Parser, pages: Sequence[RawPage]) -> Answer:
    """Read one issue; a parser's defect is an answer too."""
    try:
        return Answer(record=parser.parse(pages))
    except CrawlError as error:
        return Answer(error=error)
    except Exception as error:
        # One odd page must not end a session of thousands; it is kept, so that a mended parser can read it.
        rejected = PageRejected(f"The parser failed with {type(error).__name__}.")
        return Answer(error=rejected, trace=traceback.format_exc())


def main() -> None:
    """Answer frame by frame until standard input ends; the first frame tells the tracker the pages are of."""
    _limit_memory()
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a parser may print must not get between the frames
    try:
        if (tracker := _next(incoming)) is None:
            return
        kind, connection = tracker
        parser = find_kind(kind).open_parser(connection)
        while (pages := _next(incoming)) is not None:
            outgoing.write(frame(read(parser, pages)))
            outgoing.flush()
    except BrokenPipeError:  # whoever asked was killed; nobody is there to be told
        os._exit(0)  # the interpreter would try to write again


def _next(incoming: BinaryIO) -> Any:
    """The next frame; None where standard input ends, be it in the midst of one."""
    head = incoming.read(HEAD)
    size = int.from_bytes(head, "big")
    body = incoming.read(size)
    if len(head) < HEAD or len(body) < size:
        return None
    return pickle.loads(body)  # noqa: S301 - our own parent's


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every platform has such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
