"""The benchmark beside Scrapy means something only if its tracker answers as the stand-in does."""

from __future__ import annotations

import pytest

from bench.peer.page import read_list
from bench.peer.tracker import Answers
from crawler.sources.ims.parse import parse_list
from crawler.sources.ims.standin.accounts import DEMO
from crawler.sources.ims.standin.forms import Listing
from crawler.sources.ims.standin.synthetic import FIRST_NUMBER, Synthetic

ISSUES = 25


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers(ISSUES)


def ask(answers: Answers, target: str, cookie: bytes = b"", body: bytes = b"") -> tuple[bytes, bytes]:
    method = b"POST" if body else b"GET"
    head = method + b" " + target.encode() + b" HTTP/1.1\r\nHost: x\r\nCookie: " + cookie
    told, _, page = answers.to(head, body).partition(b"\r\n\r\n")
    return told, page


def logged_in(answers: Answers) -> bytes:
    told, _ = ask(answers, "/tody/auth/login.do", body=b"id=kim&password=kim-secret")
    return told.partition(b"Set-Cookie: ")[2].partition(b";")[0]


def test_an_issues_page_is_the_stand_ins_to_the_byte(answers: Answers) -> None:
    number = FIRST_NUMBER + 7
    told, page = ask(answers, f"/tody/ims/issue/issueView.do?issueId={number}", logged_in(answers))
    assert page == Synthetic(ISSUES, Listing()).page(number, DEMO[0])
    assert f"Content-Length: {len(page)}".encode() in told


def test_the_lists_have_every_issue_and_both_crawlers_read_the_same(answers: Answers) -> None:
    cookie, found = logged_in(answers), []
    for page in range(1, 4):
        listed = ask(answers, f"/tody/ims/issue/issueSearchList.do?pageIndex={page}", cookie)[1].decode()
        ours = parse_list(listed)
        assert read_list(listed) == (ours.total, [row.issue_id for row in ours.rows])
        found += [int(row.issue_id) for row in ours.rows]
    assert sorted(found) == list(range(FIRST_NUMBER, FIRST_NUMBER + ISSUES))


def test_past_its_end_the_list_repeats_its_last_page(answers: Answers) -> None:
    cookie = logged_in(answers)
    last, beyond = (
        ask(answers, f"/tody/ims/issue/issueSearchList.do?pageIndex={page}", cookie) for page in (3, 4)
    )
    assert beyond == last


@pytest.mark.parametrize("body", [b"", b"id=kim&password=wrong", b"id=kim"])
def test_nobody_gets_a_page_without_a_login(answers: Answers, body: bytes) -> None:
    told, page = ask(answers, "/tody/auth/login.do", body=body)
    assert b"loginForm" in page
    assert logged_in(answers) not in told
    told, page = ask(answers, f"/tody/ims/issue/issueView.do?issueId={FIRST_NUMBER}", b"JSESSIONID=other")
    assert told.startswith(b"HTTP/1.1 302 ")
    assert page == b""
