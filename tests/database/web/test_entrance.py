"""Who gets in, and from where: token, cookie, names of the host, forms, an end at once."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from db.errors import DatabaseUnreachable
from tests.database.web.conftest import Story
from tests.fixtures.program import LIMIT
from tests.fixtures.schema import ALICE
from tests.fixtures.served import Served, form_key, serving
from tests.fixtures.shell import Shell
from web.guard import HEADERS
from web.visitors import Visitors

pytestmark = pytest.mark.xdist_group("served")

PAGES = ("/", "/?q=gadget", "/issue?id=1", "/file?id=1&place=1", "/saved", "/sessions", "/figures")


def test_the_token_opens_the_page_once_and_leaves_the_address(served: Served) -> None:
    with served.visitor() as browser:
        answer = browser.get(served.address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert all(part in cookie.lower() for part in ("httponly", "samesite=lax", "path=/"))
        assert served.address.partition("token=")[2] not in cookie
        page = browser.get("/")
        assert page.status_code == 200
        assert "token" not in page.text


@pytest.mark.parametrize("path", [*PAGES, "/download?id=1&file=1", "/session?id=1", "/nowhere"])
def test_nobody_sees_a_page_without_the_token(served: Served, path: str) -> None:
    with served.visitor(cookie="ims_crawl=guessed") as browser:
        answer = browser.get(path)
        assert answer.status_code == 403
        assert "address with the token" in answer.text
        assert "secret-of-" not in answer.text


@pytest.mark.parametrize("token", ["", "wrong", "ｗｒｏｎｇ", "%00", "a" * 5000])
def test_a_wrong_token_is_told_in_one_sentence(served: Served, token: str) -> None:
    with served.visitor() as browser:
        answer = browser.get("/enter", params={"token": token})
        assert answer.status_code == 403
        assert "The token in the address is wrong" in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost", "127.0.0.1:1", "", "localhost:{port}.evil"]
)
def test_another_name_for_this_host_is_refused(served: Served, host: str) -> None:
    with served.known() as browser:
        answer = browser.get("/", headers={"host": host.format(port=browser.base_url.port)})
        assert answer.status_code in (400, 421)
        assert "secret-of-" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "LocalHost:{port}"])
def test_our_own_names_are_answered(served: Served, host: str) -> None:
    with served.known() as browser:
        assert browser.get("/", headers={"host": host.format(port=browser.base_url.port)}).status_code == 200


@pytest.mark.parametrize(
    "path", [*PAGES, "/nowhere", "/static/style.css", "/issue?id=none", "/enter?token=x"]
)
def test_every_answer_has_the_policy_and_nothing_inline(served: Served, path: str) -> None:
    with served.known() as browser:
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert {name: answer.headers[name] for name in HEADERS if name != "Cache-Control"} == {
            name: value for name, value in HEADERS.items() if name != "Cache-Control"
        }
        assert re.search(r"<script(?![^>]* src=\"/static/)|<style| style=| on[a-z]+=\"", answer.text) is None


@pytest.mark.parametrize(
    ("changed", "headers"),
    [
        ({"form_key": ""}, {}),
        ({"form_key": "guessed"}, {}),
        ({}, {"origin": "http://evil.example"}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"sec-fetch-site": "same-site"}),
        ({}, {"content-type": "text/plain"}),
    ],
)
def test_a_form_that_is_not_from_our_page_does_nothing(
    served: Served, changed: dict[str, str], headers: dict[str, str]
) -> None:
    with served.known() as browser:
        key = form_key(browser.get("/?q=gadget"))
        form = {"form_key": key, "name": "forged", "q": "+x", **changed}
        assert browser.post("/saved", data=form, headers=headers).status_code in (403, 415)
        assert "forged" not in browser.get("/saved").text


def test_another_visitors_form_key_is_none_of_ours(served: Served) -> None:
    with served.known() as one, served.known() as other:
        key = form_key(other.get("/?q=gadget"))
        assert one.post("/saved", data={"form_key": key, "name": "forged", "q": "+x"}).status_code == 403


def test_a_form_of_our_own_is_taken_and_too_large_a_one_is_not(served: Served) -> None:
    with served.known() as browser:
        key = form_key(browser.get("/?q=gadget"))
        form = {"form_key": key, "name": "mine <b>", "q": "+gadget", "status": "open", "sort": "updated"}
        headers = {"origin": "null", "sec-fetch-site": "same-origin"}  # as a browser says it
        assert browser.post("/saved", data=form, headers=headers).status_code == 303
        page = browser.get("/saved").text
        assert "mine &lt;b&gt;" in page
        assert 'href="/?status=open&amp;sort=updated&amp;q=%2Bgadget"' in page
        assert browser.post("/saved", data={**form, "name": "x" * 70_000}).status_code == 413
        assert browser.post("/saved/forget", data={"form_key": key, "name": "mine <b>"}).status_code == 303
        assert "mine &lt;b&gt;" not in browser.get("/saved").text


def test_who_leaves_is_known_no_more(served: Served) -> None:
    with served.known() as browser, served.known() as another:
        cookie = browser.cookies["ims_crawl"]
        browser.post("/logout", data={"form_key": form_key(browser.get("/"))})
        with served.visitor(cookie=f"ims_crawl={cookie}") as stolen:
            assert stolen.get("/").status_code == 403
        assert another.get("/").status_code == 200


def test_looking_writes_nothing(served: Served, story: Story) -> None:
    counts = "SELECT (SELECT count(*) FROM ims.search_queries), (SELECT count(*) FROM ims.audit_log)"
    with story.database.superuser() as connection, served.known() as browser:
        before = connection.execute(counts).fetchall()
        for path in PAGES:
            assert browser.get(path).status_code == 200, path
        assert connection.execute(counts).fetchall() == before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_at_once_even_with_a_visitor_who_stays(
    story: Story, number: signal.Signals, status: int
) -> None:
    with serving(story.home, story.database.app_url) as page, page.known() as browser:
        assert browser.get("/").status_code == 200
        began = time.monotonic()
        page.process.send_signal(number)
        _, told = page.process.communicate(timeout=LIMIT)
        assert page.process.returncode == status
        assert time.monotonic() - began < 5
        assert "Traceback" not in told


def test_a_signal_ends_it_at_once_even_while_the_database_is_asked(story: Story) -> None:
    with serving(story.home, story.database.app_url) as page, page.known() as browser:
        with story.database.superuser() as connection, connection.transaction():
            connection.execute("LOCK TABLE ims.issues IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(httpx.ReadTimeout):
                browser.get("/issue?id=1", timeout=1)
            began = time.monotonic()
            page.process.send_signal(signal.SIGINT)
            _, told = page.process.communicate(timeout=LIMIT)
        assert page.process.returncode == 130
        assert time.monotonic() - began < 5
        assert "Traceback" not in told


def test_whoever_looks_cannot_write(story: Story) -> None:
    visitor = Visitors(idle=1, life=1).admit(ALICE, "alice", story.database.app_url)
    with pytest.raises(DatabaseUnreachable, match="read-only"), visitor.asking() as acting:
        acting.connection.execute("DELETE FROM ims.issues")
    with visitor.asking() as acting:
        told = acting.connection.execute("SHOW statement_timeout").fetchone()
    assert told == ("30s",)


def test_a_taken_port_is_said_in_one_sentence(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = shell("serve", "--port", str(taken.getsockname()[1]))
    assert (done.status, "is taken: give another one with --port" in done.sentence()) == (2, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--host", "0.0.0.0"), "needs --login, and --certificate"),  # noqa: S104
        (("--host", "192.0.2.1", "--login"), "needs --login, and --certificate"),
        (("--certificate", "x.pem"), "both --certificate and --key"),
        (("--certificate", "x.pem", "--key", "y.pem"), "no certificate with its key"),
        (("--public-name", "x.example"), "of a page with --login"),
        (("--public-name", "x/y", "--login"), "of a page with --login"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(
    shell: Shell, options: tuple[str, ...], told: str
) -> None:
    done = shell("serve", "--port", "0", *options)
    assert (done.status, told in done.sentence()) == (2, True)


def test_a_browser_that_is_not_there_is_no_reason_to_end(story: Story, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with serving(story.home, story.database.app_url, "--open") as page, page.known() as browser:
        assert browser.get("/").status_code == 200
        left = story.home / "open-page.html"  # the token is no argument of the browser's
        assert page.address in left.read_text()
        assert left.stat().st_mode & 0o077 == 0
        page.process.send_signal(signal.SIGINT)
        _, told = page.process.communicate(timeout=LIMIT)
        assert page.address.partition("token=")[2] not in told
        assert not left.exists()


@pytest.mark.parametrize("request_line", ["PUT / HTTP/1.1", "OPTIONS * HTTP/1.1", "TRACE / HTTP/1.1", "junk"])
def test_odd_requests_are_refused_and_the_page_goes_on(served: Served, request_line: str) -> None:
    with served.known() as browser:
        with socket.create_connection((browser.base_url.host, browser.base_url.port or 0)) as raw:
            raw.sendall(f"{request_line}\r\nHost: 127.0.0.1:{browser.base_url.port}\r\n\r\n".encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 4")
        assert browser.get("/").status_code == 200


def test_every_path_has_an_answer_without_a_defect(served: Served) -> None:
    odd = ("\0", "%ff%fe", "-1", "9" * 30, "'; SELECT", "\ud7ff", "..", "1" * 4000)
    with served.known() as browser:
        for name in (
            "id",
            "q",
            "offset",
            "at",
            "from",
            "place",
            "file",
            "days",
            "product",
            "lang",
            "tracker",
        ):
            for path in ("/", "/issue", "/file", "/download", "/session", "/sessions", "/figures"):
                for value in odd:
                    known = {"id": "1", "q": "gadget"} if name not in ("id", "q") else {"q": "gadget"}
                    answer = browser.get(path, params={**known, name: value})
                    assert answer.status_code < 500, (path, name, value, answer.text[-600:])


def test_http_errors_are_pages_too(served: Served) -> None:
    with served.known() as browser:
        assert browser.post("/", data={"form_key": form_key(browser.get("/"))}).status_code == 405
        answer = browser.get("/nowhere")
        assert (answer.status_code, "nothing here by this address" in answer.text) == (404, True)
        assert isinstance(answer, httpx.Response)
