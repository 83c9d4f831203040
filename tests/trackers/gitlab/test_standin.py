"""The source against a stand-in: the suite of all kinds, and what is GitLab's alone."""

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
from crawler.source import Connection, Reference
from crawler.sources import find_kind
from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.virtualtime import VirtualTime
from tests.trackers.gitlab.standin import PATH, SECRET, TOKEN, GitLabStandIn
from tests.trackers.suite import SourceSuite, Tracker, numbers
from tests.trackers.suite import issue as issue_of

KIND = find_kind("gitlab")
ISSUES = f"/api/v4/projects/{PATH}/issues"


@pytest.fixture
def server() -> Iterator[GitLabStandIn]:
    """A project of seven issues, one of them closed, one with a file."""
    server = GitLabStandIn()
    server.issues[3].update(state="closed", closed_at="2026-03-01T10:00:00.000Z")
    server.happen(3, "resource_state_events", state="closed")
    server.note(5, f"see [log](/uploads/{SECRET}/%EB%A1%9C%EA%B7%B8.txt)")
    server.files[f"{SECRET}/로그.txt"] = b"log\n"
    with server.serving():
        yield server


def tracker_of(server: GitLabStandIn, **changed: Any) -> Tracker:
    connection = Connection(base_url=server.base, password=TOKEN, options={"page_size": 3})
    seen = frozenset(str(number) for number in server.issues)
    return Tracker(
        kind=KIND,
        connection=replace(connection, **changed),
        issues=seen,
        missing="99",
        product="Desk",
        product_issues=seen,
        word="timeouts",
        word_issues=frozenset({"1", "3", "5", "7"}),
    )


@pytest.fixture
def tracker(server: GitLabStandIn) -> Tracker:
    """The account with the token."""
    return tracker_of(server)


def patient(virtual_time: VirtualTime, tracker: Tracker) -> Tracker:
    """The same, asked by a client that waits in no time."""

    def client(connection: Connection) -> Client:
        return Client(connection.base_url, sleep=virtual_time.sleep, clock=virtual_time.clock)

    return replace(tracker, client=client)


class TestStandIn(SourceSuite):
    """GitLab by its API."""


class TestOldStandIn(SourceSuite):
    """A GitLab that tells no totals and names pages by links alone."""

    @pytest.fixture
    def tracker(self, server: GitLabStandIn) -> Tracker:
        server.tells_totals = server.names_pages = False
        return tracker_of(server)

    async def test_the_total_is_the_trackers_own(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            assert {page.total async for page in source.search(None)} == {None}


@pytest.mark.parametrize("names_pages", [True, False])
async def test_notes_and_events_are_read_to_their_last_page(
    server: GitLabStandIn, tracker: Tracker, names_pages: bool
) -> None:
    server.names_pages = names_pages
    for number in range(130):
        server.happen(2, "resource_label_events", action="add", label={"name": f"label {number}"})
        server.note(2, f"note **{number}**", internal=number == 1)
        server.note(2, "changed the description", system=True)
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "2")
    labels = [each.new_value for each in record.history if each.field_name == "labels"]
    assert labels == [f"label {number}" for number in range(130)]
    assert [each.content for each in record.comments] == [f"note {number}" for number in range(130)]
    assert [each.is_private for each in record.comments[:3]] == [False, True, False]
    assert (record.comments_announced, record.history_announced, len(record.history)) == (130, 260, 260)


async def test_what_an_edition_has_not_is_asked_for_once(server: GitLabStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        server.asked.clear()
        one = await issue_of(source, tracker.parser, "1")
        assert len(server.asked) == 8
        server.asked.clear()
        await source.fetch(Reference(issue_id="2"))
        assert len(server.asked) == 6
    assert one.warnings == ()


@pytest.mark.parametrize("part", ["notes", "links", "resource_label_events"])
async def test_a_part_that_is_refused_is_a_warning_and_not_the_issues_end(
    server: GitLabStandIn, tracker: Tracker, part: str
) -> None:
    server.refused[part] = 403
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "3")
    (warning,) = record.warnings
    assert part in warning
    assert record.title == "Timeout 3"


async def test_notes_that_gitlab_fails_at_are_read_by_smaller_pages(
    server: GitLabStandIn, tracker: Tracker, virtual_time: VirtualTime
) -> None:
    server.largest_page = 20
    for number in range(45):
        server.note(2, str(number))
    async with patient(virtual_time, tracker).logged_in() as source:
        record = await issue_of(source, tracker.parser, "2")
    assert len(record.comments) == 45


async def test_a_limit_without_any_header_is_waited_for(
    server: GitLabStandIn, tracker: Tracker, virtual_time: VirtualTime
) -> None:
    left = [1, 2]

    def limited(asked: Asked) -> Reply | None:
        if asked.path != ISSUES or not left:
            return None
        left.pop()
        return Reply(b"Retry later\n", 429, {"content-type": "text/plain"})

    server.before.append(limited)
    begun = virtual_time.clock()
    async with patient(virtual_time, tracker).logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
    assert virtual_time.clock() - begun >= 60


async def test_issues_that_were_created_at_once_are_all_found(server: GitLabStandIn) -> None:
    for number in range(8, 30):
        server.add(number, created_at="2025-12-24T10:00:00.000Z")
    tracker = tracker_of(server)
    async with tracker.logged_in() as source:
        found = await numbers(source)
    assert sorted(found) == sorted(tracker.issues)


async def test_issues_that_vanish_and_come_while_the_list_is_read_shift_nothing(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        pages = source.search(None)
        found = [ref.issue_id for ref in (await anext(aiter(pages))).references]
        for number in map(int, found):
            del server.issues[number]
        server.add(20)
        async for page in pages:
            found += [ref.issue_id for ref in page.references]
    assert sorted(found) == sorted(tracker.issues)


async def test_numbers_are_asked_for_together(server: GitLabStandIn, tracker: Tracker) -> None:
    tree = parse_direct("2 5 99")
    async with tracker.logged_in() as source:
        server.asked.clear()
        assert sorted(await numbers(source, tree)) == ["2", "5"]
        assert source.render(tree).exact
        many = parse_direct(" ".join(map(str, range(1, 150))))
        assert len(await numbers(source, many)) == 7
    assert len(server.asked) == 3


async def test_since_brings_what_changed_then_or_later(server: GitLabStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        moment = datetime(2026, 2, 7, 10, 0, 0, 123_000, tzinfo=UTC)  # of number 6
        found = set(await numbers(source, since=moment))
    assert {"6", "7"} <= found
    assert "4" not in found


async def test_the_token_is_in_a_header_alone_and_who_am_i_is_not_kept(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        kept = await source.fetch(Reference(issue_id="5"))
        (file,) = tracker.parser.parse(kept).attachments
        assert (file.filename, file.author) == ("로그.txt", "park")
        assert (await source.download(file)).body == b"log\n"
    assert [asked for asked in server.asked if TOKEN in asked.raw_path] == []
    assert not any(TOKEN.encode() in page.body or b"kim@example" in page.body for page in kept)


async def test_a_file_of_an_old_gitlab_is_asked_for_without_the_token(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        (file,) = (await issue_of(source, tracker.parser, "5")).attachments
        server.files.clear()
        with pytest.raises(Forbidden, match="log in"):
            await source.download(file)
        server.before.append(lambda asked: Reply(b"log\n") if asked.path.startswith(f"/{PATH}/u") else None)
        assert (await source.download(file)).body == b"log\n"


async def test_strangers_and_members_see_what_they_may(server: GitLabStandIn) -> None:
    server.issues[4]["confidential"] = True
    stranger = tracker_of(server, password=None)
    async with stranger.logged_in() as source:
        assert set(await numbers(source)) == stranger.issues - {"4"}
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id="4"))
    server.is_public = False
    async with stranger.open() as source:
        with pytest.raises(UnknownProduct, match=PATH):
            await source.login()


async def test_switched_off_issues_are_named(server: GitLabStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        server.is_enabled = False
        with pytest.raises(NotPermitted, match="switch them on"):
            await numbers(source)
        with pytest.raises(NotPermitted, match="switch them on"):
            await source.login()


@pytest.mark.parametrize(
    ("path", "reply", "error", "sentence"),
    [
        ("user", Reply({"error": "invalid_token"}, 401), LoginRefused, "new one"),
        ("user", Reply({"error": "insufficient_scope"}, 403), NotPermitted, "read_api"),
        ("desk", Reply({"message": "404 Project Not Found"}, 404), UnknownProduct, "no project"),
        ("desk", Reply(b"<html>", 200, {"content-type": "text/html"}), TrackerError, "like a GitLab"),
        ("desk", Reply({"path_with_namespace": 5}), TrackerError, "like a GitLab"),
        ("desk", Reply([]), TrackerError, "like a GitLab"),
    ],
)
async def test_bad_input_is_one_sentence(
    server: GitLabStandIn, tracker: Tracker, path: str, reply: Reply, error: type[Exception], sentence: str
) -> None:
    server.before.append(lambda asked: reply if asked.path.endswith(f"/{path}") else None)
    async with tracker.open() as source:
        with pytest.raises(error, match=sentence):
            await source.login()


@pytest.mark.parametrize("body", [None, {"message": "x"}, [None], [{"title": "no number"}], [{"iid": "5"}]])
async def test_a_list_that_is_none_ends_the_search(
    server: GitLabStandIn, tracker: Tracker, body: Any
) -> None:
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: Reply(body) if asked.path == ISSUES else None)
        with pytest.raises(TrackerError):
            await numbers(source)


async def test_notes_whose_pages_name_each_other_are_refused(server: GitLabStandIn, tracker: Tracker) -> None:
    circle = Reply([], headers={"X-Next-Page": "2"})
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: circle if asked.path.endswith("/notes") else None)
        with pytest.raises(PageRejected, match="does not end"):
            await source.fetch(Reference(issue_id="1"))


@pytest.mark.parametrize("key", ["", "x", "../user", "a/b", "#", "1/2", "٣", "a/b#", "9" * 40])
async def test_what_is_no_key_is_not_asked_for(server: GitLabStandIn, tracker: Tracker, key: str) -> None:
    async with tracker.logged_in() as source:
        server.asked.clear()
        with pytest.raises(NotFound):
            await source.fetch(Reference(issue_id=key))
    assert server.asked == []


async def test_it_is_recognised(server: GitLabStandIn) -> None:
    assert KIND.recognise is not None
    async with Client(server.base) as client:
        assert await KIND.recognise(client) == "GitLab"
        server.is_public = False
        assert await KIND.recognise(client) == "GitLab"
        server.before.append(lambda asked: Reply({"message": "Not Found"}, 404))
        assert await KIND.recognise(client) is None
        server.before.insert(0, lambda asked: Reply({}, 401, {"X-Gitlab-Meta": "{}"}))
        assert await KIND.recognise(client) == "GitLab"


API = "https://gitlab.com/api/v4/projects"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://gitlab.com/group/project", f"{API}/group%2Fproject"),
        ("https://gitlab.com/group/sub/project/", f"{API}/group%2Fsub%2Fproject"),
        ("https://gitlab.com/group/sub/project/-/issues/5", f"{API}/group%2Fsub%2Fproject"),
        ("https://gitlab.com/group/project/issues/5", f"{API}/group%2Fproject"),
        ("https://gitlab.com/group/project.git", f"{API}/group%2Fproject"),
        (f"{API}/278964/issues", f"{API}/278964"),
        (f"{API}/group%2Fproject", f"{API}/group%2Fproject"),
        ("https://example.com/git/api/v4/projects/5", "https://example.com/git/api/v4/projects/5"),
        ("https://gitlab.com/group", None),
        ("https://github.com/o/r", None),
        ("https://redmine.example.com/projects/db", None),
        ("https://u:p@gitlab.com/o/r", None),
        ("ftp://gitlab.com/o/r", None),
        ("http://[", None),
    ],
)
def test_the_base_address_is_found_in_the_address_of_a_page(url: str, base: str | None) -> None:
    assert KIND.base_of is not None
    assert KIND.base_of(url) == base
    assert base is None or KIND.base_of(base) == base


async def test_an_address_without_a_project_is_refused() -> None:
    async with Client("https://gitlab.com") as client:
        source = KIND.open_source(Connection(base_url="https://gitlab.com", password="x"), client)
        with pytest.raises(UsageError, match="names no project"):
            await source.login()
