"""The IMS source against the stand-in tracker."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
from msgspec import structs

from crawler.client import Client
from crawler.errors import Forbidden, LoginRefused, NotFound, TrackerError
from crawler.records import AttachmentRecord, IssueRecord
from crawler.source import Connection, Reference
from crawler.sources.ims import KIND
from crawler.sources.ims.parse.issue import ImsParser
from crawler.sources.ims.source import ImsSource
from crawler.sources.ims.standin import File, Issue, Listing, StandIn
from tests.fixtures.taken import taken
from tests.trackers.suite import SourceSuite, Tracker, numbers

SEARCH = "/tody/ims/issue/issueSearchList.do"
LOGIN = "/tody/auth/login.do"


def account(standin: StandIn, name: str = "kim", **options: object) -> Connection:
    return Connection(base_url=standin.url, username=name, password=f"{name}-secret", options=options)


def visible(standin: StandIn, name: str) -> list[Issue]:
    issues = [standin.issue(number) for number in standin.world.numbers()]
    return [issue for issue in issues if name not in issue.hidden_from]


def posts(standin: StandIn) -> int:
    """How often a name and a password were sent."""
    return sum(1 for request in standin.log if request.path == LOGIN and request.method == "POST")


@pytest.fixture
def tracker(standin: StandIn) -> Tracker:
    shown = visible(standin, "kim")
    return Tracker(
        kind=KIND,
        connection=account(standin),
        issues=frozenset(str(issue.number) for issue in shown),
        missing="999999",
        product="OpenFrame",
        product_issues=frozenset(str(i.number) for i in shown if i.product.startswith("OpenFrame")),
        word="Tibero",
        word_issues=frozenset(
            str(i.number) for i in shown if "tibero" in f"{i.title} {i.description}".lower()
        ),
        markup_expected=frozenset({"346660"}),  # its words are about HTML
        expire_sessions=standin.expire_sessions,
        logins=lambda: sum(
            1 for request in standin.log if request.path == LOGIN and request.method == "POST"
        ),
    )


class TestIms(SourceSuite):
    """IMS by its pages."""


def client_of(connection: Connection) -> Client:
    return Client(connection.base_url, concurrency=4)


async def issue(source: ImsSource, number: str) -> IssueRecord:
    """One issue, fetched and parsed as the source's connection says."""
    pages = await source.fetch(Reference(issue_id=number))
    return ImsParser(source._connection).parse(pages)


async def everything(connection: Connection, **how: object) -> list[str]:
    async with client_of(connection) as client:
        return await numbers(ImsSource(connection, client), **how)


@pytest.mark.parametrize("name", ["kim", "sato", "smith"])
async def test_each_account_finds_and_reads_what_it_may_see(standin: StandIn, name: str) -> None:
    connection = account(standin, name)
    hidden = {str(n) for n in standin.world.numbers()} - {str(i.number) for i in visible(standin, name)}
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        found = await numbers(source)
        records = [await issue(source, number) for number in found]
        for number in hidden:
            with pytest.raises(Forbidden):
                await issue(source, number)
    assert hidden
    assert sorted(found) == sorted(str(i.number) for i in visible(standin, name))
    shown = [
        record.customer for record in records if standin.issue(int(record.issue_id)).fields.get("Customer")
    ]
    assert shown
    assert all(shown) is (name != "sato"), "sato is not shown who the customer is"


async def test_every_issue_is_read_as_the_tracker_has_it(standin: StandIn) -> None:
    connection = account(standin)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        for known in visible(standin, "kim"):
            record = await issue(source, str(known.number))
            guessed = known.form.encoding != "utf-8" and known.form.charset != "right"
            assert ["was guessed" in warning for warning in record.warnings] == [True] * guessed
            assert record.title == " ".join(known.title.split())
            assert (record.product, record.status) == (known.product, known.status)
            assert [c.number for c in record.comments] == [action.number for action in known.actions]
            assert len(record.history) == sum(len(change.lines) for change in known.changes)
            assert sorted(file.filename for file in record.attachments) == sorted(
                " ".join(file.name.split()) for file in known.files
            )
            texts = [
                (c.content, action.text) for c, action in zip(record.comments, known.actions, strict=True)
            ]
            assert all("".join(text.split()) in "".join(content.split()) for content, text in texts)
            if known.description_html is None:
                assert "".join((record.description or "").split()) == "".join(known.description.split())


async def test_broken_pages_lose_no_comment(standin: StandIn) -> None:
    async with StandIn.demo(broken=True) as tracker:
        connection = account(tracker)
        async with client_of(connection) as client:
            source = ImsSource(connection, client)
            records = [await issue(source, number) for number in await numbers(source)]
    mended = [record for record in records if any("was mended" in warning for warning in record.warnings)]
    assert len(mended) == len(records) - len(visible(standin, "kim")) > 0
    for record in mended:
        assert len(record.comments) == len(tracker.issue(int(record.issue_id)).actions)


@pytest.mark.parametrize("total", ["bracket", "id", "name", "script"])
@pytest.mark.parametrize("cookie", [True, False], ids=["large pages", "ten rows"])
@pytest.mark.parametrize(("row", "cell"), [("rowClickData", "th"), ("data", "td")])
async def test_every_form_of_the_list_is_read(total: str, cookie: bool, row: str, cell: str) -> None:
    listing = Listing(total=total, row=row, header_cell=cell, page_size_cookie=cookie)
    async with StandIn.demo(listing=listing) as tracker:
        found = await everything(account(tracker))
        asked = tracker.requests[SEARCH]
    assert sorted(found) == sorted(str(i.number) for i in visible(tracker, "kim"))
    assert asked == (1 if cookie else -(-len(found) // 10))


async def test_large_pages_need_not_be_asked_for(standin: StandIn) -> None:
    async with StandIn.demo(listing=Listing(page_size_cookie=True)) as tracker:
        await everything(account(tracker, page_size_cookie=False))
        assert tracker.requests[SEARCH] > 1


async def test_the_base_address_may_end_in_the_applications_path(standin: StandIn) -> None:
    connection = replace(account(standin), base_url=f"{standin.url}/tody")
    assert await everything(connection, limit=1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n<html>A news site.</html>\r\n",
    ],
    ids=["404", "200"],
)
async def test_a_server_without_a_login_page_is_no_ims_and_gets_no_password(answer: bytes) -> None:
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(
            base_url=f"http://127.0.0.1:{port}", username="kim", password="kim-secret", options={"path": "a"}
        )
        with pytest.raises(TrackerError, match="login page"):
            await everything(connection)
    assert received.startswith(b"GET /a/auth/login.do ")
    assert b"kim-secret" not in received


async def test_without_a_name_there_is_no_way_in(standin: StandIn) -> None:
    with pytest.raises(LoginRefused, match="name and a password"):
        await everything(Connection(base_url=standin.url))


async def test_a_refused_password_is_tried_once_only(standin: StandIn) -> None:
    connection = replace(account(standin), password="wrong")
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        results = await asyncio.gather(
            *(issue(source, str(n)) for n in standin.world.numbers()[:8]), return_exceptions=True
        )
    assert {type(result) for result in results} == {LoginRefused}
    assert posts(standin) == 1


async def test_a_password_that_changes_during_the_crawl_stops_it(standin: StandIn) -> None:
    connection = account(standin)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        found = await numbers(source)
        standin.set_password("kim", "changed-meanwhile")
        standin.expire_sessions()
        for number in found[:3]:
            with pytest.raises(LoginRefused):
                await issue(source, number)
    assert posts(standin) == 2


async def test_a_session_that_expires_during_a_search_is_renewed(standin: StandIn) -> None:
    connection = account(standin)
    found = []
    async with client_of(connection) as client:
        async for page in ImsSource(connection, client).search(None):
            standin.expire_sessions()
            found += [ref.issue_id for ref in page.references]
            if len(found) > 20:
                break
    assert len(set(found)) == len(found) > 20


async def test_a_session_that_ends_after_some_requests_is_renewed_for_as_long_as_it_brings_pages(
    standin: StandIn,
) -> None:
    standin.sessions.quota = 4
    connection = account(standin)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        found = await numbers(source)
        for at in range(0, 36, 3):
            records = await asyncio.gather(*(issue(source, number) for number in found[at : at + 3]))
            assert [record.issue_id for record in records] == found[at : at + 3]
    assert posts(standin) > 8


async def test_nothing_is_missed_while_issues_come_and_go(standin: StandIn) -> None:
    connection = account(standin)
    before = {str(i.number) for i in visible(standin, "kim")}
    gone, found = set(), []
    model = standin.issue(max(standin.world.numbers()))
    async with client_of(connection) as client:
        async for page in ImsSource(connection, client).search(None):
            found += [ref.issue_id for ref in page.references]
            if len(gone) < 3:
                victim = found[len(gone)]
                standin.remove_issue(int(victim))
                gone.add(victim)
                standin.add_issue(replace(model, number=model.number + len(gone)))
    assert before - gone <= set(found)
    assert len(found) == len(set(found))


async def test_the_lists_columns_come_with_each_reference(standin: StandIn) -> None:
    connection = account(standin, "smith")
    async with client_of(connection) as client:
        page = await anext(ImsSource(connection, client).search(None))
    first = page.references[0]
    known = standin.issue(int(first.issue_id))
    assert first.listed["Subject"] == " ".join(known.title.split())
    assert first.listed["Status"] == known.status
    assert (
        first.url
        == f"{standin.url}/tody/ims/issue/issueView.do?issueId={first.issue_id}&menuCode=issue_search"
    )


@pytest.mark.parametrize("relation", ["issueId", "relationIssueId"])
async def test_related_issues_can_be_asked_for_as_well(relation: str) -> None:
    async with StandIn.demo(listing=Listing(relation=relation)) as tracker:
        known = next(i for i in visible(tracker, "kim") if i.related)
        connection = account(tracker, relations=True)
        async with client_of(connection) as client:
            source = ImsSource(connection, client)
            pages = await source.fetch(Reference(issue_id=str(known.number)))
        seen = {i.number for i in visible(tracker, "kim")}
    assert [page.part for page in pages] == ["issue", "relations"]
    expected = sorted(str(n) for n in known.related if n in seen)
    assert sorted(r.related_issue_id for r in ImsParser(connection).parse(pages).relations) == expected
    assert sorted(r.related_issue_id for r in ImsParser(connection).parse(pages[:1]).relations) == expected


async def test_patches_are_relations_where_they_are_asked_for(standin: StandIn) -> None:
    known = next(i for i in visible(standin, "kim") if i.patches)
    connection = account(standin, patches=True)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        record = await issue(source, str(known.number))
        plain = await issue(ImsSource(account(standin), client), str(known.number))
    patches = {r.related_issue_id for r in record.relations if r.relation_type == "patch"}
    assert patches
    assert patches <= {str(n) for n in standin.world.numbers()}
    assert record.project_code == known.project.code
    assert [r for r in plain.relations if r.relation_type == "patch"] == []


@pytest.mark.parametrize("download", ["address", "form"])
async def test_files_are_had_at_the_address_that_the_page_tells(download: str) -> None:
    async with StandIn.demo(listing=Listing(download=download)) as tracker:
        known = next(i for i in visible(tracker, "kim") if i.files)
        connection = account(tracker)
        async with client_of(connection) as client:
            source = ImsSource(connection, client)
            record = await issue(source, str(known.number))
            for file in known.files:
                found = next(f for f in record.attachments if f.source_id == str(file.number))
                assert (await source.download(found)).body == file.content
                assert await taken(source, found) == file.content
                assert found.file_type == ("patch" if file.kind == "PATCH" else None)


async def test_a_file_may_be_had_after_the_session_expired_and_may_hold_a_login_page(
    standin: StandIn,
) -> None:
    number = visible(standin, "kim")[0].number
    page = b'<html><input type="password"> not found</html>'
    standin.edit_issue(number, files=(File(number=77_001, name="login.html", content=page),))
    connection = account(standin)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        (file,) = (await issue(source, str(number))).attachments
        standin.expire_sessions()
        assert await taken(source, file) == page
        assert posts(standin) == 2
        standin.edit_issue(number, files=())
        for have in (source.download(file), taken(source, file)):
            with pytest.raises(NotFound):
                await have
        with pytest.raises(NotFound):
            await source.download(structs.replace(file, download_url=None))


@pytest.mark.parametrize("disposition", ["attachment", "inline; filename=x.html", "filename=x.html"])
async def test_a_file_that_holds_the_login_page_is_a_file(disposition: str) -> None:
    page = b'<html><form action="/tody/auth/login.do"><input type="password"> no permission </form></html>'
    logins = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal logins
        if request.url.path == LOGIN:
            logins += request.method == "POST"
            form = "" if request.method == "POST" else "<input type=password>"
            return httpx.Response(
                200, stream=httpx.ByteStream(f'<input name="userName">{form}</html>'.encode())
            )
        return httpx.Response(
            200,
            headers={"Content-Disposition": disposition, "Content-Type": "text/html"},
            stream=httpx.ByteStream(page),
        )

    connection = Connection(base_url="http://127.0.0.1:1", username="kim", password="kim-secret")
    async with Client(connection.base_url, transport=httpx.MockTransport(answer)) as client:
        source = ImsSource(connection, client)
        file = AttachmentRecord(filename="x.html", download_url="/tody/file?name=/auth/login.html")
        for _ in range(6):
            assert (await source.download(file)).body == page
            assert await taken(source, file) == page
    assert logins == 1


async def test_an_issue_that_moved_is_read_under_its_new_number(standin: StandIn) -> None:
    old = visible(standin, "kim")[0].number
    standin.move_issue(old, 900_001)
    connection = account(standin)
    async with client_of(connection) as client:
        record = await issue(ImsSource(connection, client), str(old))
    assert record.issue_id == "900001"
    assert "900001" in (record.url or "")


async def test_a_denied_issue_may_look_like_none() -> None:
    async with StandIn.demo(listing=Listing(denial="silent")) as tracker:
        hidden = next(n for n in tracker.world.numbers() if "kim" in tracker.issue(n).hidden_from)
        connection = account(tracker)
        async with client_of(connection) as client:
            with pytest.raises(NotFound):
                await issue(ImsSource(connection, client), str(hidden))


@pytest.mark.parametrize("number", ["", "x", "1;2", "../1", "１２", "-1"])
async def test_what_is_no_number_is_not_asked_for(standin: StandIn, number: str) -> None:
    connection = account(standin)
    async with client_of(connection) as client:
        with pytest.raises(NotFound):
            await issue(ImsSource(connection, client), number)
    assert standin.requests["/tody/ims/issue/issueView.do"] == 0


async def test_one_issue_costs_one_request(standin: StandIn) -> None:
    connection = account(standin)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        await source.login()
        before = standin.requests.total()
        await issue(source, str(visible(standin, "kim")[0].number))
    assert standin.requests.total() == before + 1


async def test_no_secret_is_in_what_is_kept(standin: StandIn) -> None:
    connection = account(standin)
    async with client_of(connection) as client:
        source = ImsSource(connection, client)
        pages = await source.fetch(Reference(issue_id=str(visible(standin, "kim")[0].number)))
        assert "kim-secret" not in repr((connection, source, pages, client))
    assert all(b"kim-secret" not in page.body and "kim-secret" not in page.url for page in pages)
