"""Telling a schedule's command and webhook what its run found."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from crawler.errors import AccessError, CrawlError, UsageError
from crawler.http.connections import Connections
from crawler.http.library import httpx
from crawler.http.reach import Reach
from crawler.http.retry import causes_of
from crawler.http.send import Bounds, send
from crawler.http.stats import ClientStats
from db import get_session
from db.acting import Acting
from db.log_library import structlog
from db.models import Run, SessionError
from db.session import driver_connection
from pipeline.jobs.news import list_gone, list_news, tell_gone
from pipeline.jobs.schedules import NOT_TOLD
from pipeline.logs import redact
from pipeline.trackers.secrets import Vault, webhook_of

if TYPE_CHECKING:
    from pipeline.jobs.context import WorkerContext

log = structlog.get_logger(__name__)

MOST_TOLD = 1000  # issues in one message
SECONDS = 30.0  # that telling may take
_UNCONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol)
_COMPLAINT = 1000  # bytes of what a command says on standard error that are kept, the last ones
# A command gets what a shell's command needs to run, and none of our secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME")


class NotTold(Exception):
    """Nobody was told; ``str()`` is a sentence."""

    def __init__(self, message: str, *, begun: bool = False) -> None:
        super().__init__(message)
        self.begun = begun  # somebody may have heard all the same


@dataclass(frozen=True, kw_only=True, slots=True)
class _Message:
    """Whom to tell what."""

    session_id: int | None
    schedule: str
    text: str  # JSON
    command: str | None  # its name
    webhook: Any = field(repr=False)  # as it is stored


async def tell(context: WorkerContext, user_id: int, run_id: int) -> None:
    """Tell a schedule's command and webhook what its run found. What fails is noted, and not tried again.

    Args:
        context: the worker's; its commands are run for its own user only, for they run with its account.
        user_id: whose schedule.
        run_id: the run.
    """
    message = await asyncio.to_thread(_message, user_id, run_id)
    if message is None:
        return
    if message.command is not None:
        telling = run_command(context, user_id, message.command, message.text)
        await _try(user_id, message, "notify", telling)
    if message.webhook is not None:
        await _try(user_id, message, "webhook", _post(context, user_id, message))


def _message(user_id: int, run_id: int) -> _Message | None:
    with get_session(user_id=user_id) as session:
        run = session.get(Run, run_id)
        if run is None:
            return None
        schedule = run.schedule
        row = run.crawl_session
        acting = Acting(driver_connection(session), user_id)
        news = list_news(acting, schedule.name, limit=MOST_TOLD)
        gone = list_gone(acting, schedule.name)
        document = {
            "schedule": schedule.name,
            "status": run.status,
            "session_uuid": str(row.session_uuid) if row is not None else None,
            "issues_new": run.issues_new,
            "issues_changed": run.issues_changed,
            "issues": [{key: value for key, value in each.items() if key != "schedule"} for each in news],
            "gone": tell_gone(gone),
        }
        return _Message(
            session_id=run.session_id,
            schedule=schedule.name,
            text=json.dumps(document, ensure_ascii=False, default=str),
            command=None if (name := schedule.options.get("notify")) is None else str(name),
            webhook=schedule.options.get("webhook"),
        )


async def _try(user_id: int, message: _Message, how: str, telling: Awaitable[None]) -> None:
    try:
        await within_time(telling)
    except NotTold as error:
        await asyncio.to_thread(
            _note, user_id, message.session_id, how, f"Notification by {how} failed: {error}"
        )


async def within_time(telling: Awaitable[None]) -> None:
    """Let somebody be told, for as long as that may take.

    Raises:
        NotTold: it failed; no word of the address is in the sentence.
    """
    try:
        async with asyncio.timeout(SECONDS):
            await telling
    except TimeoutError as error:
        raise NotTold(f"It took longer than {SECONDS:g} s.", begun=True) from error
    except OSError as error:
        raise NotTold(f"{error.strerror or type(error).__name__}.") from error
    except (UsageError, AccessError) as error:
        raise NotTold(str(error)) from error
    except (CrawlError, httpx.InvalidURL, ValueError) as error:  # whose words may hold the address, a secret
        # Where there was no connection, nothing was sent.
        begun = not any(isinstance(cause, _UNCONNECTED) for cause in causes_of(error))
        raise NotTold(
            "The address cannot be reached, or does not answer as a web server does.", begun=begun
        ) from error


async def run_command(context: WorkerContext, user_id: int, name: str, text: str) -> None:
    """Run a command of the worker's with a text on its standard input.

    Raises:
        NotTold: it is another user's wish, there is no such command, or it failed.
        OSError: it cannot be run.
    """
    if user_id != context.program.user_id:
        raise NotTold("A worker runs commands for its own user only: use a webhook.")
    words = context.commands.get(name)
    if words is None:
        raise NotTold(
            "This worker's notify.toml has no command of that name. Command lines are not run: name the "
            "command there, and give the name with --notify."
        )
    await _run(words, text)


async def _run(words: list[str], text: str) -> None:
    # No pipe that the library waits for: what the command leaves running may hold it for ever.
    with TemporaryFile() as told:
        told.write(text.encode("utf-8", "replace"))
        told.seek(0)
        async with _complaints() as (descriptor, complaints):
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=told,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=descriptor,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                start_new_session=True,
            )
            try:
                await process.wait()
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)  # whatever it has started, too
                    await process.wait()
    if process.returncode:
        said = " ".join(complaints.decode("utf-8", "replace").split())
        raise NotTold(f"The command ended with status {process.returncode}. {said}".strip(), begun=True)


@asynccontextmanager
async def _complaints() -> AsyncIterator[tuple[int, bytearray]]:
    """Give a descriptor for standard error, and the last that was written there."""
    kept = bytearray()

    class Keeper(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            kept.extend(data)
            del kept[:-_COMPLAINT]

    reading, writing = os.pipe()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(Keeper, os.fdopen(reading, "rb"))
    try:
        yield writing, kept
        await asyncio.sleep(0)  # what is in the pipe is read before it is closed
        await asyncio.sleep(0)
    finally:
        os.close(writing)
        transport.close()


async def _post(context: WorkerContext, user_id: int, message: _Message) -> None:
    address = _address(message.webhook, context.program.vault, user_id, message.schedule)
    await post_to(address, message.text, context.reach)


async def post_to(address: str, text: str, reach: Reach) -> None:
    """Send JSON to an address that is to take it.

    Raises:
        NotTold: it did not.
        NotPermitted: the address is not within reach.
        CrawlError: it does not answer.
    """
    status = await post(address, text, reach)
    if not 200 <= status < 300:
        raise NotTold(f"The address answered with status {status}.", begun=True)


def _address(stored: Any, vault: Vault, user_id: int, schedule: str) -> str:
    if not isinstance(stored, dict) or not isinstance(stored.get("sealed"), str):
        raise NotTold("The webhook was stored by an earlier version: store it again with schedule add.")
    return vault.open(stored["sealed"].encode(), webhook_of(user_id, schedule)) or ""


async def post(address: str, text: str, reach: Reach) -> int:
    """Send JSON to an address; the answer's status comes back. No redirect is followed, no body is kept.

    Raises:
        NotPermitted: the address is not within reach.
        CrawlError: it does not answer.
    """
    body = text.encode("utf-8", "replace")
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    request = httpx.Request("POST", address, content=body, headers=headers)
    connections = Connections(reach=reach)
    try:
        answer, _, _ = await send(
            connections.take(request.url.scheme),
            request,
            bounds=Bounds(deadline=SECONDS, size=0),
            wanted=(),
            stats=ClientStats(),
        )
    finally:
        await connections.close()
    return answer.status_code


def _note(user_id: int, session_id: int | None, how: str, sentence: str) -> None:
    log.warning("notification failed", how=how, reason=redact(sentence))
    if session_id is None:
        return
    with get_session(user_id=user_id) as session:
        session.add(
            SessionError(
                session_id=session_id,
                user_id=user_id,
                error_type=NOT_TOLD,
                severity="warning",
                error_message=redact(sentence),
            )
        )
