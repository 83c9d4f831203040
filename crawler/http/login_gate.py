"""One login for all who notice at the same time that the tracker has logged them out."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from crawler.errors import Forbidden, LoginRefused, TrackerError
from crawler.http.response import Response

_MOST = 4  # logins within the window; a tracker that logs out more often does so at every request
_WINDOW = 60.0  # seconds


class LoginGate:
    """Logs in at most once for everybody, and never again once name and password were refused.

    Note ``generation`` before a request. When it is answered by a login page, ``renew()`` it, ask again.

    Args:
        login: logs in once; raises LoginRefused where name or password are wrong.
        clock: seconds that never go back.
    """

    def __init__(
        self, login: Callable[[], Awaitable[None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._login = login
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._waiting = 0
        self._refused: LoginRefused | None = None
        self._recent: deque[float] = deque(maxlen=_MOST)
        self.generation = 0  # how many logins have succeeded
        self._in_vain = 0  # the last of them that opened no file

    async def renew(self, seen: int) -> None:
        """Log in, unless somebody has done so since ``seen``; wait where somebody is at it.

        Args:
            seen: the generation under which the login page was met.

        Raises:
            LoginRefused: name or password are wrong, now or at an earlier call.
            TrackerError: the login could not be tried, or the tracker logs us out right after every login.
        """
        if self._refused is not None:
            raise LoginRefused(str(self._refused)) from self._refused
        if seen != self.generation:
            return
        if self._running is None:
            self._running = asyncio.create_task(self._once())
        await self._wait_for(self._running)

    async def file(
        self, ask: Callable[[], Awaitable[Response]], *, asks_for_login: Callable[[Response], bool]
    ) -> Response:
        """Get a file, and log in at most once for all files that the tracker asks a login for.

        What a file says is nobody's word but that of whoever attached it: only statuses and addresses count.

        Args:
            ask: asks for it.
            asks_for_login: whether an answer is the tracker's wish for a login in place of the file.

        Raises:
            Forbidden: a fresh login does not help.
            LoginRefused, TrackerError: as for :meth:`renew`.
        """
        seen = self.generation
        answer = await ask()
        if not asks_for_login(answer):
            return answer
        if seen != self._in_vain:
            await self.renew(seen)
            answer = await ask()
            if not asks_for_login(answer):
                return answer
            self._in_vain = self.generation
        raise Forbidden("The tracker asks for another login before it shows this file.")

    async def _wait_for(self, running: asyncio.Task[None]) -> None:
        self._waiting += 1
        try:
            # Shielded: one who gives up must not take the login away from the others.
            await asyncio.shield(running)
        finally:
            self._waiting -= 1
            if not self._waiting and not running.done():
                running.cancel()
                self._running = None

    async def _once(self) -> None:
        try:
            now = self._clock()
            if len(self._recent) == _MOST and now - self._recent[0] < _WINDOW:
                raise TrackerError("The tracker asks for a login again right after every login.")
            self._recent.append(now)
            await self._login()
            self.generation += 1
        except LoginRefused as error:
            self._refused = error
            raise
        finally:
            if self._running is asyncio.current_task():
                self._running = None
