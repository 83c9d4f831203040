"""One operating-system process that works for a tracker, as its coordinator sees it.

Everything that comes from it may be a lie: a frame that is none, an answer nobody asked for, or silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import mmap
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec import msgpack

from crawler.process.hand import NOTHING, SIZE, Sight, look
from crawler.process.messages import BrokenFrame, FromProcess, Message, Open, frame, read_frame
from db.log_library import structlog
from pipeline.logs import redact

_BUFFERED = 1 << 20  # bytes that wait in our buffer before the process must wait
_LOOKS = 20  # at what a process has in hand, until it is ended for it
_LINES = 1000  # of chatter that are logged, of one process

_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")

_START = """
import gc, json, sys
gc.disable()
sys.path[:] = json.loads(sys.argv[1])
from crawler.process.main import main
main(int(sys.argv[2]), int(sys.argv[3]))
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended."""

    number: int  # of the request that it had in hand; see crawler.process.hand
    how: str  # crashed, hung or lied


class Child:
    """A process that is started, told whom it works for, and ended.

    Args:
        opening: whom it works for.
        seconds: that it may take for one step, without a pause, of what it has in hand.
        take: gets its messages; one that it raises BrokenFrame for is the last one.
        ended: is told when it ends by itself.
    """

    def __init__(
        self,
        opening: Open,
        *,
        seconds: float,
        take: Callable[[FromProcess], None],
        ended: Callable[[End], None],
    ) -> None:
        self._opening = opening
        self._seconds = seconds
        self._take = take
        self._ended = ended
        self._how = "crashed"
        self._blamed: int | None = None
        self._waiting: list[bytes] = []
        self._beside: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the process, without waiting until it is ready."""
        ours, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as file:
            file.truncate(SIZE)
            self._memory = mmap.mmap(file.fileno(), SIZE)
            self._process = await asyncio.create_subprocess_exec(
                *_command(file.fileno()),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(file.fileno(),),
                cwd=os.sep,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us: what is in hand is finished first
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=_BUFFERED)
        self.send(self._opening)
        self._running = asyncio.create_task(self._run(reader))

    def send(self, message: Message) -> None:
        """Say something, together with what else is said now.

        Raises:
            PageTooLarge: it is larger than a frame may be.
        """
        # Not drained: as much waits here as there are requests, which is what they would wait for anyway.
        body = frame(message)
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(body)

    async def close(self) -> None:
        """End the process."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._kill()
        await asyncio.gather(*self._beside, return_exceptions=True)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not self._writer.is_closing():
            self._writer.write(b"".join(waiting))

    async def _run(self, reader: asyncio.StreamReader) -> None:
        self._beside = [asyncio.create_task(self._watch()), asyncio.create_task(self._listen())]
        decoder = msgpack.Decoder(FromProcess)
        try:
            while True:
                self._take(await read_frame(reader, decoder))
        except (asyncio.IncompleteReadError, OSError):
            pass
        except BrokenFrame as error:
            self._how, self._blamed = "lied", error.number
            log.error("a tracker process is not to be trusted", reason=redact(str(error)[:1000]))
        finally:
            self._beside[0].cancel()
        await self._kill()
        await asyncio.gather(*self._beside, return_exceptions=True)  # its last words, too
        blamed = look(self._memory).number if self._blamed is None else self._blamed
        self._ended(End(blamed, self._how))

    async def _watch(self) -> None:
        """End the process when it takes too long. Its looks are counted, not the time: we may have slept."""
        last, same = Sight(NOTHING, 0), 0
        while same < _LOOKS:
            await asyncio.sleep(self._seconds / _LOOKS)
            sight = look(self._memory)
            same = same + 1 if sight == last and sight.number != NOTHING else 0
            last = sight
        self._how = "hung"
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _listen(self) -> None:
        """Log what is printed in the process: a third party's chatter, an interpreter's last words."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        lines = 0
        rest = b""
        while data := await self._process.stdout.read(1 << 16):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole[: max(0, _LINES - lines)]:
                log.info("tracker process", line=redact(line[:1000].decode("utf-8", "replace")))
            lines += len(whole)
            rest = rest[:1000]

    async def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._writer.close()


def _command(memory: int) -> list[str]:
    """The process imports from where this one does, never from the current folder."""
    # -I keeps the current folder away even from what is imported before our own line runs. A path that is
    # relative means the current folder, too.
    paths = [path for path in sys.path if Path(path).is_absolute()]
    return [sys.executable, "-I", "-c", _START, json.dumps(paths), str(os.getpid()), str(memory)]


def _environment() -> dict[str, str]:
    """What the process needs of ours; no secret is among it, nor a variable that Python heeds."""
    return {name: os.environ[name] for name in _VARIABLES if name in os.environ}
