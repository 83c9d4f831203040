"""The stand-in lets in, keeps out and forgets as the tracker does."""

from __future__ import annotations

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.accounts import DEMO
from crawler.sources.ims.standin.sessions import Sessions
from tests.fixtures.standin import ISSUE, LOGIN, SEARCH, SEARCH_PARAMS, Visitor, one, visit


def is_login_page(answer: httpx.Response) -> bool:
    has_password = LexborHTMLParser(answer.text).css_first("input[type=password]") is not None
    return answer.status_code == 200 and answer.url.path == LOGIN and has_password


async def test_the_login_page_sets_a_session_cookie(standin: StandIn) -> None:
    async with visit(standin) as nobody:
        answer = await nobody.client.get(LOGIN)
        assert is_login_page(answer)
        assert "JSESSIONID" in answer.cookies


async def test_the_login_page_takes_the_other_address_that_was_seen(standin: StandIn) -> None:
    async with visit(standin) as nobody:
        form = {"id": "kim", "password": "kim-secret"}
        answer = await nobody.client.post(f"{LOGIN}?tmaxsso_nsso=yes", data=form)
        assert not is_login_page(answer)


async def test_a_login_redirects_away_from_the_login_page(standin: StandIn) -> None:
    async with visit(standin) as nobody:
        answer = await nobody.login("kim")
        assert [hop.status_code for hop in answer.history] == [302]
        assert answer.status_code == 200
        assert "/auth/login" not in answer.url.path


async def test_the_page_after_login_carries_name_and_grade(standin: StandIn) -> None:
    async with visit(standin) as nobody:
        page = LexborHTMLParser((await nobody.login("sato")).text)
        values = [one(page, f"input[name={name}]").attributes["value"] for name in ("userName", "userGrade")]
        assert values == ["佐藤 恵", "2"]


@pytest.mark.parametrize(
    ("name", "password"), [("kim", "wrong"), ("nobody", "kim-secret"), ("kim", ""), ("", "")]
)
async def test_a_refused_login_answers_200_with_the_login_page(
    standin: StandIn, name: str, password: str
) -> None:
    async with visit(standin) as nobody:
        assert is_login_page(await nobody.login(name, password))
        assert is_login_page(await nobody.client.get(SEARCH))


@pytest.mark.parametrize("path", [SEARCH, ISSUE, "/tody/anything.do", "/", "/tody"])
async def test_without_a_login_every_path_leads_to_the_login_page(standin: StandIn, path: str) -> None:
    async with visit(standin) as nobody:
        assert is_login_page(await nobody.client.get(path))


async def test_an_expired_session_leads_to_the_login_page_until_the_next_login(
    standin: StandIn, kim: Visitor
) -> None:
    assert "rowClickData" in await kim.search()
    standin.expire_sessions()
    assert is_login_page(await kim.client.get(SEARCH, params=SEARCH_PARAMS))
    assert is_login_page(await kim.client.post(ISSUE, data={"issueId": "348115"}))
    await kim.login("kim")
    assert 'class="issueNumber"' in await kim.issue(348115)


async def test_a_new_password_holds_at_the_next_login(standin: StandIn, kim: Visitor) -> None:
    standin.set_password("kim", "another")
    assert "rowClickData" in await kim.search()
    standin.expire_sessions()
    assert is_login_page(await kim.login("kim", "kim-secret"))
    assert not is_login_page(await kim.login("kim", "another"))


async def test_the_log_of_requests_has_no_password(standin: StandIn, kim: Visitor) -> None:
    await kim.login("kim", "canary-password")
    assert standin.log[-1].param("id") == "kim"
    assert "canary-password" not in repr(standin.log)
    assert "kim-secret" not in repr(DEMO)


def test_a_session_ends_half_an_hour_after_its_last_use() -> None:
    now = [0.0]
    sessions = Sessions(DEMO, clock=lambda: now[0])
    session_id = sessions.login("kim", "kim-secret")
    for now[0] in (1700.0, 3400.0):
        assert sessions.account_of(session_id) is not None
    now[0] = 3400.0 + 1801
    assert sessions.account_of(session_id) is None
