"""What Jira answers when something is wrong, cut, or not for this account."""

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
    PageCut,
    PageRejected,
    TrackerError,
)
from crawler.records import AttachmentRecord, IssueRecord
from crawler.source import Connection, Reference
from crawler.sources.jira import KIND
from crawler.sources.jira.source import JiraSource
from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.virtualtime import VirtualTime
from tests.trackers.jira.standin import SECRET, TOKEN, USER, JiraStandIn, filled
from tests.trackers.suite import numbers

PAGE = Reply(b"<html><title>Log in</title></html>", 200, {"Content-Type": "text/html"})
CAPTCHA = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=x"}
REFUSED = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}


@pytest.fixture
def server() -> Iterator[JiraStandIn]:
    jira = filled()
    with jira.serving():
        yield jira


@pytest.fixture
def cloud() -> Iterator[JiraStandIn]:
    jira = filled(is_cloud=True)
    with jira.serving():
        yield jira


@pytest.fixture(params=["server", "cloud"])
def jira(request: pytest.FixtureRequest) -> JiraStandIn:
    found: JiraStandIn = request.getfixturevalue(request.param)
    return found


@asynccontextmanager
async def opened(jira: JiraStandIn, **other: Any) -> AsyncIterator[JiraSource]:
    who = {"username": USER, "password": SECRET} if jira.is_cloud else {"password": TOKEN}
    time = VirtualTime()
    async with Client(jira.url, sleep=time.sleep, clock=time.clock, tries=3) as client:
        yield JiraSource(Connection(base_url=jira.url, **(who | other)), client)


def instead(jira: JiraStandIn, end: str, reply: Reply, *, times: int = 1000) -> None:
    """Answer the next requests whose path ends so with something else."""
    left = [reply] * times

    def answer(asked: Asked) -> Reply | None:
        return left.pop() if left and asked.path.endswith(end) else None

    jira.before.append(answer)


async def record(source: JiraSource, key: str) -> IssueRecord:
    parser = KIND.open_parser(Connection(base_url="https://jira.example.com"))
    return parser.parse(await source.fetch(Reference(issue_id=key)))


@pytest.mark.parametrize(
    ("end", "reply", "kind", "sentence"),
    [
        ("serverInfo", PAGE, TrackerError, "does not answer as a Jira"),
        ("serverInfo", Reply({}), TrackerError, "does not answer as a Jira"),
        ("serverInfo", Reply({"version": "2.4"}), TrackerError, "does not answer as a Jira"),
        ("serverInfo", Reply(b"", 404), TrackerError, "does not answer as a Jira"),
        ("serverInfo", Reply(b"", 403), TrackerError, "REST API may be used"),
        ("serverInfo", Reply({"version": "5.2.1", "versionNumbers": [5, 2, 1]}), TrackerError, "too old"),
        ("myself", PAGE, TrackerError, "address is that of a Jira"),
        ("myself", Reply([]), TrackerError, "who is logged in"),
        ("myself", Reply({}, 500), TrackerError, "who is logged in"),
        ("myself", Reply({}, 401), LoginRefused, "personal access token"),
        ("myself", Reply({}, 200, REFUSED), LoginRefused, "API token"),
        (
            "myself",
            Reply({}, 403, {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; x"}),
            LoginRefused,
            "captcha",
        ),
    ],
)
async def test_a_login_that_fails_says_what_to_do(
    server: JiraStandIn, end: str, reply: Reply, kind: type[CrawlError], sentence: str
) -> None:
    instead(server, end, reply)
    async with opened(server) as source:
        with pytest.raises(kind, match=sentence) as error:
            await source.login()
    assert TOKEN not in str(error.value)


async def test_a_zone_that_nobody_knows_is_none(server: JiraStandIn) -> None:
    instead(server, "myself", Reply({"timeZone": "../../Mars"}))
    async with opened(server) as source:
        assert await numbers(source, since=server.now)  # a day and more too many, and not one too few


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (PAGE, "page of a proxy or of a login"),
        (Reply({"issues": None, "total": 3}), "not a list of issues"),
        (Reply({"issues": {}, "total": 3}), "not a list of issues"),
        (Reply({"issues": [{"key": "DOC-1"}], "total": 3}), "not a list of issues"),
        (Reply({"errorMessages": ["Something about JQL."]}, 400), "does not answer a search"),
        (Reply({"errorMessages": ["Gone"]}, 410), "does not answer a search"),
        (Reply(b"", 500), "does not answer a search"),
        (Reply([]), "not a list of issues"),
    ],
)
async def test_a_list_that_is_none_stops_the_search(jira: JiraStandIn, reply: Reply, sentence: str) -> None:
    instead(jira, "/search/jql" if jira.is_cloud else "/search", reply)
    async with opened(jira) as source:
        with pytest.raises(TrackerError, match=sentence):
            await numbers(source)


async def test_a_server_list_without_its_total_stops_the_search(server: JiraStandIn) -> None:
    instead(server, "/search", Reply({"issues": []}))
    async with opened(server) as source:
        with pytest.raises(TrackerError, match=r"\$\.total"):
            await numbers(source)


@pytest.mark.parametrize("reply", [PAGE, Reply({"values": None}), Reply([{"key": None}]), Reply({}, 403)])
async def test_projects_that_cannot_be_listed_are_no_unknown_product(jira: JiraStandIn, reply: Reply) -> None:
    instead(jira, "/project/search" if jira.is_cloud else "/project", reply)
    async with opened(jira) as source:
        with pytest.raises(TrackerError):
            await numbers(source, product="DOC")


async def test_a_page_in_place_of_an_issue_is_kept_and_rejected(jira: JiraStandIn) -> None:
    instead(jira, "/issue/DOC-1", PAGE)
    async with opened(jira) as source:
        (page,) = await source.fetch(Reference(issue_id="DOC-1"))
        assert page.body == PAGE.body
        with pytest.raises(PageRejected):
            await record(source, "DOC-1")


async def test_a_token_that_is_taken_away_stops_and_buries_nothing(jira: JiraStandIn) -> None:
    async with opened(jira) as source:
        await source.login()
        jira.before.append(lambda asked: Reply({}, 401 if "myself" in asked.path else 404, REFUSED))
        with pytest.raises(LoginRefused):
            await source.fetch(Reference(issue_id="DOC-1"))
        with pytest.raises(LoginRefused):
            await source.fetch_many([Reference(issue_id="DOC-1"), Reference(issue_id="DOC-2")])


async def test_a_list_for_a_stranger_is_no_empty_list(cloud: JiraStandIn) -> None:
    async with opened(cloud) as source:
        await source.login()
        instead(cloud, "/search/jql", Reply({"issues": [], "isLast": True}, 200, REFUSED))
        with pytest.raises(LoginRefused):
            await numbers(source)


async def test_an_issue_in_another_order_is_the_same_page(jira: JiraStandIn) -> None:
    async with opened(jira) as source:
        (page,) = await source.fetch(Reference(issue_id="DOC-2"))
        issue = jira.issues[1]
        issue.more = dict(reversed(issue.more.items()))
        issue.more["customfield_10002"] = dict(reversed(issue.more["customfield_10002"].items()))
        (again,) = await source.fetch(Reference(issue_id="DOC-2"))
    assert again.body == page.body


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Forbidden), (403, Forbidden), (404, NotFound), (410, NotFound)]
)
async def test_what_this_account_may_not_see_is_told_from_a_lost_login(
    server: JiraStandIn, status: int, kind: type[ItemError]
) -> None:
    instead(server, "/issue/DOC-3", Reply({"errorMessages": ["no"]}, status))
    async with opened(server) as source:
        with pytest.raises(kind):
            await source.fetch(Reference(issue_id="DOC-3"))
        assert (await record(source, "DOC-4")).issue_id == "DOC-4"


@pytest.mark.parametrize("key", ["", "DOC", "DOC-", "../myself", "DOC-1/comment", "DOC-1?x", "1 or 2"])
async def test_what_is_no_key_is_not_asked_for(server: JiraStandIn, key: str) -> None:
    async with opened(server) as source:
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id=key))
        (outcome,) = await source.fetch_many([Reference(issue_id=key)])
        assert isinstance(outcome, NotFound)
    assert not any("myself" in each.path or "issue" in each.path for each in server.asked[2:])


async def test_a_batch_gives_what_each_issue_gives_alone(jira: JiraStandIn) -> None:
    moved, deleted = jira.of("DOC")[3:5]
    old = moved.key
    jira.move(moved, "OPS")
    jira.issues.remove(deleted)
    keys = [jira.of("DOC")[0].key, deleted.key, old, jira.of("OPS")[0].key]
    async with opened(jira) as source:
        together = await source.fetch_many([Reference(issue_id=key) for key in keys])
        for key, outcome in zip(keys, together, strict=True):
            if key == deleted.key:
                assert isinstance(outcome, NotFound)
                continue
            alone = await source.fetch(Reference(issue_id=key))
            assert not isinstance(outcome, ItemError)
            told = [[(page.part, page.url, page.body) for page in pages] for pages in (alone, outcome)]
            assert told[0] == told[1]
        assert (await record(source, old)).issue_id == moved.key


@pytest.mark.parametrize(
    "reply", [Reply(b"", 500), PAGE, Reply([]), Reply({"issues": [None, {"key": 5}, {}]})]
)
async def test_a_batch_that_cannot_be_had_is_asked_for_one_by_one(jira: JiraStandIn, reply: Reply) -> None:
    instead(jira, "/issue/bulkfetch" if jira.is_cloud else "/search", reply)
    async with opened(jira) as source:
        outcomes = await source.fetch_many([Reference(issue_id=f"DOC-{number}") for number in (1, 2)])
    assert not any(isinstance(each, ItemError) for each in outcomes)


@pytest.mark.parametrize("cap", [0, 3, 100])
async def test_what_is_cut_is_asked_for_to_its_end(jira: JiraStandIn, cap: int) -> None:
    jira.has_changelog = True
    jira.comment_cap, jira.changelog_cap = cap or 1, cap or 1
    issue = jira.of("DOC")[0]
    for number in range(230):
        jira.comment(issue, f"Comment {number}")
        jira.change(issue, status=f"Step {number}")
    async with opened(jira) as source:
        (pages,) = await source.fetch_many([Reference(issue_id=issue.key)])
        assert not isinstance(pages, ItemError)
        read = KIND.open_parser(Connection(base_url="")).parse(pages)
    assert len(read.comments) == read.comments_announced == 233
    assert len(read.history) == read.history_announced == 233
    assert [each.content for each in read.comments[3:]] == [f"Comment {number}" for number in range(230)]
    times = [each.changed_at for each in read.history if each.changed_at]
    assert times == sorted(times)
    parts = [page.part for page in pages]
    assert parts == ["issue", *(f"{name}/{n}" for name in ("comments", "changelog") for n in (1, 2, 3))]


async def test_history_that_a_server_keeps_to_itself_is_announced(server: JiraStandIn) -> None:
    server.changelog_cap = 1
    async with opened(server) as source:
        read = await record(source, "DOC-1")
    assert (len(read.history), read.history_announced) == (2, 3)
    assert read.warnings == ("This Jira keeps 1 of 2 entries of the issue's history to itself.",)


@pytest.mark.parametrize("name", ["comment", "changelog"])
@pytest.mark.parametrize("body", [{"total": 9}, {"total": 9, "comments": [], "values": []}, b"<html>", []])
async def test_a_rest_that_does_not_come_rejects_the_issue(cloud: JiraStandIn, name: str, body: Any) -> None:
    cloud.comment_cap = cloud.changelog_cap = 1
    instead(cloud, f"/{name}", Reply(body))
    async with opened(cloud) as source:
        with pytest.raises(PageRejected):
            await record(source, "DOC-1")


async def test_comments_that_are_fewer_than_announced_are_asked_for_again(server: JiraStandIn) -> None:
    server.comment_cap = 1
    told = {"total": 3, "startAt": 0, "comments": [{"id": "1", "body": "a"}]}
    instead(server, "/comment", Reply(told))
    async with opened(server) as source:
        with pytest.raises(PageCut):
            await record(source, "DOC-1")


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "0", "X-RateLimit-Remaining": "0"},
        {"Retry-After": "4"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2100-01-01T00:00Z"},
        {"RateLimit-Reason": "jira-burst-based"},
        {"Content-Type": "text/html"},
    ],
)
async def test_a_limit_is_waited_for_and_buries_nothing(jira: JiraStandIn, headers: dict[str, str]) -> None:
    instead(jira, "/issue/DOC-1", Reply(b"<html>busy</html>", 429, headers), times=2)
    async with opened(jira) as source:
        assert (await record(source, "DOC-1")).issue_id == "DOC-1"
        instead(jira, "/issue/DOC-2", Reply(b"", 429, headers))
        with pytest.raises(ItemError) as error:
            await source.fetch(Reference(issue_id="DOC-2"))
    assert not isinstance(error.value, NotFound | Forbidden)


async def test_a_file_is_had_and_a_login_page_is_none(server: JiraStandIn) -> None:
    async with opened(server) as source:
        (file,) = (await record(source, "DOC-1")).attachments
        assert (await source.download(file)).body == b"a line\n"
        server.gives_files_to_tokens = False
        with pytest.raises(Forbidden, match="name with its password"):
            await source.download(file)
        with pytest.raises(NotFound):
            await source.download(AttachmentRecord(filename="gone"))


@pytest.mark.parametrize(("name", "kind"), [("a.html", None), ("page", "text/html")])
async def test_a_file_that_is_a_page_is_had(server: JiraStandIn, name: str, kind: str | None) -> None:
    server.attach(server.issues[0], name, b"<p>", "text/html")
    number = server.issues[0].files[-1]["id"]
    file = AttachmentRecord(
        filename=name, file_type=kind, download_url=f"{server.url}/secure/attachment/{number}/{name}"
    )
    async with opened(server) as source:
        assert (await source.download(file)).body == b"<p>"


async def test_a_file_in_the_cloud_comes_from_jira_itself(cloud: JiraStandIn) -> None:
    async with opened(cloud) as source:
        (file,) = (await record(source, "DOC-2")).attachments
        assert (await source.download(file)).body == b"\x00\x01\x02"


async def test_without_a_secret_it_is_read_as_anybody_may(server: JiraStandIn) -> None:
    server.is_public = True
    async with opened(server, password=None) as source:
        assert len(await numbers(source)) == len(server.issues)
        assert (await record(source, "DOC-1")).issue_id == "DOC-1"
        server.issues[2].hidden = True
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="DOC-3"))
    assert not any("authorization" in each.headers for each in server.asked)


async def test_recognise_tells_a_jira_from_anything_else(jira: JiraStandIn) -> None:
    assert KIND.recognise is not None
    async with Client(jira.url) as client:
        assert await KIND.recognise(client) == ("Jira Cloud" if jira.is_cloud else "Jira 9.12.4")
        assert not any("authorization" in each.headers for each in jira.asked)
        instead(jira, "serverInfo", Reply({"version": "4.2"}))
        assert await KIND.recognise(client) is None
