"""The source against a stand-in: the suite of all kinds, and what is GitHub's alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.client import Client
from crawler.errors import (
    Forbidden,
    LoginRefused,
    NotFound,
    NotPermitted,
    PageRejected,
    TrackerError,
    UnknownProduct,
    UsageError,
)
from crawler.query import parse_direct
from crawler.records import AttachmentRecord, State
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.virtualtime import VirtualTime
from tests.trackers.github.standin import NAME, OTHER, TOKEN, GitHubStandIn, user
from tests.trackers.suite import SourceSuite, Tracker, numbers
from tests.trackers.suite import issue as issue_of

KIND = find_kind("github")


@pytest.fixture
def server() -> Iterator[GitHubStandIn]:
    """A repository of seven issues, one of them closed, one with a file."""
    server = GitHubStandIn()
    with server.serving():
        server.issues[3].update(state="closed", state_reason="not_planned", closed_at="2026-03-01T10:00:00Z")
        server.happen(3, "closed", state_reason="not_planned")
        path = f"/{NAME}/files/77/%EB%A1%9C%EA%B7%B8.txt"
        server.comment(5, f"see [the log]({server.url}{path})")
        server.files[f"/{NAME}/files/77/로그.txt"] = b"log\n"
        server.asked.clear()
        yield server


def tracker_of(server: GitHubStandIn, **changed: Any) -> Tracker:
    connection = Connection(base_url=server.base, password=TOKEN, options={"page_size": 3})
    seen = frozenset(str(number) for number in server.issues)
    return Tracker(
        kind=KIND,
        connection=replace(connection, **changed),
        issues=seen,
        missing="99",
        product="DESK",
        product_issues=seen,
        word="timeouts",
        word_issues=frozenset({"1", "3", "5", "7"}),
    )


@pytest.fixture
def tracker(server: GitHubStandIn) -> Tracker:
    """The account with the token."""
    return tracker_of(server)


class TestStandIn(SourceSuite):
    """GitHub by its API."""

    async def test_the_total_is_the_trackers_own(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            assert {page.total async for page in source.search(None)} == {None}  # GitHub tells none


async def test_an_issue_without_comments_costs_two_requests(server: GitHubStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        server.asked.clear()
        await source.fetch(Reference(issue_id="1"))
        await source.fetch(Reference(issue_id="5"))  # its comment is in the timeline
    assert sorted(server.asked_paths()) == sorted(
        f"/repos/{NAME}/issues/{rest}" for rest in ("1", "1/timeline", "5", "5/timeline")
    )


async def test_a_timeline_is_read_to_its_last_page_and_is_history_and_comments(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    for number in range(230):
        server.happen(2, "labeled", label={"name": f"label {number}"})
        server.comment(2, f"comment **{number}**")
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "2")
    assert [each.new_value for each in record.history] == [f"label {number}" for number in range(230)]
    assert [each.content for each in record.comments] == [f"comment {number}" for number in range(230)]
    assert (record.comments_announced, record.history_announced) == (230, 230)
    assert len(record.extra["markup"]["comments"]) == 230


async def test_comments_that_the_timeline_lacks_are_asked_for(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    server.comment(2, "first")
    hidden: list[dict[str, Any]] = [{"id": 1, "event": "labeled", "label": {"name": "x"}}]
    server.before.append(lambda asked: Reply(hidden) if asked.path.endswith("2/timeline") else None)
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "2")
    assert [each.content for each in record.comments] == ["first"]


async def test_a_timeline_that_github_fails_at_is_read_by_smaller_pages(
    server: GitHubStandIn, virtual_time: VirtualTime
) -> None:
    server.largest_timeline = 25
    for number in range(60):
        server.happen(2, "labeled", label={"name": str(number)})

    def patient(connection: Connection) -> Client:
        return Client(connection.base_url, sleep=virtual_time.sleep, clock=virtual_time.clock)

    tracker = replace(tracker_of(server), client=patient)
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "2")
    assert len(record.history) == 60


async def test_a_transferred_issue_is_read_under_its_new_key(server: GitHubStandIn, tracker: Tracker) -> None:
    server.transfer(4, 12)
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "4")
        again = await issue_of(source, tracker.parser, record.issue_id)
    assert (record.issue_id, record.product) == (f"{OTHER}#12", OTHER)
    assert again == record


@pytest.mark.parametrize("location", ["", None])
async def test_an_issue_that_was_transferred_out_of_sight_is_not_found(
    server: GitHubStandIn, tracker: Tracker, location: str | None
) -> None:
    away = Reply({}, 301, {} if location is None else {"Location": location})
    server.before.append(lambda asked: away if asked.path.endswith("/issues/4") else None)
    async with tracker.logged_in() as source:
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id="4"))


async def test_deleted_and_switched_off_are_told_apart(server: GitHubStandIn, tracker: Tracker) -> None:
    server.deleted.add(4)
    off = Reply({"message": "Issues are disabled for this repo"}, 410)
    law = Reply({"message": "Repository access blocked"}, 451)
    server.before.append(lambda asked: {"6": off, "7": law}.get(asked.path.rpartition("/issues/")[2]))
    async with tracker.logged_in() as source:
        with pytest.raises(NotFound, match="deleted"):
            await source.fetch(Reference(issue_id="4"))
        with pytest.raises(TrackerError, match="switch them on"):
            await source.fetch(Reference(issue_id="6"))
        with pytest.raises(Forbidden, match="legal"):
            await source.fetch(Reference(issue_id="7"))


async def test_a_renamed_repository_keeps_its_issues(server: GitHubStandIn) -> None:
    tracker = tracker_of(server)
    server.old_names.add(NAME)
    server.name = "octo/renamed"
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
        record = await issue_of(source, tracker.parser, "1")
    assert (record.issue_id, record.product) == ("1", "octo/renamed")


async def test_a_rate_limit_in_words_is_waited_for(server: GitHubStandIn, virtual_time: VirtualTime) -> None:
    left = [1]

    def limited(asked: Asked) -> Reply | None:
        if not asked.path.endswith("/issues") or not left:
            return None
        left.pop()
        return Reply(
            {"message": "You have exceeded a secondary rate limit"}, 403, {"X-RateLimit-Remaining": "4000"}
        )

    server.before.append(limited)

    def patient(connection: Connection) -> Client:
        return Client(connection.base_url, sleep=virtual_time.sleep, clock=virtual_time.clock)

    tracker = replace(tracker_of(server), client=patient)
    begun = virtual_time.clock()
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
    assert virtual_time.clock() - begun >= 60


async def test_a_right_that_lacks_is_named_at_once(server: GitHubStandIn, tracker: Tracker) -> None:
    refusal = Reply({"message": "Resource not accessible by personal access token"}, 403)
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: refusal if "/issues" in asked.path else None)
        with pytest.raises(NotPermitted, match="right to read Issues"):
            await numbers(source)
        with pytest.raises(Forbidden):
            await source.fetch(Reference(issue_id="1"))


async def test_pull_requests_come_by_an_option(server: GitHubStandIn) -> None:
    server.add(8, pull_request={"merged_at": None})
    tracker = tracker_of(server)
    async with tracker.logged_in() as source:
        assert "8" not in await numbers(source)
        assert await numbers(source, parse_direct("8")) == []
    with_pulls = replace(tracker.connection, options={"pull_requests": True})
    async with tracker.open(with_pulls) as source:
        assert "8" in await numbers(source)
        assert (await issue_of(source, tracker.parser, "8")).issue_type == "pull request"


async def test_numbers_are_asked_for_one_by_one(server: GitHubStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        tree = parse_direct("2 5 99")
        assert await numbers(source, tree) == ["5", "2"]
        assert source.render(tree).exact
        assert not any(path.endswith("/issues") for path in server.asked_paths())


async def test_since_brings_what_changed_at_that_second_or_later(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        moment = datetime(2026, 2, 7, 10, tzinfo=UTC)  # of number 6
        found = await numbers(source, since=moment)
        assert {"6", "7"} <= set(found)
        assert "4" not in found
        references = [ref async for page in source.search(None) for ref in page.references]
    assert {ref.issue_id: ref.modified for ref in references}["6"] == moment


async def test_the_token_is_in_a_header_alone_and_not_sent_for_files(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        kept = await source.fetch(Reference(issue_id="5"))
        (file,) = tracker.parser.parse(kept).attachments
        assert (file.filename, file.author) == ("로그.txt", "park")
        assert (await source.download(file)).body == b"log\n"
    assert [asked for asked in server.asked if TOKEN in asked.raw_path] == []
    assert not any(TOKEN.encode() in page.body or "/user" in page.url for page in kept)
    assert [asked.path for asked in server.asked if "authorization" not in asked.headers] == [
        f"/{NAME}/files/77/로그.txt"
    ]


async def test_a_login_page_is_no_file(server: GitHubStandIn, tracker: Tracker) -> None:
    page = Reply(b"<html>Sign in", headers={"content-type": "text/html; charset=utf-8"})
    server.before.append(lambda asked: page if "/files/" in asked.path else None)
    file = AttachmentRecord(filename="a.txt", download_url=f"{server.url}/{NAME}/files/1/a.txt")
    async with tracker.logged_in() as source:
        with pytest.raises(Forbidden, match="log in"):
            await source.download(file)


async def test_a_stranger_reads_what_is_public(server: GitHubStandIn) -> None:
    tracker = tracker_of(server, password=None)
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
    assert "/user" not in server.asked_paths()


@pytest.mark.parametrize(
    ("reply", "error", "sentence"),
    [
        (Reply({"message": "Not Found"}, 404), UnknownProduct, "no repository octo/desk"),
        (Reply({"message": "Bad credentials"}, 401), LoginRefused, "new one"),
        (Reply({"message": "SSO"}, 403), NotPermitted, "single sign-on"),
        (Reply(b"<html>log in</html>", 200, {"content-type": "text/html"}), TrackerError, "like a GitHub"),
        (Reply({"full_name": 5}), TrackerError, "like a GitHub"),
        (Reply({"full_name": "a/b/../c"}), TrackerError, "like a GitHub"),
        (Reply({"full_name": NAME, "has_issues": False}), NotPermitted, "switch them on"),
    ],
)
async def test_bad_input_is_one_sentence(
    server: GitHubStandIn, tracker: Tracker, reply: Reply, error: type[Exception], sentence: str
) -> None:
    server.before.append(lambda asked: reply if asked.path == f"/repos/{NAME}" else None)
    async with tracker.open() as source:
        with pytest.raises(error, match=sentence):
            await source.login()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(None), TrackerError),
        (Reply([{"title": "no number"}]), TrackerError),
        (Reply({"message": "x"}), TrackerError),
        (Reply({"message": "cursor"}, 422), TrackerError),
        (Reply({"message": "Issues are disabled for this repo"}, 410), NotPermitted),
        (Reply([], headers={"Link": '<https://elsewhere.example/>; rel="next"'}), TrackerError),
        (Reply([], headers={"Link": f'</repos/{NAME}/issues?x>; rel="next"'}), TrackerError),
    ],
)
async def test_a_list_that_is_none_ends_the_search(
    server: GitHubStandIn, tracker: Tracker, reply: Reply, error: type[Exception]
) -> None:
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: reply if asked.path.endswith("/issues") else None)
        with pytest.raises(error):
            await numbers(source)


async def test_a_timeline_whose_pages_name_each_other_is_refused(
    server: GitHubStandIn, tracker: Tracker
) -> None:
    circle = Reply([], headers={"Link": f'</repos/{NAME}/issues/1/timeline?x>; rel="next"'})
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: circle if asked.path.endswith("/timeline") else None)
        with pytest.raises(PageRejected, match="does not end"):
            await source.fetch(Reference(issue_id="1"))


@pytest.mark.parametrize("key", ["", "x", "../user", "a/b", "#", "1/2", "٣", "a/b#", "9" * 40])
async def test_what_is_no_key_is_not_asked_for(server: GitHubStandIn, tracker: Tracker, key: str) -> None:
    async with tracker.logged_in() as source:
        server.asked.clear()
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id=key))
    assert server.asked == []


async def test_it_is_recognised(server: GitHubStandIn) -> None:
    assert KIND.recognise is not None
    told = {"X-GitHub-Media-Type": "github.v3; format=json", "X-GitHub-Request-Id": "1"}
    async with Client(server.base) as client:
        assert await KIND.recognise(client) is None
        server.before.append(lambda asked: Reply({}, 200, told))
        assert await KIND.recognise(client) == "GitHub"
        told["X-GitHub-Enterprise-Version"] = "enterprise-server@3.14.2"
        assert await KIND.recognise(client) == "GitHub Enterprise Server 3.14.2"


API = "https://api.github.com/repos/o/r"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://github.com/o/r", API),
        ("http://www.github.com/o/r/", API),
        ("https://github.com/o/r.git", API),
        ("https://github.com/o/r/issues/5", API),
        ("https://github.com/o/r/pull/5/files", API),
        (API, API),
        (f"{API}/issues/5", API),
        ("https://git.example.com/o/r/issues", "https://git.example.com/api/v3/repos/o/r"),
        ("https://git.example.com/api/v3/repos/o/r", "https://git.example.com/api/v3/repos/o/r"),
        ("http://127.0.0.1:8000/repos/o/r", "http://127.0.0.1:8000/repos/o/r"),
        ("https://github.com/o", None),
        ("https://github.com/", None),
        ("https://gitlab.com/o/r", None),
        ("https://redmine.example.com/projects/db", None),
        ("https://u:p@github.com/o/r", None),
        ("ftp://github.com/o/r", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_the_base_address_is_found_in_the_address_of_a_page(url: str, base: str | None) -> None:
    assert KIND.base_of is not None
    assert KIND.base_of(url) == base
    assert base is None or KIND.base_of(base) == base


async def test_an_address_without_a_repository_is_refused() -> None:
    async with Client("https://github.com") as client:
        source = KIND.open_source(Connection(base_url="https://github.com", password="x"), client)
        with pytest.raises(UsageError, match="names no repository"):
            await source.login()


async def test_ghosts_and_states(server: GitHubStandIn, tracker: Tracker) -> None:
    server.issues[1].update(user=None, assignee=None, assignees=[user("kim"), user("lee")], body=None)
    server.happen(1, "closed", actor=None)
    server.happen(1, "commented", user=None, actor=None, body=None)
    async with tracker.logged_in() as source:
        one = await issue_of(source, tracker.parser, "1")
        three = await issue_of(source, tracker.parser, "3")
    assert (one.reporter, one.owner, one.description) == (None, "kim, lee", None)
    assert (one.history[0].changed_by, one.comments[0].author, one.comments[0].content) == (None, None, "")
    assert (three.status, three.state, three.extra["state_reason"]) == ("closed", State.DONE, "not_planned")
