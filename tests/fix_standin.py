"""The stand-in tracker, running on loopback, and browsers that are logged in to it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.standin import StandIn

LOGIN = "/tody/auth/login.do"
SEARCH = "/tody/ims/issue/issueSearchList.do"
ISSUE = "/tody/ims/issue/issueView.do"
SEARCH_PARAMS = {
    "reSearchYN": "Y",
    "queryId": "ims.issueSearch.findIssueSearch",
    "queryIdDetail": "ims.profile.findUserIssueColumns",
    "searchType": "1",
    "listType": "1",
    "reportType": "R101",
    "menuCode": "issue_search",
    "menuLink": "/ims/issue/issueSearchList.do",
    "moveSearchAction": "ims/issue/issueSearchList.do",
    "reportLink": "/util/saveSearchList.do",
    "taggingWordOption": "equals",
    "orderType": "desc",
    "pageSize": "100",
}


def one(node: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    """The first node that matches; there must be one."""
    found = node.css_first(selector)
    assert found is not None, selector
    return found


class Visitor:
    """Somebody with a browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def login(self, name: str, password: str | None = None) -> httpx.Response:
        form = {"id": name, "password": f"{name}-secret" if password is None else password}
        return await self.client.post(LOGIN, data=form)

    async def search(
        self, keyword: str = "", page: int = 1, changed: Mapping[str, str | list[str] | None] | None = None
    ) -> str:
        params: dict[str, str | list[str] | None] = {
            **SEARCH_PARAMS,
            "keyword": keyword,
            "pageIndex": str(page),
            **(changed or {}),
        }
        kept = {name: value for name, value in params.items() if value is not None}
        return (await self.client.get(SEARCH, params=kept)).text

    async def issue(self, number: int) -> str:
        form = {"issueId": str(number), "menuCode": "issue_search"}
        return (await self.client.post(ISSUE, data=form)).text


@asynccontextmanager
async def visit(tracker: StandIn, name: str | None = None) -> AsyncIterator[Visitor]:
    """Open a browser at a tracker, logged in where a name is given."""
    # plain HTTP on loopback has nothing to verify, and loading certificates would be most of a test's time
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(
        base_url=tracker.url, follow_redirects=True, trust_env=False, verify=tls
    ) as client:
        visitor = Visitor(client)
        if name is not None:
            await visitor.login(name)
        yield visitor


@pytest.fixture
async def standin() -> AsyncIterator[StandIn]:
    """A tracker of the test's own, with the written issues; accounts kim, sato and smith."""
    async with StandIn.demo() as tracker:
        yield tracker


@pytest.fixture
async def kim(standin: StandIn) -> AsyncIterator[Visitor]:
    """Kim's browser, logged in to the stand-in."""
    async with visit(standin, "kim") as visitor:
        yield visitor
