"""A long session has a process for each core, and what the tracker allows holds over all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crawler.sources import ims
from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.app import Answer, Request
from pipeline.trackers import pool
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
    ("one_login", "issues", "logins"), [(False, ISSUES, 2), (True, ISSUES, 1), (False, 10, 1)]
)
async def test_a_long_session_is_fetched_by_two_processes_where_the_account_may_log_in_twice(
    crawler: Crawler, monkeypatch: pytest.MonkeyPatch, one_login: bool, issues: int, logins: int
) -> None:
    monkeypatch.setattr(
        ims, "KIND", replace(ims.KIND, features=replace(ims.KIND.features, one_login=one_login))
    )
    async with StandIn(synthetic=issues, latency=0.01) as standin:
        done = await crawler.crawl(standin)
        assert _logins(standin) == logins
    assert (done.outcome["status"], done.outcome["issues_new"]) == ("completed", issues)
    ((requests,),) = crawler.rows("SELECT requests FROM ims.crawl_sessions")
    assert requests == sum(standin.requests.values())


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
