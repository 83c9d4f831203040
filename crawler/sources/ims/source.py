"""IMS's source: ten rows of a result list, and one page for each issue.

The base address may be given with or without its `/tody`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from urllib.parse import quote_plus, urljoin, urlsplit

from crawler.client import Client, Pairs
from crawler.errors import ItemError, LoginRefused, NotFound, PageRejected, TrackerError
from crawler.html import LexborDocument
from crawler.http.login_gate import LoginGate
from crawler.http.response import Response
from crawler.http.transfer import Transfer
from crawler.query import Tree
from crawler.records import AttachmentRecord
from crawler.source import Connection, RawPage, Reference, Rendering, SearchPage
from crawler.sources.ims import parse as ims
from crawler.sources.ims.request import (
    PATCHES,
    RELATIONS,
    SEARCH,
    VIEW,
    large_pages,
    root_of,
    search_parameters,
)
from crawler.sources.ims.search import walk

_LARGEST_REFUSAL = 1 << 20  # bytes of a page in place of what was asked for, such as the login page


class ImsSource:
    """An IMS, seen through one account."""

    def __init__(self, connection: Connection, client: Client) -> None:
        self._connection = connection
        self._client = client
        self._options = connection.options
        self._root = root_of(connection.base_url, str(self._options.get("path", "tody")))
        self._login_address = self._root + str(self._options.get("login_path", "auth/login.do"))
        self._gate = LoginGate(self._log_in)
        self._account = ims.Account(user_id=connection.username or "")
        self._products: tuple[ims.Product, ...] = ()

    def render(self, query: Tree) -> Rendering:
        """Say the query in IMS keyword syntax, which has no exclusion."""
        return ims.render(query)

    async def login(self) -> None:
        """Log in.

        Raises:
            LoginRefused: name or password are wrong or missing; do not try again.
            TrackerError: not reachable, or not an IMS.
        """
        await self._gate.renew(self._gate.generation)

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield the result list page by page, the newest issue first, each issue once.

        Args:
            query: what to look for; None: everything the account may see.
            product: a product's name, or the beginning of the names of several.
            since: cannot be told to IMS; every hit is yielded.
            limit: stop after this many references.
            cursor: go on after the page that gave this cursor.

        Raises:
            UnknownProduct: no product's name begins so.
            TrackerError: the answer is not a list of issues.
            LoginRefused: the tracker does not let the account in.
        """
        await self._be_logged_in()
        keyword = ims.render(query).text if query is not None else ""
        codes = [found.code for found in await self._find_products(product)] if product else []

        async def ask(page: int) -> ims.Listing:
            return await self._list(keyword, codes, page)

        async for found in walk(ask, self._view_url, cursor=cursor, limit=limit):
            yield found

    async def fetch(self, ref: Reference) -> tuple[RawPage, ...]:
        """Get the issue's page, and the lists beside it that the options ask for.

        Raises:
            NotFound, Forbidden: what the tracker says of the issue.
            ItemError: it cannot be had.
            LoginRefused: the tracker does not let the account in.
        """
        number = ref.issue_id
        if not (number.isascii() and number.isdecimal()):
            raise NotFound(f"{number!r} is no IMS issue number.")
        await self._be_logged_in()
        address = self._view_url(number)
        response = await self._get(address)
        is_issue = len(response.body) > _LARGEST_REFUSAL or response.body.rfind(b"IssueDescriptionDiv") >= 0
        if not is_issue and (refusal := ims.refusal_in(response.text)):
            raise refusal
        # A tracker may lead from an old number to a new one; where it does, its own address says so.
        if response.url != address:
            address = self._view_url(ims.issue_number_in(response.url) or number)
        pages = [RawPage.of(response, url=address)]
        if self._options.get("relations"):
            pages += await self._beside(RELATIONS, {"issueId": number}, "relations")
        if self._options.get("patches") and b"popupPatchList" in response.body:
            arguments = ims.patch_arguments(LexborDocument(response.text))
            if arguments is not None:
                pages += await self._beside(PATCHES, arguments, "patches")
        return tuple(pages)

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file from where its issue's page says it is.

        Raises:
            NotFound: the page does not say it, or there is no such file.
        """
        if attachment.download_url is None:
            raise NotFound(f"The page does not tell where {attachment.filename!r} is.")
        await self._be_logged_in()
        address = urljoin(self._root, attachment.download_url)

        async def ask() -> Response:
            return await self._client.download(address, accept=(200, 401, 403), into=into, is_file=_is_file)

        answer = await self._gate.file(ask, asks_for_login=self._asks_for_login)
        # IMS refuses with a page of status 200, and a short one.
        is_page = not _is_file(answer) and len(answer.body) <= _LARGEST_REFUSAL
        if is_page and (refusal := ims.refusal_in(answer.text)):
            raise refusal
        return RawPage.of(answer, "attachment")

    async def _beside(self, path: str, params: Pairs, part: str) -> list[RawPage]:
        """A list beside the issue's page, which is whole without it; none where it cannot be had."""
        try:
            answer = await self._get(self._root + path, params)
        except ItemError:
            return []
        return [RawPage.of(answer, part)]

    def _view_url(self, number: str) -> str:
        return f"{self._root}{VIEW}?issueId={quote_plus(number)}&menuCode=issue_search"

    async def _find_products(self, wanted: str) -> tuple[ims.Product, ...]:
        if not self._products:
            await self._list("", [], 1, rows=False)
        return ims.find_products(self._products, wanted)

    async def _list(self, keyword: str, codes: Sequence[str], page: int, *, rows: bool = True) -> ims.Listing:
        parameters = search_parameters(self._account, keyword, codes, page, rows=rows)
        response = await self._get(self._root + SEARCH, parameters)
        try:
            listing = ims.parse_list(response.text)
        except PageRejected as error:
            raise TrackerError(
                f"The tracker's answer to a search is not a list of issues: {error}"
            ) from error
        self._products = listing.products or self._products
        return listing

    async def _be_logged_in(self) -> None:
        if not self._gate.generation:
            await self.login()

    async def _get(self, address: str, params: Pairs | None = None) -> Response:
        """Ask for a page; where the login page answers, log in once for everybody and ask again."""
        return await self._gate.page(lambda: self._client.get(address, params=params), _is_login)

    def _asks_for_login(self, answer: Response) -> bool:
        """Whether a login was wanted in place of a file; its own bytes are not looked at."""
        login = urlsplit(self._login_address).path, urlsplit(f"{self._root}auth/login").path
        return answer.status in (401, 403) or urlsplit(answer.url).path.startswith(login)

    async def _log_in(self) -> None:
        name, password = self._connection.username, self._connection.password
        if not name or password is None:
            raise LoginRefused("IMS asks for a name and a password; this connection has none.")
        address = self._login_address
        try:
            form = await self._client.get(address)
            # By its content: whatever answers at this address would get the password.
            if not ims.is_login_page("", form.text) and not _shows_account(form):
                raise TrackerError(f"{self._connection.base_url} is not an IMS: it has no login page.")
            answer = await self._client.post(address, data={"id": name, "password": password}, retry=False)
        except ItemError as error:
            raise TrackerError(
                f"The login page of {self._connection.base_url} cannot be had: {error}"
            ) from error
        if ims.is_login_page("", answer.text) or (_is_login(answer) and not _shows_account(answer)):
            raise LoginRefused(f"{self._connection.base_url} refused the name {name!r} or its password.")
        self._account = ims.parse_account(LexborDocument(answer.text), name)
        if self._options.get("page_size_cookie", True):
            self._client.cookies.set_cookie(large_pages(self._root))


def _is_login(response: Response) -> bool:
    # Most pages are told by their address and a look at their bytes, from the end, which takes half as long.
    is_large = len(response.body) > _LARGEST_REFUSAL
    if is_large or (response.body.rfind(b"assword") < 0 and response.body.rfind(b"ASSWORD") < 0):
        return ims.is_login_page(response.url, "")
    return ims.is_login_page(response.url, response.text)


def _shows_account(response: Response) -> bool:
    return b"userGrade" in response.body or b"userName" in response.body


def _is_file(answer: Response) -> bool:
    """Whether a file was sent: IMS sends no page as one."""
    return "content-disposition" in answer.headers
