"""The source of a Bugzilla without a REST API: lists as CSV, bugs as XML, histories as pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from crawler.client import Client, Response
from crawler.errors import Forbidden, ItemError, NotFound, PageCut, PageRejected, TrackerError
from crawler.http.decode import decode
from crawler.http.login_gate import LoginGate
from crawler.http.transfer import Transfer
from crawler.query import Tree
from crawler.query.numbers import asked_numbers
from crawler.records import AttachmentRecord, Json
from crawler.source import Connection, RawPage, Reference, SearchPage
from crawler.sources.bugzilla.cgi.login import CgiLogin
from crawler.sources.bugzilla.cursor import LOOKED_UP, BugzillaCursor, below_which
from crawler.sources.bugzilla.parse.listing import read_list, read_products
from crawler.sources.bugzilla.parse.page import error_of
from crawler.sources.bugzilla.parse.xml import alone, clean, read_bugzilla
from crawler.sources.bugzilla.products import products_named
from crawler.together import together

_LAST = 2_147_483_647
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 3, tzinfo=UTC)

Pages = tuple[RawPage, ...]


class CgiBugzilla:
    """A Bugzilla, seen through its pages by one account."""

    def __init__(self, connection: Connection, client: Client, *, page_size: int, title: str) -> None:
        self._client = client
        self._base = connection.base_url.rstrip("/")
        self._zone = ZoneInfo(connection.timezone or "UTC")
        self._page_size = page_size
        self._title = title
        self._login = CgiLogin(connection, client)
        self._gate = LoginGate(self._login.log_in)

    async def login(self) -> None:
        """Log in, where there is a name; see :class:`crawler.source.Source`."""
        if self._login.is_wanted:
            await self._gate.renew(self._gate.generation)

    def learnt(self) -> dict[str, Json]:
        """See :class:`crawler.source.SharingSource`."""
        return {"title": self._title}

    async def search(
        self,
        query: Tree | None,
        *,
        product: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Yield pages of numbers, the largest first; see :class:`crawler.source.Source`."""
        place = BugzillaCursor() if cursor is None else BugzillaCursor.read(cursor)
        if cursor is None and product is not None:
            known = read_products((await self._get("query.cgi", [("format", "advanced")])).text)
            place = replace(place, products=products_named(product, known))
        wanted = asked_numbers(query).numbers
        numbers = None if wanted is None else sorted(wanted, reverse=True)
        given = 0
        while limit is None or given < limit:
            size = self._page_size if limit is None else min(self._page_size, limit - given)
            below = _LAST if place.below is None else place.below
            asked = None if numbers is None else [each for each in numbers if each < below][:LOOKED_UP]
            found = [] if asked == [] else await self._list(place, below, since, size, asked)
            given += len(found)
            floor = below_which((number for number, _ in found), asked)
            place = replace(place, below=floor)
            if floor is None:
                await self._be_still_known()
            yield SearchPage(
                references=tuple(Reference(issue_id=str(number), modified=time) for number, time in found),
                cursor=None if floor is None else place.text(),
                server=self._title,
            )
            if floor is None:
                return

    async def many(self, numbers: Sequence[str]) -> list[Pages | ItemError]:
        """The pages of bugs, or why one cannot be had, in the order of the numbers."""
        found = await self._bugs([number for number in numbers if _is_number(number)])
        return await together([self._outcome(number, found.get(number)) for number in numbers])

    async def _outcome(self, number: str, bug: RawPage | None) -> Pages | ItemError:
        try:
            if not _is_number(number):
                raise NotFound(f"Bugzilla has numbers for its bugs, and {number[:80]!r} is none.")
            return await self._with_history(number, bug or await self._bug(number))
        except ItemError as error:
            return error

    async def download(self, attachment: AttachmentRecord, into: Transfer | None = None) -> RawPage:
        """Get an attached file; see :class:`crawler.source.Source`."""
        address = attachment.download_url
        if address is None:
            raise NotFound(f"Bugzilla does not tell where {attachment.filename!r} is.")
        answer = await self._client.download(address, into=into, is_file=_is_file)
        if not _is_file(answer):
            raise Forbidden(f"Bugzilla sends a page in place of the file {attachment.filename!r}.")
        return _page(answer, address, "attachment", answer.body)

    async def _list(
        self,
        place: BugzillaCursor,
        below: int,
        since: datetime | None,
        size: int,
        numbers: Sequence[int] | None,
    ) -> list[tuple[int, datetime | None]]:
        params = [("query_format", "advanced"), ("ctype", "csv"), ("columnlist", "bug_id,changeddate")]
        params += [("order", "bug_id DESC"), ("limit", str(size))]
        params += [("field0-0-0", "bug_id"), ("type0-0-0", "lessthan"), ("value0-0-0", str(below))]
        params += [("product", name) for name in place.products]
        if since is not None:
            # By the day of a clock that may be anywhere.
            day = max(since.astimezone(UTC), _EPOCH) - _DAY
            params += [("chfieldfrom", f"{day:%Y-%m-%d}"), ("chfieldto", "Now")]
        if numbers is not None:
            params += [("bug_id", ",".join(map(str, numbers))), ("bugidtype", "include")]
        answer = await self._get("buglist.cgi", params)
        found = read_list(decode(answer.body, answer.content_type).text, self._zone)
        if [number for number, _ in found] != sorted({number for number, _ in found}, reverse=True):
            raise TrackerError("Bugzilla does not give its list by falling numbers: it cannot be read whole.")
        return [(number, time) for number, time in found if number < below]

    async def _bugs(self, numbers: Sequence[str]) -> dict[str, RawPage]:
        """The pages of those bugs that one answer brings."""
        if len(numbers) < 2:
            return {}
        try:
            answer, body = await self._xml(numbers)
            root = read_bugzilla(body)
        except ItemError:
            return {}  # one by one says what is wrong with which
        pages: dict[str, RawPage] = {}
        for bug in root.each("bug"):
            number = bug.find("bug_id")
            if number in numbers and number is not None and "error" not in bug.attributes:
                pages[number] = _page(answer, self._address(number), "xml", alone(body, root, bug))
        return pages

    async def _bug(self, number: str) -> RawPage:
        answer, body = await self._xml([number])
        page = _page(answer, self._address(number), "xml", body)
        try:
            bugs = list(read_bugzilla(body).each("bug"))
        except PageCut:
            raise
        except PageRejected:
            return page  # kept as it came: the parser says what it is
        if len(bugs) == 1 and (refusal := error_of(bugs[0], number)) is not None:
            raise refusal
        return page

    async def _xml(self, numbers: Sequence[str]) -> tuple[Response, bytes]:
        params = [("ctype", "xml"), ("excludefield", "attachmentdata"), *(("id", each) for each in numbers)]
        answer = await self._gate.page(
            lambda: self._ask("show_bug.cgi", params), lambda told: self._login.is_lost(told.body)
        )
        return answer, clean(answer.body)

    async def _with_history(self, number: str, bug: RawPage) -> Pages:
        answer = await self._ask("show_activity.cgi", [("id", number)])
        address = f"{self._base}/show_activity.cgi?id={number}"
        return bug, _page(answer, address, "activity", answer.body)

    async def _be_still_known(self) -> None:
        """A list for somebody whose login ended would be too short, and nothing in it says so."""
        if self._login.is_wanted and self._login.is_lost((await self._xml_once()).body):
            raise TrackerError("Bugzilla ended the login while its list was read: resume the session.")

    async def _xml_once(self) -> Response:
        return await self._get("show_bug.cgi", [("ctype", "xml"), ("id", "1"), ("excludefield", "long_desc")])

    async def _get(self, path: str, params: Sequence[tuple[str, str]]) -> Response:
        try:
            return await self._ask(path, params)
        except ItemError as error:
            raise TrackerError(f"Bugzilla does not answer {path}: {error}") from error

    async def _ask(self, path: str, params: Sequence[tuple[str, str]]) -> Response:
        try:
            return await self._client.get(path, params=params, headers={"Accept-Language": "en"})
        except (NotFound, Forbidden) as error:  # Bugzilla says so with status 200
            raise TrackerError(f"{error} Bugzilla itself would say why: ask its administrators.") from error

    def _address(self, number: str) -> str:
        return f"{self._base}/show_bug.cgi?id={number}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12 and str(int(text)) == text


def _page(answer: Response, address: str, part: str, body: bytes) -> RawPage:
    return RawPage(
        url=address, body=body, content_type=answer.content_type, part=part, fetched_at=datetime.now(UTC)
    )


def _is_file(answer: Response) -> bool:
    """Whether a file was sent: pages of errors come as files named so, with status 200."""
    disposition = answer.headers.get("content-disposition", "")
    return 'filename="error-' not in disposition and "filename=" in disposition
