"""The text of attached files, read in a process of its own that meets everything hostile in them.

The process gets a file as an open descriptor, to be read only; it knows no path, holds no secret, and may
neither write nor connect. A file that kills or hangs it, or answers what cannot be, costs that file only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from msgspec import MsgspecError, msgpack

from crawler.files.file_text import MOST_CHARACTERS, FileText
from crawler.files.reading import MOST_MEMBERS
from crawler.files.sandbox import HEAD, LARGEST_ANSWER, READY, Read, ReadIt, Reads
from db.log_library import structlog
from pipeline.logs import redact

SECONDS = 90.0  # for which a file is read; 2 GB of a log take about 40
_BEYOND = 30.0  # seconds until a process that should have answered is ended
_TO_START = 60.0  # seconds
_ENDED = "It ended the process that read it."
_HELD = "It held the process that read it for too long."
_TRIES = 4  # at a file
_FILES = 500  # that a process reads, so that what leaks in it is not for long

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from crawler.files.sandbox import main
main(int(sys.argv[2]))
"""

log = structlog.get_logger(__name__)


class NoReader(Exception):
    """No process can be started that reads files; it is not the file's fault."""


class FileReader:
    """Reads files, one at a time, in a process that is started at the first one; an async context manager.

    Args:
        seconds: for which a file may be read; what was found until then counts.
        beyond: seconds after which a process that has not answered even so is ended.
    """

    def __init__(self, *, seconds: float = SECONDS, beyond: float = _BEYOND) -> None:
        self._seconds = seconds
        self._beyond = beyond
        self._process: _Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def process_id(self) -> int | None:
        """The process's, if there is one now."""
        return None if self._process is None else self._process.process_id

    async def read(self, file: Path, name: str, media_type: str | None) -> FileText:
        """Read a file's text; whatever is wrong with what it holds is told in the text's ``error``.

        Args:
            file: where it is.
            name: as the tracker has it.
            media_type: as the server told it; nothing is believed of it.

        Raises:
            OSError: there is no such file, or it is no file.
            NoReader: no process can be started that reads it.
        """
        async with self._turn:
            descriptor = _opened(file)
            try:
                return await self._read_without_harm(descriptor, name)
            finally:
                os.close(descriptor)

    async def _read_without_harm(self, descriptor: int, name: str) -> FileText:
        """Read a file, and again without the members of it that end the process."""
        without: list[str] = []
        text = None
        for _ in range(_TRIES):
            fresh = self._process is None
            text, member = await self._read(descriptor, name, without)
            if text.error not in (_ENDED, _HELD):
                break
            if member is not None and member not in without:
                without.append(member)
            elif fresh or text.error == _HELD:
                # Else it may be what the files before have left in the process.
                break
        assert text is not None  # noqa: S101 - there is one try at least
        return text

    async def _read(self, descriptor: int, name: str, without: list[str]) -> tuple[FileText, str | None]:
        """Read a file; which member was begun last, too."""
        if self._process is None:
            self._process = _Process()
        process = self._process
        request = ReadIt(name.encode("utf-8", "replace").decode()[:10_000], self._seconds, tuple(without))
        asking = asyncio.create_task(
            asyncio.to_thread(process.ask, request, descriptor, self._seconds + self._beyond)
        )
        try:
            answer = await asyncio.shield(asking)
        except TimeoutError:
            return self._failed(_HELD), process.member
        except (OSError, EOFError):
            return self._failed(_ENDED), process.member
        except NoReader:
            self._end()
            raise
        except ValueError as error:
            log.error("a file's reader is not to be trusted", reason=redact(str(error)[:1000]))
            return self._failed("The process that read it answered what cannot be."), None
        except asyncio.CancelledError:
            process.kill()  # its thread must have ended before what it uses is closed
            await asyncio.wait([asking])
            asking.exception()  # nobody asks for it any more
            self._end()
            raise
        if answer.defect is not None:
            log.warning("a file could not be read", trace=redact(answer.defect))
        if answer.defect is not None or process.files >= _FILES:
            self._end()
        return answer.text, None

    def _failed(self, sentence: str) -> FileText:
        self._end()
        return FileText(kind="unknown", error=sentence)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


class _Process:
    """One process, as it is seen from here."""

    def __init__(self) -> None:
        self.files = 0
        self.member: str | None = None  # the last that was begun of the file in hand
        # Started by the thread of the event loop: the process dies with the thread that started it.
        self._channel, theirs = socket.socketpair()
        paths = [path for path in sys.path if Path(path).is_absolute()]
        try:
            with theirs:
                self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [sys.executable, "-I", "-c", _START, json.dumps(paths), str(os.getpid())],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=os.sep,
                    env={},
                    start_new_session=True,
                )
        except OSError as error:  # of processes or memory there is none left
            self._channel.close()
            raise NoReader("The process that reads files cannot be started.") from error

    @property
    def process_id(self) -> int:
        return self._popen.pid

    def ask(self, request: ReadIt, descriptor: int, seconds: float) -> Read:
        """Have a file read. Blocks.

        Raises:
            TimeoutError: there was no answer in time.
            EOFError, OSError: the process has ended.
            NoReader: it has not even begun.
            ValueError: the answer is none.
        """
        if not self.files:
            self._await_start()
        self.files += 1
        self.member = None
        end = monotonic() + seconds
        self._channel.settimeout(seconds)
        body = msgpack.encode(request)
        socket.send_fds(self._channel, [len(body).to_bytes(HEAD, "big") + body], [descriptor])
        for _ in range(2 * MOST_MEMBERS):
            answer = self._message(end)
            if isinstance(answer, Read):
                _check(answer.text)
                return answer
            self.member = answer.member
        raise ValueError("An answer tells of more members than there may be.")

    def _message(self, end: float) -> Read | Reads:
        size = int.from_bytes(self._exactly(HEAD, end), "big")
        if size > LARGEST_ANSWER:
            raise ValueError("The answer is larger than the limit.")
        try:
            return msgpack.decode(self._exactly(size, end), type=Read | Reads)
        except (MsgspecError, RecursionError) as error:
            raise ValueError(f"The answer cannot be read: {error}") from error

    def _await_start(self) -> None:
        try:
            self._exactly(len(READY), monotonic() + _TO_START)
        except (OSError, EOFError):
            raise NoReader("The process that reads files cannot be started.") from None

    def end(self) -> None:
        """End it, and let go of it."""
        self.kill()
        self._popen.wait()
        self._channel.close()

    def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            self._popen.kill()

    def _exactly(self, size: int, end: float) -> bytearray:
        body = bytearray()
        while len(body) < size:
            self._channel.settimeout(max(0.001, end - monotonic()))
            block = self._channel.recv(min(1 << 20, size - len(body)))
            if not block:
                raise EOFError
            body += block
        return body


def _opened(file: Path) -> int:
    """A file's descriptor, for reading.

    Raises:
        OSError: it is not there, or no file: reading a pipe might never end.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("That is no file.")
    return descriptor


def _check(text: FileText) -> None:
    """Hold an answer against what is promised of it, beyond the bounds of its fields.

    Raises:
        ValueError: it is not so.
    """
    characters = sum(len(part.text) for part in text.parts)
    if characters != text.characters or characters > MOST_CHARACTERS or text.members > MOST_MEMBERS:
        raise ValueError("The counts of an answer are wrong.")
    for part in text.parts:
        if "\0" in part.text or "\r" in part.text or "\x1b" in part.text or not part.member.isprintable():
            raise ValueError("A text holds what it may not.")
        if part.line_numbers is not None and len(part.line_numbers) != part.text.count("\n") + 1:
            raise ValueError("A text has other lines than it has numbers.")
