"""The contract of a source, held to a stand-in of GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from crawler.source import Connection
from crawler.sources import find_kind
from tests.trackers.gitlab.standin import TOKEN, GitLabStandIn, filled
from tests.trackers.suite import SourceSuite, Tracker


def tracker_of(server: GitLabStandIn, **changed: object) -> Tracker:
    """The tracker as the account with the token sees it."""
    connection = Connection(base_url=server.base, password=TOKEN, options={"page_size": 3})
    seen = frozenset(str(number) for number in server.issues)
    return Tracker(
        kind=find_kind("gitlab"),
        connection=replace(connection, **changed),  # type: ignore[arg-type] # fields of a connection
        issues=seen,
        missing="99",
        product="DESK",
        product_issues=seen,
        word="timeouts",
        word_issues=frozenset({"1", "3", "5", "7"}),
    )


@pytest.fixture(scope="module", params=["", "/gitlab"], ids=["at the root", "below a path"])
def served(request: pytest.FixtureRequest) -> Iterator[GitLabStandIn]:
    server = filled(root=request.param, licensed=bool(request.param))
    with server.serving():
        yield server


class TestGitLab(SourceSuite):
    """GitLab by its API."""

    @pytest.fixture
    def tracker(self, served: GitLabStandIn) -> Tracker:
        return tracker_of(served)
