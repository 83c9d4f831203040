"""What belongs to several bugs is asked for side by side, not one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from crawler.client import Client
from crawler.errors import NotFound, TrackerError
from crawler.source import Connection, Reference
from crawler.sources.bugzilla.source import BugzillaSource
from crawler.together import together
from tests.fixtures.api_server import Asked, Reply
from tests.trackers.bugzilla.cgi_standin import filled_cgi
from tests.trackers.bugzilla.standin import BugzillaStandIn, filled


@pytest.mark.parametrize(
    ("made", "ends"),
    [(filled, ("/comment", "/history", "/attachment")), (filled_cgi, ("/show_activity.cgi",))],
    ids=["api", "pages"],
)
async def test_the_parts_of_a_batch_are_on_their_way_at_the_same_time(
    made: Callable[[], BugzillaStandIn], ends: tuple[str, ...]
) -> None:
    bugzilla = made()
    meeting = threading.Barrier(3)  # passed only by three requests that are there together

    def wait(asked: Asked) -> Reply | None:
        if asked.path.endswith(ends):
            meeting.wait(10)
        return None

    bugzilla.before.append(wait)
    with bugzilla.serving() as url:
        connection = Connection(base_url=f"{url}/bugs")
        async with Client(connection.base_url, concurrency=3, tries=1) as client:
            source = BugzillaSource(connection, client)
            references = [Reference(issue_id=str(number)) for number in (1, 2, 3)]
            outcomes = await source.fetch_many(references)
    assert [isinstance(pages, tuple) and pages[0].url[-1] for pages in outcomes] == ["1", "2", "3"]


async def test_the_first_error_is_raised_when_nothing_goes_on_any_more() -> None:
    ended: list[str] = []

    async def question(name: str, *, fails: bool) -> str:
        ended.append(name)
        if fails:
            raise TrackerError(name)
        return name

    with pytest.raises(TrackerError, match="second"):
        await together(
            [question("first", fails=False), question("second", fails=True), question("third", fails=True)]
        )
    assert ended == ["first", "second", "third"]
    assert await together([question(name, fails=False) for name in "ba"]) == ["b", "a"]


async def test_an_error_that_is_an_answer_is_not_raised() -> None:
    refused = NotFound("none")

    async def question() -> NotFound:
        return refused

    assert await together([question()]) == [refused]
