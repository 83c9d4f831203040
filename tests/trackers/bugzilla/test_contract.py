"""The contract of a source, held to a stand-in of two Bugzillas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.source import Connection
from crawler.sources.bugzilla import KIND
from tests.trackers.bugzilla.standin import KEY, KIM, BugzillaStandIn, filled
from tests.trackers.suite import SourceSuite, Tracker


def _tracker(bugzilla: BugzillaStandIn, url: str, username: str | None) -> Tracker:
    bugs = bugzilla.bugs.values()
    return Tracker(
        kind=KIND,
        connection=Connection(base_url=f"{url}/bugs", username=username, password=KEY),
        issues=frozenset(str(bug.id) for bug in bugs),
        missing="999",
        product="Mail",
        product_issues=frozenset(str(bug.id) for bug in bugs if bug.fields["product"] == "Mail"),
        word="zebra",
        word_issues=frozenset(str(bug.id) for bug in bugs if "zebra" in bug.comments[0]["text"]),
    )


@pytest.fixture(scope="module")
def stock() -> Iterator[Tracker]:
    bugzilla = filled()
    with bugzilla.serving() as url:
        yield _tracker(bugzilla, url, KIM)


@pytest.fixture(scope="module")
def later() -> Iterator[Tracker]:
    bugzilla = filled(knows_headers=True, api="rest.cgi")
    with bugzilla.serving() as url:
        yield _tracker(bugzilla, url, None)


class _Suite(SourceSuite):
    async def test_the_total_is_the_trackers_own(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            assert {page.total async for page in source.search(None)} == {None}  # it tells none


class TestStock(_Suite):
    """The stock 5.0, which takes a key as a parameter only."""

    @pytest.fixture
    def tracker(self, stock: Tracker) -> Tracker:
        return stock


class TestLater(_Suite):
    """A later one, which takes a key in a header, where addresses are not rewritten."""

    @pytest.fixture
    def tracker(self, later: Tracker) -> Tracker:
        return later
