"""The stand-in tracker, running: a web server on loopback, and a hand in the world behind it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from crawler.sources.ims.standin import accounts as demo_accounts
from crawler.sources.ims.standin.content import written_issues
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.messages import Answer, Request, html
from crawler.sources.ims.standin.model import Account, Action, Change, Issue
from crawler.sources.ims.standin.pages import error_page
from crawler.sources.ims.standin.protocol import Wire
from crawler.sources.ims.standin.routes import QuickPage, Site
from crawler.sources.ims.standin.sessions import Sessions
from crawler.sources.ims.standin.state import World
from crawler.sources.ims.standin.synthetic import Synthetic

_LOGGED_REQUESTS = 2000


@dataclass(slots=True)
class _Failure:
    status: int
    times: int
    retry_after: str | None
    path: str | None


class StandIn:
    """An IMS tracker on loopback; ``async with StandIn.demo() as tracker`` serves it at ``tracker.url``.

    Args:
        issues: the issues that it has at first.
        accounts: who may log in.
        synthetic: this many generated issues besides.
        listing: how it writes lists and addresses.
        port: where to listen on 127.0.0.1; 0: any free port.
        latency: seconds before each answer; may be changed while it runs.
        session_seconds: how long a session lives unused.

    Attributes:
        requests: how often each path was asked for, refused and failed requests included.
        log: the latest requests, passwords left out.
    """

    def __init__(
        self,
        *,
        issues: Iterable[Issue] = (),
        accounts: Iterable[Account] = demo_accounts.DEMO,
        synthetic: int = 0,
        listing: Listing | None = None,
        port: int = 0,
        latency: float = 0.0,
        session_seconds: float = 1800.0,
    ) -> None:
        listing = listing or Listing()
        self.latency = latency
        self.requests: Counter[str] = Counter()
        self.log: deque[Request] = deque(maxlen=_LOGGED_REQUESTS)
        self.sessions = Sessions(accounts, seconds=session_seconds)
        generator = Synthetic(synthetic, listing) if synthetic else None
        self.world = World(issues, generator)
        self._site = Site(self.world, self.sessions, listing, self._quick(generator))
        self._port = port
        self._failures: list[_Failure] = []
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    @classmethod
    def demo(
        cls, *, broken: bool = False, listing: Listing | None = None, port: int = 0, latency: float = 0.0
    ) -> Self:
        """Make a tracker with the written issues.

        Args:
            broken: with those besides whose HTML is broken, so that a fast parser loses parts of them.
            listing: how it writes lists and addresses.
            port: where to listen; 0: any free port.
            latency: seconds before each answer.
        """
        return cls(issues=written_issues(broken=broken), listing=listing, port=port, latency=latency)

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end; paths begin with ``/tody``."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Wire(self._answer, lambda: self.latency, self._connections), "127.0.0.1", self._port
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        for transport in list(self._connections):
            transport.abort()
        await self._server.wait_closed()
        self._server = None

    def add_issue(self, issue: Issue) -> None:
        """Register an issue; one of the same number is replaced."""
        self.world.put(issue)

    def edit_issue(
        self,
        number: int,
        *,
        fields: Mapping[str, str] | None = None,
        edited_comments: Mapping[int, str] | None = None,
        removed_comments: Iterable[int] = (),
        added_comments: Sequence[Action] = (),
        history: Sequence[Change] = (),
        **changes: Any,
    ) -> Issue:
        """Change an issue while the tracker runs.

        Args:
            number: which issue.
            fields: values by their header, put over those that it has.
            edited_comments: new texts by the number of the comment.
            removed_comments: numbers of comments that go away.
            added_comments: comments that are put at the end.
            history: entries that are put at the end of the history.
            changes: other attributes of :class:`Issue`, such as ``title`` or ``status``.

        Returns:
            The issue as it is now.

        Raises:
            KeyError: there is no such issue.
        """
        issue = self.issue(number)
        texts = dict(edited_comments or {})
        gone = set(removed_comments)
        kept = [
            replace(action, text=texts[action.number], html=None) if action.number in texts else action
            for action in issue.actions
            if action.number not in gone
        ]
        edited = replace(
            issue,
            fields={**issue.fields, **(fields or {})},
            actions=(*kept, *added_comments),
            changes=(*issue.changes, *history),
        )
        edited = replace(edited, **changes)
        self.world.put(edited)
        return edited

    def remove_issue(self, number: int) -> None:
        """Delete an issue; KeyError when there is none."""
        self.world.remove(number)

    def move_issue(self, number: int, new_number: int) -> None:
        """Give an issue another number; its old address then leads to the new one."""
        issue = self.issue(number)
        self.world.remove(number)
        self.world.put(replace(issue, number=new_number))
        self.world.note_move(number, new_number)

    def issue(self, number: int) -> Issue:
        """Look an issue up as the tracker has it; KeyError when there is none."""
        issue = self.world.get(number)
        if issue is None:
            raise KeyError(number)
        return issue

    def expire_sessions(self) -> None:
        """End every session: whoever comes next is sent to the login page."""
        self.sessions.expire_all()

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password; sessions that it has go on."""
        self.sessions.set_password(name, password)

    def fail_next(
        self,
        status: int = 503,
        times: int = 1,
        retry_after: float | str | None = None,
        *,
        path: str | None = None,
    ) -> None:
        """Answer the next requests with an error.

        Args:
            status: the HTTP status.
            times: how many requests.
            retry_after: what the header Retry-After says, seconds or any text, such as a date.
            path: only requests for this path; None: any.
        """
        told = None if retry_after is None else str(retry_after)
        self._failures.append(_Failure(status, times, told, path))

    def _answer(self, request: Request) -> Answer:
        self.requests[request.path] += 1
        self._note(request)
        for failure in self._failures:
            if failure.path in (None, request.path):
                return self._fail(failure)
        return self._site.answer(request)

    def _note(self, request: Request) -> None:
        if "password" in request.params:
            shown = {name: value for name, value in request.params.items() if name != "password"}
            request = replace(request, params=shown)
        self.log.append(request)

    def _fail(self, failure: _Failure) -> Answer:
        failure.times -= 1
        if failure.times <= 0:
            self._failures.remove(failure)
        headers = () if failure.retry_after is None else (("Retry-After", failure.retry_after),)
        return html(error_page(f"HTTP Status {failure.status}"), status=failure.status, headers=headers)

    def _quick(self, generator: Synthetic | None) -> QuickPage | None:
        if generator is None:
            return None

        def quick_page(number: int, account: Account) -> bytes | None:
            return generator.page(number, account) if self.world.is_generated(number) else None

        return quick_page
