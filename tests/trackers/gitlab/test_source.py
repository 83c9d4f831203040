"""The source against a stand-in: what it asks, what it does when an answer is none, and where things are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from crawler.client import Client
from crawler.errors import (
    CrawlError,
    Forbidden,
    ItemError,
    LoginRefused,
    NotFound,
    NotPermitted,
    TrackerError,
    UnknownProduct,
)
from crawler.query import parse_direct
from crawler.records import AttachmentRecord, RelationRecord, State
from crawler.source import BatchSource, Connection, Reference
from crawler.sources import find_kind
from tests.fixtures.api_server import Asked, Reply
from tests.fixtures.virtualtime import VirtualTime
from tests.trackers.gitlab.standin import OTHER, PATH, SECRET, TOKEN, GitLabStandIn, filled
from tests.trackers.gitlab.test_contract import tracker_of
from tests.trackers.suite import Tracker, numbers
from tests.trackers.suite import issue as issue_of

KIND = find_kind("gitlab")
HTML = Reply(b"<html>Sign in</html>", 200, {"content-type": "text/html; charset=utf-8"})


@pytest.fixture
def server() -> Iterator[GitLabStandIn]:
    server = filled()
    with server.serving():
        yield server


@pytest.fixture
def tracker(server: GitLabStandIn) -> Tracker:
    """The account with the token."""
    return tracker_of(server)


def patient(tracker: Tracker, time: VirtualTime) -> Tracker:
    """A tracker whose client waits in no time."""

    def client(connection: Connection) -> Client:
        return Client(connection.base_url, sleep=time.sleep, clock=time.clock)

    return replace(tracker, client=client)


async def many(source: Any, *keys: str) -> list[Any]:
    batch: BatchSource = source
    return await batch.fetch_many([Reference(issue_id=key) for key in keys])


async def test_four_lists_an_issue_are_asked_for_and_links_where_a_note_tells_of_one(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        server.asked.clear()
        await many(source, "1", "2", "3", "4", "5", "6", "7")
    paths = server.asked_paths()
    assert paths.count("/projects/7/issues") == 1
    assert sorted(path for path in paths if path.endswith("/links")) == [
        "/projects/7/issues/2/links",
        "/projects/7/issues/3/links",
    ]
    assert len(paths) == 1 + 7 * 4 + 2


async def test_an_issue_has_the_same_pages_however_it_is_asked_for(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        alone = await source.fetch(Reference(issue_id="2"))
        (together, _) = await many(source, "2", "3")
        unlisted = Reply([])  # as for work items that a list leaves out
        server.before.append(lambda asked: unlisted if asked.path.endswith("/issues") else None)
        by_itself = await source.fetch(Reference(issue_id="2"))
    told = [{page.part: page.body for page in pages} for pages in (alone, together, by_itself)]
    assert told[0] == told[1] == told[2]


async def test_notes_and_events_are_read_to_their_last_page(server: GitLabStandIn, tracker: Tracker) -> None:
    server.counts = False
    for number in range(230):
        server.note(server.issues[4], f"note **{number}**")
        server.happen(server.issues[4], "label", action="add", label={"name": f"label {number}"})
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "4")
    assert [each.content for each in record.comments] == [f"note {number}" for number in range(230)]
    assert [each.new_value for each in record.history] == [f"label {number}" for number in range(230)]
    assert (record.comments_announced, record.history_announced) == (230, None)


async def test_a_note_that_moves_up_while_pages_are_read_is_not_lost(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    issue = server.issues[4]
    for number in range(150):
        server.note(issue, f"note {number}")

    def vanish(asked: Asked) -> None:
        if asked.path.endswith("4/notes") and asked.one("page") == "2" and len(issue.notes) == 150:
            del issue.notes[0]

    server.before.append(vanish)
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "4")
    assert [each.content for each in record.comments] == [f"note {number}" for number in range(1, 150)]


async def test_history_is_held_against_gitlabs_count(server: GitLabStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "1")
        assert record.history_announced == len(record.history) == 3
        short = Reply([], 200, {"X-Total": "5", "X-Next-Page": ""})
        server.before.append(lambda asked: short if asked.path.endswith("label_events") else None)
        record = await issue_of(source, tracker.parser, "1")
    assert (record.history_announced, len(record.history)) == (7, 2)


async def test_comments_that_are_counted_and_not_shown_are_told(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    server.issues[1].more["user_notes_count"] = 5
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "1")
    assert (record.comments_announced, len(record.comments)) == (5, 2)
    assert ["counts 5 comments and shows 2" in each for each in record.warnings] == [True]


async def test_a_list_that_gitlab_fails_at_is_read_by_smaller_pages(
    server: GitLabStandIn, virtual_time: VirtualTime
) -> None:
    server.largest["notes"] = 20
    for number in range(30):
        server.note(server.issues[4], str(number))
    tracker = patient(tracker_of(server), virtual_time)
    async with tracker.logged_in() as source:
        assert len((await issue_of(source, tracker.parser, "4")).comments) == 30


async def test_paid_editions_are_asked_for_weights_and_iterations() -> None:
    server = filled(licensed=True)
    server.happen(server.issues[1], "weight", weight=3)
    server.happen(server.issues[1], "weight", weight=None)
    server.happen(server.issues[1], "iteration", action="add", iteration={"start_date": "2026-01-01"})
    with server.serving():
        tracker = tracker_of(server)
        async with tracker.logged_in() as source:
            record = await issue_of(source, tracker.parser, "1")
    told = [(each.field_name, each.old_value, each.new_value) for each in record.history]
    assert told[-3:] == [
        ("weight", None, "3"),
        ("weight", "3", None),
        ("iteration", None, "2026-01-01"),
    ]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_part_that_is_refused_is_a_warning(
    server: GitLabStandIn, tracker: Tracker, status: int
) -> None:
    server.refused["resource_milestone_events"] = status
    async with tracker.logged_in() as source:
        records = [tracker.parser.parse(pages) for pages in await many(source, *sorted(tracker.issues))]
    warned = f"GitLab does not give the changes of milestones of this issue (status {status})."
    assert {record.warnings for record in records} == {(warned,)}
    if status == 403:  # of the whole project: asked for once
        assert sum(path.endswith("milestone_events") for path in server.asked_paths()) == 1


async def test_a_version_without_events_has_them_in_its_notes(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    server.too_old = {"resource_state_events", "resource_milestone_events"}
    server.note(server.issues[4], "closed", system=True)
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "4")
    assert record.warnings == ()
    assert [(each.field_name, each.new_value) for each in record.history] == [("state", "closed")]


async def test_notes_that_are_refused_make_it_ask_for_links(server: GitLabStandIn, tracker: Tracker) -> None:
    server.refused["notes"] = 403
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "2")
    assert [(each.related_issue_id, each.relation_type) for each in record.relations] == [("3", "blocks")]
    assert len(record.warnings) == 1


async def test_an_issue_that_goes_while_it_is_read_is_not_found(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    def vanish(asked: Asked) -> None:
        if asked.path.endswith("4/notes"):
            server.issues[4].hidden = True

    server.before.append(vanish)
    async with tracker.logged_in() as source:
        found = await many(source, "3", "4", "99", "x/y#", "5")
    assert [isinstance(each, NotFound) for each in found] == [False, True, True, True, False]


async def test_a_moved_issue_stays_and_tells_where_it_went(server: GitLabStandIn, tracker: Tracker) -> None:
    server.move(server.issues[4], 12)
    async with tracker.logged_in() as source:
        old = await issue_of(source, tracker.parser, "4")
        new = await issue_of(source, tracker.parser, old.relations[0].related_issue_id)
    assert (old.issue_id, old.state, old.extra["moved_to_id"]) == ("4", State.DONE, 90_012)
    assert old.relations == (RelationRecord(related_issue_id=f"{OTHER}#12", relation_type="moved to"),)
    assert (new.issue_id, new.product, new.title) == (f"{OTHER}#12", OTHER, old.title)
    assert new.relations == (RelationRecord(related_issue_id="4", relation_type="moved from"),)


async def test_duplicates_and_links_are_relations(server: GitLabStandIn, tracker: Tracker) -> None:
    address = f"{server.url}/api/v4/projects/7/issues/2"
    server.issues[4].more["_links"] = {"closed_as_duplicate_of": address}
    server.note(server.issues[5], "marked this issue as a duplicate of attic#3", system=True)
    server.issues[5].more["_links"] = {"closed_as_duplicate_of": address.replace("7/issues/2", "8/issues/3")}
    async with tracker.logged_in() as source:
        records = {key: await issue_of(source, tracker.parser, key) for key in ("2", "3", "4", "5")}
    told = {
        key: [(each.related_issue_id, each.relation_type) for each in record.relations]
        for key, record in records.items()
    }
    assert told == {
        "2": [("3", "blocks")],
        "3": [("2", "blocked by")],
        "4": [("2", "duplicate of")],
        "5": [(f"{OTHER}#3", "duplicate of")],
    }


async def test_a_renamed_project_keeps_its_issues(server: GitLabStandIn) -> None:
    tracker = tracker_of(server)
    server.old_paths.add(PATH)
    server.path = "seoul/tools/renamed"
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
        record = await issue_of(source, tracker.parser, "1")
    assert (record.issue_id, record.product) == ("1", "seoul/tools/renamed")


async def test_internal_notes_are_private_and_titles_are_without_marks(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        record = await issue_of(source, tracker.parser, "1")
    assert [each.is_private for each in record.comments] == [False, True]
    assert record.extra["display names"] == {"kim": "Kim", "lee": "Lee", "park": "Park"}
    assert (record.history[0].old_value, record.history[0].new_value) == ("Slow", "Timeout 1")
    assert record.owner == "park"


async def test_since_and_numbers_narrow_the_list(server: GitLabStandIn, tracker: Tracker) -> None:
    server.pass_time(days=1)
    moment = server.now
    server.pass_time(minutes=5)
    server.note(server.issues[5], "again")
    async with tracker.logged_in() as source:
        assert await numbers(source, since=moment) == ["5"]
        assert await numbers(source, since=moment + timedelta(days=1)) == []
        server.asked.clear()
        assert await numbers(source, parse_direct("2 5 99")) == ["5", "2"]
        assert len(server.asked) == 1
        assert source.render(parse_direct("2 5 99")).exact
        assert not source.render(parse_direct("2 crash")).exact
        references = [ref async for page in source.search(None) for ref in page.references]
    told = {int(ref.issue_id): ref.modified for ref in references}
    assert all(
        abs(server.issues[number].updated - moment) < timedelta(milliseconds=1)
        for number, moment in told.items()
        if moment is not None
    )
    assert None not in told.values()


async def test_an_offset_is_never_deep(server: GitLabStandIn, tracker: Tracker) -> None:
    for _ in range(150):
        server.add("Same time", at=server.now)  # an import
    everything = frozenset(map(str, server.issues))
    tracker = replace(tracker, connection=replace(tracker.connection, options={}))
    async with tracker.logged_in() as source:
        server.asked.clear()
        found = await numbers(source)
    assert (len(found), set(found)) == (len(everything), everything)
    assert max(int(each.one("page", "1")) for each in server.asked) <= 3


async def test_a_millisecond_is_asked_for_to_its_end(server: GitLabStandIn, tracker: Tracker) -> None:
    moment = server.now.replace(microsecond=5_000)
    for microseconds in range(0, 800, 90):  # all of them are told as the same time
        server.add("Same millisecond", at=moment + timedelta(microseconds=microseconds))
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == set(map(str, server.issues))


@pytest.mark.parametrize(
    "headers",
    [{}, {"Retry-After": "30"}, {"RateLimit-Remaining": "0", "RateLimit-Reset": "30"}],
    ids=["bare", "retry-after", "ratelimit"],
)
async def test_a_limit_is_waited_for(
    server: GitLabStandIn, virtual_time: VirtualTime, headers: dict[str, str]
) -> None:
    left = [1, 1]

    def limited(asked: Asked) -> Reply | None:
        if "/issues" not in asked.path or not left:
            return None
        left.pop()
        return Reply(b"Retry later\n", 429, {"content-type": "text/plain", **headers})

    server.before.append(limited)
    tracker = patient(tracker_of(server), virtual_time)
    begun = virtual_time.clock()
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
    assert virtual_time.clock() - begun >= 30


async def test_the_token_is_in_a_header_alone_and_nobody_is_kept(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        kept = await source.fetch(Reference(issue_id="1"))
        (file,) = tracker.parser.parse(kept).attachments
        assert (file.filename, file.author) == ("로그.txt", "lee")
        assert (await source.download(file)).body == b"a line\n"
    assert [asked for asked in server.asked if TOKEN in asked.raw_path] == []
    secrets = (TOKEN.encode(), b"glrt-", b"kim@example.com")
    assert not any(secret in page.body for page in kept for secret in secrets)


async def test_a_file_is_had_as_a_browser_does_where_the_api_has_none(server: GitLabStandIn) -> None:
    server.gives_files = False
    file = AttachmentRecord(
        filename="a.bin", download_url=f"{server.url}/api/v4/projects/7/uploads/{SECRET}/a.bin"
    )
    server.files[f"{SECRET}/a.bin"] = b"\x00"
    for password in (TOKEN, None):
        async with tracker_of(server, password=password).logged_in() as source:
            assert (await source.download(file)).body == b"\x00"
    server.is_public = False
    async with tracker_of(server).logged_in() as source:
        with pytest.raises(Forbidden, match=r"login page .* 17\.4"):
            await source.download(file)
        foreign = structs.replace(file, download_url=f"{server.url}/api/v4/projects/8/uploads/{SECRET}/a.bin")
        with pytest.raises(NotFound):
            await source.download(foreign)


async def test_a_page_in_place_of_a_file_is_refused(server: GitLabStandIn, tracker: Tracker) -> None:
    server.before.append(lambda asked: HTML if "/uploads/" in asked.path else None)
    address = f"{server.url}/api/v4/projects/7/uploads/{SECRET}/"
    async with tracker.logged_in() as source:
        with pytest.raises(Forbidden):
            await source.download(AttachmentRecord(filename="a.txt", download_url=f"{address}a.txt"))
        page = await source.download(AttachmentRecord(filename="a.html", download_url=f"{address}a.html"))
    assert page.body == HTML.body


async def test_a_stranger_reads_what_is_public(server: GitLabStandIn) -> None:
    tracker = tracker_of(server, password=None)
    async with tracker.logged_in() as source:
        assert set(await numbers(source)) == tracker.issues
        record = await issue_of(source, tracker.parser, "2")
    assert "/user" not in server.asked_paths()
    assert record.warnings == ("GitLab does not give the links of this issue (status 401).",)
    server.is_public = False
    async with tracker.open() as source:
        with pytest.raises(UnknownProduct, match=f"no project {PATH}"):
            await source.login()


async def test_a_token_that_is_taken_back_ends_the_session(server: GitLabStandIn, tracker: Tracker) -> None:
    async with tracker.logged_in() as source:
        server.tokens.clear()
        with pytest.raises(NotPermitted):
            await source.fetch(Reference(issue_id="1"))
        with pytest.raises(NotPermitted, match="new token"):
            await numbers(source)


@pytest.mark.parametrize(
    ("path", "reply", "error", "sentence"),
    [
        ("/user", Reply({"error": "invalid_token"}, 401), LoginRefused, "make a new one"),
        ("/user", Reply({"error": "insufficient_scope"}, 403), NotPermitted, "scope read_api"),
        ("/user", HTML, TrackerError, "like a GitLab"),
        ("/user", Reply(None), TrackerError, "like a GitLab"),
        (f"/projects/{PATH}", Reply({"message": "404 Project Not Found"}, 404), UnknownProduct, PATH),
        (f"/projects/{PATH}", Reply({"message": "403"}, 403), NotPermitted, "read_api"),
        (f"/projects/{PATH}", HTML, TrackerError, "like a GitLab"),
        (f"/projects/{PATH}", replace(HTML, status=404), TrackerError, "not at the host's root"),
        (f"/projects/{PATH}", Reply({"id": 7}), TrackerError, "path_with_namespace"),
        (f"/projects/{PATH}", Reply([]), TrackerError, "like a GitLab"),
        (
            f"/projects/{PATH}",
            Reply({"id": 7, "path_with_namespace": PATH, "issues_enabled": False}),
            NotPermitted,
            "switch them on",
        ),
    ],
)
async def test_bad_input_is_one_sentence(
    server: GitLabStandIn, tracker: Tracker, path: str, reply: Reply, error: type[Exception], sentence: str
) -> None:
    server.before.append(lambda asked: reply if asked.path == f"/api/v4{path}" else None)
    async with tracker.open() as source:
        with pytest.raises(error, match=sentence):
            await source.login()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(None), TrackerError),
        (Reply([{"iid": 1}]), TrackerError),
        (Reply({"message": "x"}), TrackerError),
        (HTML, TrackerError),
        (Reply({"error": "offset"}, 405), TrackerError),
        (Reply({"message": "403 Forbidden"}, 403), NotPermitted),
        (Reply({"message": "404 Project Not Found"}, 404), UnknownProduct),
        (Reply([], headers={"X-Next-Page": "2"}), None),
        (Reply([{"iid": 1, "created_at": "2026-01-01"}], headers={"X-Next-Page": "2"}), TrackerError),
    ],
)
async def test_a_list_that_is_none_ends_the_search(
    server: GitLabStandIn, tracker: Tracker, reply: Reply, error: type[CrawlError] | None
) -> None:
    async with tracker.logged_in() as source:
        server.before.append(lambda asked: reply if asked.path.endswith("/issues") else None)
        if error is None:
            assert await numbers(source) == []
        else:
            with pytest.raises(error):
                await numbers(source)


async def test_an_odd_answer_costs_its_issue_alone(server: GitLabStandIn, tracker: Tracker) -> None:
    server.before.append(lambda asked: HTML if asked.path.endswith("/issues/2/notes") else None)
    odd = Reply(["no issue"])
    async with tracker.logged_in() as source:
        found = await many(source, "1", "2")
        assert tracker.parser.parse(found[0]).issue_id == "1"
        with pytest.raises(ItemError):
            tracker.parser.parse(found[1])
        server.before.append(lambda asked: odd if asked.path.endswith("/issues") else None)
        server.before.append(lambda asked: HTML if asked.path.endswith("/issues/3") else None)
        found = await many(source, "1", "3")
    assert tracker.parser.parse(found[0]).issue_id == "1"
    with pytest.raises(ItemError):
        tracker.parser.parse(found[1])


async def test_issues_that_are_switched_off_meanwhile_end_the_session(
    server: GitLabStandIn, tracker: Tracker
) -> None:
    async with tracker.logged_in() as source:
        server.about["issues_enabled"] = False
        with pytest.raises(NotPermitted, match="switch them on"):
            await source.fetch(Reference(issue_id="1"))
        server.before.append(
            lambda asked: (
                Reply({"message": "404 Project Not Found"}, 404) if "/issues" in asked.path else None
            )
        )
        with pytest.raises(TrackerError):  # never a tombstone
            await source.fetch(Reference(issue_id="1"))


@pytest.mark.parametrize("key", ["", "x", "../user", "a/b", "#", "1/2", "٣", "a/b#", "9" * 40, "a#b#1"])
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
        old = Reply({"message": "401 Unauthorized"}, 401)  # without a header of its own
        server.before.insert(0, lambda asked: old if asked.path.endswith("/version") else None)
        assert await KIND.recognise(client) == "GitLab"
        server.before.insert(0, lambda asked: HTML if asked.path.endswith("/sign_in") else None)
        assert await KIND.recognise(client) is None
        server.before.insert(0, lambda asked: Reply({}, 404))
        assert await KIND.recognise(client) is None
    assert not any("private-token" in asked.headers for asked in server.asked)
