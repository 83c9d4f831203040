"""Trac's source: a query's list, and one page for each ticket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from http.cookiejar import Cookie
from urllib.parse import urlsplit

from msgspec.structs import replace

from crawler.client import Client, Pairs
from crawler.errors import (
    Forbidden,
    ItemError,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
)
from crawler.http.login_gate import LoginGate
from crawler.http.response import Response
from crawler.http.transfer import Transfer
from crawler.query import Tree
from crawler.records import AttachmentRecord
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.trac.cursor import TracCursor
from crawler.sources.trac.login import TracLogin
from crawler.sources.trac.parse.kept import without_hidden_addresses
from crawler.sources.trac.parse.listing import TicketList, parse_list
from crawler.sources.trac.parse.markup import is_logged_in
from crawler.sources.trac.query import LAST, Numbers, conditions, numbers_of
from crawler.sources.trac.search import components_of, page_of

_PAGE_SIZE = 500


class TracSource:
    """A Trac, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._connection = connection
        self._client = client
        self._login = TracLogin(connection, client)
        self._gate = LoginGate(self._log_in)
        self._cookie: Cookie | None = None
        self._login_path = urlsplit(f"{connection.base_url.rstrip('/')}/login").path
        size = connection.options.get("page_size")
        self._page_size = size if isinstance(size, int) and 0 < size <= 10_000 else _PAGE_SIZE

    def render(self, query: Tree) -> Rendering:
        """Say the query in Trac's language: numbers only, see :mod:`crawler.sources.trac.query`."""
        numbers = numbers_of(query)
        return Rendering(text=numbers.text(), exact=numbers.exact)

    async def login(self) -> None:
        """Log in; without a user name, see whether this is a Trac.

        Raises:
            LoginRefused: name or password are wrong.
            TrackerError: not reachable, or not a Trac.
        """
        if self._connection.username is not None:
            await self._gate.renew(self._gate.generation)
            return
        try:
            answer = await self._client.get("query", params={"id": LAST, "max": 1}, accept=(200, 403))
        except ItemError as error:
            raise TrackerError(f"The address does not answer like a Trac: {error}") from error
        if is_logged_in(answer.text) is None:
            raise TrackerError("The tracker answers, but not like a Trac.")

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of tickets, the largest number first; the total leaves hidden tickets out.

        Raises:
            UnknownProduct: there is no such component.
            NotPermitted: the account may not see tickets.
            TrackerError: the answer is not a list of tickets.
        """
        numbers = numbers_of(query)
        place = TracCursor() if cursor is None else TracCursor.read(cursor)
        if cursor is None and product is not None:
            place = replace(place, components=(product,))
        given = 0
        while limit is None or given < limit:
            wanted = self._page_size if limit is None else min(self._page_size, limit - given)
            if place.size > wanted:  # the session goes on with a smaller limit
                place = replace(place, page=1, size=0)
            size = place.size or wanted
            listed = await self._list(numbers, place, since, size)
            if cursor is None and given == 0 and place.page == 1 and product is not None:
                components = components_of(product, listed)
                if components != place.components:
                    place = replace(place, components=components)
                    listed = await self._list(numbers, place, since, size)
            page, following = page_of(listed, numbers, place, size)
            yield page
            if following is None:
                return
            given += len(page.references)
            place = following

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get the page of a ticket.

        Raises:
            NotFound: there is no such ticket.
            Forbidden: the account may not see it.
        """
        number = ref.issue_id.removeprefix("#")
        if not (number.isascii() and number.isdecimal()):
            raise NotFound(f"Trac has numbers for its tickets, and {ref.issue_id!r} is none.")
        page = await self._page(f"ticket/{int(number)}", f"Ticket {number}")
        # What the page hides from this account is not to be kept either.
        return (without_hidden_addresses(page),)

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file, from below `/raw-attachment`: `/attachment` is a page.

        Raises:
            NotFound: there is no such file.
            Forbidden: the account may not see it.
        """
        what = f"The file {attachment.filename!r}"
        if attachment.download_url is None:
            raise NotFound(f"The page does not tell where {attachment.filename!r} is.")

        async def ask() -> Response:
            return await self._ask_file(attachment.download_url or "", into)

        if self._connection.username is None:
            return _raw(await ask(), what)
        return _raw(await self._gate.file(ask, asks_for_login=self._asks_for_login), what)

    async def _page(self, address: str, what: str) -> RawPage:
        return _raw(await self._get(address), what)

    async def _list(
        self, numbers: Numbers, place: TracCursor, since: datetime | None, size: int
    ) -> TicketList:
        params = conditions(numbers, below=place.below, components=place.components, since=since)
        params += [
            ("order", "id"),
            ("desc", "1"),
            ("col", "id"),
            ("max", str(size)),
            ("page", str(place.page)),
        ]
        answer = await self._get("query", params)
        if answer.status == 403:
            raise NotPermitted("The account may not see any ticket of this Trac.")
        if answer.status == 404:
            raise TrackerError("The tracker has no custom query, so it cannot be searched.")
        try:
            listed = parse_list(answer.text)
        except PageRejected as error:
            raise TrackerError(str(error)) from error
        if listed.warning is not None:
            raise TrackerError("Trac did not understand the query that was sent to it.")
        return listed

    async def _get(self, path: str, params: Pairs | None = None) -> Response:
        """Get a page as the account, and log in again where the tracker has forgotten it."""
        return await self._gate.page(
            lambda: self._ask(path, params),
            lambda answer: self._connection.username is not None and is_logged_in(answer.text) is False,
        )

    def _asks_for_login(self, answer: Response) -> bool:
        """Whether a login was wanted in place of a file; its own bytes are not looked at."""
        # Trac's page for 403 says who is logged in; a plugin for logins redirects to their page.
        refused = answer.status == 403 and is_logged_in(answer.text) is False
        return refused or answer.status == 401 or urlsplit(answer.url).path == self._login_path

    async def _ask(self, path: str, params: Pairs | None) -> Response:
        self._keep_cookie()
        # A Trac that speaks several languages says more in English.
        headers = {"Accept-Language": "en"}
        answer = await self._client.get(path, params=params, headers=headers, accept=(200, 403, 404))
        self._keep_cookie()
        return answer

    async def _ask_file(self, url: str, into: Transfer | None) -> Response:
        self._keep_cookie()
        headers = {"Accept-Language": "en"}
        answer = await self._client.download(
            url, headers=headers, accept=(200, 401, 403, 404), into=into, is_file=self._is_file
        )
        self._keep_cookie()
        return answer

    def _is_file(self, answer: Response) -> bool:
        """Whether an answer is the file, and not the login that it leads to."""
        return self._connection.username is None or urlsplit(answer.url).path != self._login_path

    def _keep_cookie(self) -> None:
        """Put the fresh cookie back.

        An answer to the cookie of an expired login takes the cookie away, and may come late: after another
        worker has logged in again.
        """
        if self._cookie is not None:
            self._client.cookies.set_cookie(self._cookie)

    async def _log_in(self) -> None:
        self._cookie = None
        self._cookie = await self._login.log_in()


def _raw(answer: Response, what: str) -> RawPage:
    if answer.status == 404:
        raise NotFound(f"{what} does not exist.")
    if answer.status in (401, 403):
        raise Forbidden(f"{what} is not shown to this account.")
    return RawPage.of(answer)
