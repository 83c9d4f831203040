"""A long session has a process for each core, and what the tracker allows holds over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from crawler.errors import LoginRefused
from crawler.source import Reference
from crawler.sources import ims
from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.app import Answer, Request
from pipeline.trackers import pool
from pipeline.trackers.process import Outcome, TrackerProcess
from tests.fixtures.crawl import Crawler

LOGIN = "/tody/auth/login.do"
ISSUES = 120


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cores, and a session that is soon a long one."""
    monkeypatch.setattr(pool, "cores", lambda: 2)
    monkeypatch.setattr(pool, "GROWTH", 20)


def _logins(standin: StandIn) -> int:
    return sum(request.path == LOGIN and request.method == "POST" for request in standin.log)


@pytest.mark.parametrize(
    ("features", "issues", "logins"),
    [
        ({}, ISSUES, 2),
        ({"one_login": True}, ISSUES, 1),
        ({"lists_whole_issues": True}, ISSUES, 1),
        ({}, 10, 1),
    ],
)
async def test_a_long_session_is_fetched_by_two_processes_where_that_costs_nobody_anything(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], issues: int, logins: int
) -> None:
    monkeypatch.setattr(ims, "KIND", replace(ims.KIND, features=replace(ims.KIND.features, **features)))
    async with StandIn(synthetic=issues, latency=0.01) as standin:
        done = await crawler.crawl(standin)
        assert _logins(standin) == logins
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", issues)
    ((requests,),) = crawler.rows("SELECT requests FROM ims.crawl_sessions")
    assert requests == sum(standin.requests.values())


async def test_no_issue_waits_for_a_process_that_has_no_part_of_the_host_yet(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    login, fetch, renew_soon = TrackerProcess.login, TrackerProcess.fetch, TrackerProcess.renew_soon
    ready: set[TrackerProcess] = set()
    too_early, asked_to_share = [], []

    async def watched_login(self: TrackerProcess, learnt: dict[str, Any] | None = None) -> None:
        await login(self, learnt)
        ready.add(self)

    async def watched_fetch(self: TrackerProcess, references: Sequence[Reference]) -> list[Outcome]:
        too_early.append(self not in ready)
        return await fetch(self, references)

    def watched_renew_soon(self: TrackerProcess) -> None:
        asked_to_share.append(self)
        renew_soon(self)

    monkeypatch.setattr(TrackerProcess, "login", watched_login)
    monkeypatch.setattr(TrackerProcess, "fetch", watched_fetch)
    monkeypatch.setattr(TrackerProcess, "renew_soon", watched_renew_soon)
    async with StandIn(synthetic=ISSUES, latency=0.02) as standin:
        await crawler.crawl(standin, workers=8)
    assert len(ready) == 2
    assert asked_to_share  # else the second one has to wait until the first one's second is over
    assert not any(too_early)


async def test_a_further_process_that_cannot_log_in_ends_nothing(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = TrackerProcess.login
    logins: list[TrackerProcess] = []

    async def once(self: TrackerProcess, learnt: dict[str, Any] | None = None) -> None:
        logins.append(self)
        if self is not logins[0]:
            raise LoginRefused("One login is enough.")
        await login(self, learnt)

    monkeypatch.setattr(TrackerProcess, "login", once)
    async with StandIn(synthetic=ISSUES, latency=0.01) as standin:
        done = await crawler.crawl(standin)
    assert len(logins) == 2
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", ISSUES)


class CountingStandIn(StandIn):
    """Counts the requests that wait for their answers."""

    now = most = 0

    @property
    def latency(self) -> float:  # asked for when a request has come
        self.now += 1
        self.most = max(self.most, self.now)
        return 0.02

    @latency.setter
    def latency(self, _: float) -> None: ...

    def _answer(self, request: Request) -> Answer:
        self.now -= 1
        return super()._answer(request)


async def test_two_processes_ask_no_more_at_once_than_the_tracker_allows(crawler: Crawler) -> None:
    async with CountingStandIn(synthetic=ISSUES) as standin:
        await crawler.crawl(standin, workers=8)
        assert _logins(standin) == 2
        assert standin.most == 4  # as the tracker is stored without a word about it
