"""What Bugzilla answers when something is wrong, or not for this account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crawler.client import Client
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    PageRejected,
    TrackerError,
)
from crawler.records import AttachmentRecord, IssueRecord
from crawler.source import Connection, Reference
from crawler.sources.bugzilla import KIND
from crawler.sources.bugzilla.source import BugzillaSource
from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.virtualtime import VirtualTime
from tests.trackers.bugzilla.standin import KEY, KIM, BugzillaStandIn, failure, filled
from tests.trackers.suite import numbers

PAGE = Reply(b"<html><title>Log in</title></html>", 200, {"Content-Type": "text/html"})


@pytest.fixture(params=[False, True], ids=["5.0", "later"])
def bugzilla(request: pytest.FixtureRequest) -> Iterator[BugzillaStandIn]:
    standin = filled(knows_headers=request.param)
    with standin.serving():
        yield standin


@asynccontextmanager
async def opened(bugzilla: BugzillaStandIn, **other: Any) -> AsyncIterator[BugzillaSource]:
    time = VirtualTime()
    connection = Connection(base_url=f"{bugzilla.url}/bugs", **({"password": KEY} | other))
    async with Client(connection.base_url, sleep=time.sleep, clock=time.clock, tries=3) as client:
        yield BugzillaSource(connection, client)


def instead(bugzilla: BugzillaStandIn, end: str, reply: Reply, *, times: int = 1000) -> None:
    """Answer the next requests whose path ends so with something else."""
    left = [reply] * times

    def answer(asked: Asked) -> Reply | None:
        return left.pop() if left and asked.path.endswith(end) else None

    bugzilla.before.append(answer)


async def record(source: BugzillaSource, number: str) -> IssueRecord:
    parser = KIND.open_parser(Connection(base_url="https://bugs.example.com"))
    return parser.parse(await source.fetch(Reference(issue_id=number)))


@pytest.mark.parametrize(
    ("end", "reply", "kind", "sentence"),
    [
        ("/version", PAGE, TrackerError, "does not answer as a Bugzilla"),
        ("/version", Reply({}), TrackerError, "does not answer as a Bugzilla"),
        ("/version", Reply(b"", 404), TrackerError, "without show_bug.cgi"),
        ("/version", Reply(b"", 403), TrackerError, "does not answer as a Bugzilla"),
        ("/whoami", PAGE, TrackerError, "address is that of a Bugzilla"),
        ("/whoami", Reply({"id": 0}), LoginRefused, "API key"),
        ("/whoami", Reply([]), LoginRefused, "API key"),
        ("/whoami", failure(410), LoginRefused, "without a login"),
        ("/whoami", failure(306), LoginRefused, "make a new one"),
        ("/whoami", failure(100500), TrackerError, "error 100500"),
    ],
)
async def test_a_login_that_fails_says_what_to_do(
    bugzilla: BugzillaStandIn, end: str, reply: Reply, kind: type[CrawlError], sentence: str
) -> None:
    instead(bugzilla, end, reply)
    async with opened(bugzilla) as source:
        with pytest.raises(kind, match=sentence) as error:
            await source.login()
    assert KEY not in str(error.value)


async def test_a_key_of_somebody_else_is_refused(bugzilla: BugzillaStandIn) -> None:
    async with opened(bugzilla, username="lee@example.com") as source:
        with pytest.raises(LoginRefused, match="lee@example"):
            await source.login()
    async with opened(bugzilla, username=KIM) as source:
        await source.login()


async def test_a_key_in_the_header_of_red_hat() -> None:
    bugzilla = filled(knows_headers=True)
    told: list[str] = []

    def bearer(asked: Asked) -> Reply | None:
        told.append(asked.headers.get("authorization", ""))
        assert KEY not in asked.raw_path
        return Reply({"id": 7}) if asked.path.endswith("/whoami") else None

    bugzilla.before.append(bearer)
    with bugzilla.serving():
        async with opened(bugzilla, options={"bearer": True}) as source:
            await numbers(source)
    assert set(told) == {"", f"Bearer {KEY}"}  # the version is asked for without


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (PAGE, TrackerError),
        (Reply({"bugs": None}), TrackerError),
        (Reply({"bugs": {}}), TrackerError),
        (Reply({"bugs": [{"id": None}]}), TrackerError),
        (Reply({"bugs": [{"id": 1, "last_change_time": "soon"}]}), TrackerError),
        (Reply([]), TrackerError),
        (failure(1000), TrackerError),
        (failure(306), LoginRefused),
        (Reply({"error": True, "code": 306}, 200), LoginRefused),  # some proxies take the status away
        (Reply({"error": True, "code": 32000}), LoginRefused),
        (Reply({"error": True, "code": "x"}), TrackerError),
        (Reply(b"", 403), TrackerError),
        (Reply(b"", 404), TrackerError),
        (Reply(b"", 500), TrackerError),
        (Reply({}, 400), TrackerError),
    ],
)
async def test_a_list_that_is_none_stops_the_search(
    bugzilla: BugzillaStandIn, reply: Reply, kind: type[CrawlError]
) -> None:
    async with opened(bugzilla) as source:
        await source.login()
        instead(bugzilla, "/bug", reply)
        with pytest.raises(kind):
            await numbers(source)


@pytest.mark.parametrize("reply", [Reply(b"", 403), Reply({}, 404), PAGE, failure(306)])
@pytest.mark.parametrize("number", ["1", "999"])
async def test_what_is_not_bugzillas_own_word_buries_nothing(
    bugzilla: BugzillaStandIn, reply: Reply, number: str
) -> None:
    async with opened(bugzilla) as source:
        await source.login()
        for end in ("/bug", f"/bug/{number}"):
            instead(bugzilla, end, reply)
        with pytest.raises(TrackerError if reply.status in (200, 403, 404) else LoginRefused):
            await source.fetch(Reference(issue_id=number))


@pytest.mark.parametrize("number", ["", "x", "1/comment", "01", "٣", "-1", "1,2", "9" * 30])
async def test_what_is_no_number_is_not_asked_for(bugzilla: BugzillaStandIn, number: str) -> None:
    async with opened(bugzilla) as source:
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id=number))
    assert not any("/comment" in each.path for each in bugzilla.asked)


async def test_a_batch_gives_what_each_bug_gives_alone(bugzilla: BugzillaStandIn) -> None:
    bugzilla.bugs[3].hidden = True
    wanted = ["1", "2", "3", "999", "5"]
    async with opened(bugzilla) as source:
        together = await source.fetch_many([Reference(issue_id=number) for number in wanted])
        kinds = [type(each) if isinstance(each, ItemError) else None for each in together]
        assert kinds == [None, None, Forbidden, NotFound, None]
        for number, outcome in zip(wanted, together, strict=True):
            if not isinstance(outcome, ItemError):
                alone = await source.fetch(Reference(issue_id=number))
                told = [[(page.part, page.url, page.body) for page in pages] for pages in (alone, outcome)]
                assert told[0] == told[1]
                assert not any(b"update_token" in page.body for page in outcome)


@pytest.mark.parametrize("end", ["/comment", "/history", "/attachment"])
@pytest.mark.parametrize("reply", [failure(102), failure(100500), Reply({"bugs": {}}), Reply({"bugs": None})])
async def test_a_part_that_one_bug_spoils_is_asked_for_one_by_one(
    bugzilla: BugzillaStandIn, end: str, reply: Reply
) -> None:
    def spoiled(asked: Asked) -> Reply | None:
        return reply if asked.path.endswith(end) and "ids" in asked.query else None

    bugzilla.before.append(spoiled)
    async with opened(bugzilla) as source:
        outcomes = await source.fetch_many([Reference(issue_id=number) for number in ("1", "2")])
        assert not any(isinstance(each, ItemError) for each in outcomes)
        instead(bugzilla, end, reply)
        outcomes = await source.fetch_many([Reference(issue_id=number) for number in ("1", "2")])
        assert all(isinstance(each, ItemError) for each in outcomes)


async def test_a_crash_over_one_bug_costs_that_bug(bugzilla: BugzillaStandIn) -> None:
    instead(bugzilla, "/bug/2", failure(100500))
    bugzilla.before.append(
        lambda asked: failure(100500) if "_all" in asked.raw_path and "id" in asked.query else None
    )
    async with opened(bugzilla) as source:
        outcomes = await source.fetch_many([Reference(issue_id=number) for number in ("1", "2", "4")])
    assert [isinstance(each, ItemError) for each in outcomes] == [False, True, False]


async def test_files_come_through_the_api(bugzilla: BugzillaStandIn) -> None:
    gone = bugzilla.attach(bugzilla.bugs[1], "gone.txt", b"")
    page = bugzilla.attach(bugzilla.bugs[1], "page.html", b"<p>", content_type="text/html")
    odd = bugzilla.attach(bugzilla.bugs[1], "odd", b"x", data="a")
    async with opened(bugzilla) as source:
        files = {file.source_id: file for file in (await record(source, "1")).attachments}
        first = next(iter(files.values()))
        assert (await source.download(first)).body == b"a line\n"
        told = await source.download(files[str(page)])
        assert (told.body, told.content_type) == (b"<p>", "text/html")
        with pytest.raises(NotFound, match="deleted"):
            await source.download(files[str(gone)])
        with pytest.raises(PageRejected):
            await source.download(files[str(odd)])
        bugzilla.bugs[1].files.clear()
        with pytest.raises(NotFound):
            await source.download(first)
        with pytest.raises(NotFound):
            await source.download(AttachmentRecord(filename="nowhere"))


async def test_a_limit_is_waited_for(bugzilla: BugzillaStandIn) -> None:
    instead(bugzilla, "/bug/1/history", Reply(b"", 429, {"Retry-After": "4"}), times=2)
    async with opened(bugzilla) as source:
        assert (await record(source, "1")).issue_id == "1"


async def test_without_a_key_it_is_read_as_anybody_may(bugzilla: BugzillaStandIn) -> None:
    async with opened(bugzilla, password=None) as source:
        found = await numbers(source)
        assert "5" not in found  # it has a group
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="5"))


async def test_recognise_tells_a_bugzilla_from_anything_else(bugzilla: BugzillaStandIn) -> None:
    assert KIND.recognise is not None
    async with Client(f"{bugzilla.url}/bugs") as client:
        assert await KIND.recognise(client) == f"Bugzilla {'5.1.2' if bugzilla.knows_headers else '5.0.6'}"
        assert not any(KEY in f"{each.raw_path} {each.headers}" for each in bugzilla.asked)
        for reply in (PAGE, Reply({}), Reply([])):
            bugzilla.before.clear()
            instead(bugzilla, "/bug/0", reply)
            assert await KIND.recognise(client) is None
