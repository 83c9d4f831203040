"""The contract of a source, held to a stand-in of each Jira."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.source import Connection
from crawler.sources.jira import KIND
from tests.trackers.jira.standin import SECRET, TOKEN, USER, JiraStandIn, filled
from tests.trackers.suite import SourceSuite, Tracker


def _tracker(jira: JiraStandIn, connection: Connection) -> Tracker:
    return Tracker(
        kind=KIND,
        connection=connection,
        issues=frozenset(each.key for each in jira.issues),
        missing="DOC-999",
        product="OPS",
        product_issues=frozenset(each.key for each in jira.of("OPS")),
        word="zebra",
        word_issues=frozenset(each.key for each in jira.issues if "zebra" in str(each.description)),
    )


@pytest.fixture(scope="module")
def data_center() -> Iterator[Tracker]:
    jira = filled(context="/jira")
    with jira.serving() as url:
        yield _tracker(jira, Connection(base_url=f"{url}/jira", password=TOKEN))


@pytest.fixture(scope="module")
def server() -> Iterator[Tracker]:
    jira = filled()
    jira.gives_files_to_tokens = False
    with jira.serving() as url:
        yield _tracker(jira, Connection(base_url=url, username=USER, password=SECRET))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Tracker]:
    jira = filled(is_cloud=True)
    with jira.serving() as url:
        yield _tracker(jira, Connection(base_url=url, username=USER, password=SECRET))


class TestDataCenter(SourceSuite):
    """Jira Data Center by a personal access token, below a path."""

    @pytest.fixture
    def tracker(self, data_center: Tracker) -> Tracker:
        return data_center


class TestServer(SourceSuite):
    """Jira Server by a name and its password."""

    @pytest.fixture
    def tracker(self, server: Tracker) -> Tracker:
        return server


class TestCloud(SourceSuite):
    """Jira Cloud by a mail address and an API token."""

    @pytest.fixture
    def tracker(self, cloud: Tracker) -> Tracker:
        return cloud

    async def test_the_total_is_the_trackers_own(self, tracker: Tracker) -> None:
        async with tracker.logged_in() as source:
            totals = {page.total async for page in source.search(None)}
        assert totals == {None}  # its count is an estimate, which would make a whole crawl look incomplete
