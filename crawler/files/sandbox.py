"""The program of the process that reads files: one after the other, each as an open descriptor.

Frames come and go on standard input, which is a socket. The process holds no secret, knows no path, may write
nowhere and connect to nobody; see :mod:`crawler.process.isolation`. Nothing here waits, so there is no event
loop: a request is read, the file is read, the answer is sent.
"""

from __future__ import annotations

import gc
import os
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from msgspec import Meta, Struct, msgpack

from crawler.files.encoding import guess
from crawler.files.file_text import LONGEST_MEMBER, FileText
from crawler.files.reading import Reading
from crawler.process.isolation import die_with, limit, limit_memory, wall_in

READY = b"ready"  # the first that the process says
HEAD = 4  # bytes of a frame's length
LARGEST_REQUEST = 1 << 16
LARGEST_ANSWER = 16 << 20  # 1 MiB of characters has 4 MiB in UTF-8 at most, and a number for each line

# Python and what it reads with need about 60 MB; what is read never needs all the rest at once.
ADDRESS_SPACE = 640 << 20
MEMORY = 240 << 20  # that is written to; with the programs' own pages it stays below 300 MB
_CPU = 30  # seconds beyond the time that a file may be read


Member = Annotated[str, Meta(max_length=LONGEST_MEMBER)]


class ReadIt(Struct, frozen=True, array_like=True, tag=True):
    """A request; the file's descriptor comes with its first byte."""

    name: Annotated[str, Meta(max_length=10_000)]
    seconds: Annotated[float, Meta(gt=0, le=3600)]
    without: tuple[Member, ...] = ()  # members that have ended processes


class Reads(Struct, frozen=True, array_like=True, tag=True):
    """A member is begun that may end the process; no answer yet."""

    member: Member


class Read(Struct, frozen=True, array_like=True, tag=True):
    """The answer."""

    text: FileText
    defect: Annotated[str, Meta(max_length=10_000)] | None = None  # a traceback; the process may be spoilt


def main(parent: int) -> None:
    """Read files until the coordinator has ended.

    Args:
        parent: its process id.
    """
    die_with(parent)
    limit_memory(ADDRESS_SPACE)
    limit("RLIMIT_DATA", MEMORY)
    limit("RLIMIT_FSIZE", 0)
    limit("RLIMIT_NPROC", 0)
    channel = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    decoder = msgpack.Decoder(ReadIt)
    encoder = msgpack.Encoder()
    guess(b"\xb0\xa1")  # loads the codecs while that is still cheap
    gc.freeze()
    wall_in(())

    def send(message: Read | Reads) -> None:
        body = encoder.encode(message)
        channel.sendall(len(body).to_bytes(HEAD, "big") + body)

    with suppress(OSError, EOFError):
        channel.sendall(READY)
        while True:
            request, descriptor = _receive(channel, decoder)
            send(answer(request, descriptor, lambda member: send(Reads(member))))


def answer(request: ReadIt, descriptor: int, tell: Callable[[str], object]) -> Read:
    """Read one file; whatever goes wrong becomes its error.

    Args:
        request: with its name.
        descriptor: of the file, which is closed.
        tell: takes the names of members that may end this process, when they are begun.
    """
    reports: list[str] = []
    _limit_time(request.seconds)
    try:
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            reading = Reading(size, request.seconds, reports.append, tell, request.without)
            text = reading.file(file, request.name)
    except MemoryError:
        text = FileText(kind="unknown", error="The file needs more memory than a file may take.")
        reports.append(traceback.format_exc())
    except Exception:
        text = FileText(kind="unknown", error="The file could not be read.")
        reports.append(traceback.format_exc())
    return Read(text=text, defect=reports[0][-10_000:] if reports else None)


def _limit_time(seconds: float) -> None:
    """End this process if it needs so much of the processor from now on."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime + seconds) + _CPU
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _receive(channel: socket.socket, decoder: msgpack.Decoder[ReadIt]) -> tuple[ReadIt, int]:
    head, descriptors, _, _ = socket.recv_fds(channel, HEAD, 1)
    size = int.from_bytes(head + _exactly(channel, HEAD - len(head)), "big")
    if size > LARGEST_REQUEST or not descriptors:
        raise EOFError
    return decoder.decode(_exactly(channel, size)), descriptors[0]


def _exactly(channel: socket.socket, size: int) -> bytes:
    body = b""
    while len(body) < size:
        block = channel.recv(size - len(body))
        if not block:
            raise EOFError
        body += block
    return body
