"""One login for all who notice at the same time that the tracker has logged them out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from crawler.errors import Forbidden, LoginRefused
from crawler.http.response import Response

_MOST = 3  # logins in a row that bring no page; several requests at once may use up a session that allows few
_MOST_OF_ONE = 12  # tries of one page: others that are asked for with it may use up each session before it
_NO_PAGE = (
    "The tracker asks for a login again right after every login: look whether the account may read there."
)


class LoginGate:
    """Logs in at most once for everybody, and never again once name and password were refused.

    How often it logs in does not matter, some trackers end a session after so many pages: it gives up when
    logins bring no page at all.

    Args:
        login: logs in once; raises LoginRefused where name or password are wrong.
    """

    def __init__(self, login: Callable[[], Awaitable[None]]) -> None:
        self._login = login
        self._running: asyncio.Task[None] | None = None
        self._waiting = 0
        self._refused: LoginRefused | None = None
        self._fruitless = 0  # logins since a page came
        self.generation = 0  # how many logins have succeeded
        self._in_vain = 0  # the last of them that opened no file

    async def page(
        self, ask: Callable[[], Awaitable[Response]], is_login: Callable[[Response], bool]
    ) -> Response:
        """Ask for a page; where the login page answers, log in once for everybody and ask again.

        Args:
            ask: sends the request.
            is_login: whether an answer asks for a login in place of the page.

        Raises:
            LoginRefused: as in :meth:`renew`, or this page is not shown after any login.
            TrackerError: as in :meth:`renew`.
        """
        for _ in range(_MOST_OF_ONE):
            seen = self.generation
            response = await ask()
            if not is_login(response):
                self._fruitless = 0
                return response
            await self.renew(seen)
        raise LoginRefused(_NO_PAGE)

    async def renew(self, seen: int) -> None:
        """Log in, unless somebody has done so since ``seen``; wait where somebody is at it.

        Args:
            seen: the generation under which the login page was met.

        Raises:
            LoginRefused: name or password are wrong, now or at an earlier call, or logins bring no page.
            TrackerError: the login could not be tried.
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
            self._fruitless = 0
            return answer
        if seen != self._in_vain:
            await self.renew(seen)
            answer = await ask()
            if not asks_for_login(answer):
                self._fruitless = 0
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
            if self._fruitless == _MOST:
                raise LoginRefused(_NO_PAGE)
            await self._login()
            self._fruitless += 1
            self.generation += 1
        except LoginRefused as error:
            self._refused = error
            raise
        finally:
            if self._running is asyncio.current_task():
                self._running = None
