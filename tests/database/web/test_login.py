"""A page with a login: whoever the database lets in is themselves, and nobody gets in by any other way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.fixtures.certificate import make_certificate
from tests.fixtures.database import libpq_url, wait_until
from tests.fixtures.program import LIMIT
from tests.fixtures.rls_identities import PASSWORD, World
from tests.fixtures.schema import ALICE, ANA, APP_PASSWORD, BOB
from tests.fixtures.served import Served, form_key, serving
from web.visitors import Visitors

pytestmark = pytest.mark.xdist_group("served")


@contextmanager
def with_login(world: World, folder: Path) -> Iterator[Served]:
    """A page for everybody with a login; its own address has a password that opens nothing."""
    url = world.database.server.url(user="nobody", password="opens-nothing", dbname=world.database.name)
    with serving(folder, url, "--login", user="nobody") as page:
        yield page


@pytest.fixture(scope="module")
def desk(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page that lets its visitors in."""
    with with_login(world, tmp_path_factory.mktemp("desk")) as page:
        yield page


@pytest.fixture
def own_desk(world: World, tmp_path: Path) -> Iterator[Served]:
    """A page of the test's own, for it counts who guesses and keeps connections."""
    with with_login(world, tmp_path) as page:
        yield page


def log_in(browser: httpx.Client, name: str, password: str = PASSWORD, then: str = "/") -> httpx.Response:
    key = form_key(browser.get("/login", params={"next": then}))
    form = {"form_key": key, "name": name, "password": password, "next": then}
    return browser.post("/login", data=form)


@contextmanager
def person(desk: Served, world: World, user_id: int) -> Iterator[httpx.Client]:
    with desk.visitor() as browser:
        answer = log_in(browser, world.logins[user_id])
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        yield browser


def test_everybody_is_themselves(desk: Served, world: World) -> None:
    with world.database.superuser() as connection:
        connection.execute("UPDATE ims.issues SET title = 'crash of user ' || user_id")
    with person(desk, world, ALICE) as alice, person(desk, world, BOB) as bob:
        for browser, own, other in ((alice, ALICE, BOB), (bob, BOB, ALICE), (alice, ALICE, BOB)):
            for path in ("/?q=crash", "/issue?id=1"):
                page = browser.get(path).text
                assert f"crash of user {own}" in page.replace("<mark>", "").replace("</mark>", "")
                assert f"of user {other}" not in page
            assert world.logins[own] in browser.get("/").text


def test_an_analyst_sees_their_own_rows_here_and_saves_nothing(desk: Served, world: World) -> None:
    with person(desk, world, ANA) as browser:
        page = browser.get("/?q=crash")
        assert (page.status_code, 'class="hits"' in page.text) == (200, False)
        answer = browser.post("/saved", data={"form_key": form_key(page), "name": "n", "q": "+x"})
        assert (answer.status_code, "Analysts look and do not write" in answer.text) == (403, True)
        assert browser.get("/saved").status_code == 200  # and is still logged in


def test_a_question_is_saved_as_oneself_and_forgotten_in_the_shell(desk: Served, world: World) -> None:
    with person(desk, world, ALICE) as alice, person(desk, world, BOB) as bob:
        form = {"form_key": form_key(alice.get("/?q=crash")), "name": "from the page", "q": "+crash"}
        assert alice.post("/saved", data=form).status_code == 303
        assert "from the page" in alice.get("/saved").text
        assert "from the page" not in bob.get("/saved").text
        assert alice.post("/saved/forget", data=form).status_code == 403


def test_wrong_names_and_passwords_have_one_sentence(own_desk: Served, world: World) -> None:
    told = set()
    pairs = [
        (world.logins[ALICE], "wrong"),
        ("nobody", PASSWORD),
        (world.logins[ALICE], ""),
        ("", PASSWORD),
        ("a\0b", "c"),
        ("ims_app", APP_PASSWORD),  # may act for anybody, so it is nobody
        ("postgres", world.database.server.url().partition("postgres:")[2].partition("@")[0]),
        (f"{world.logins[ALICE]}?user={world.logins[BOB]}", PASSWORD),
    ]
    with own_desk.visitor() as browser:
        for name, password in pairs:
            answer = log_in(browser, name, password)
            assert answer.status_code == 403, name
            told.add(answer.text.partition('role="alert">')[2].partition("<")[0])
            assert browser.get("/?q=crash").status_code == 303
    assert told == {"The database does not let this name with this password in."}


def test_too_many_tries_are_refused(own_desk: Served, world: World) -> None:
    with own_desk.visitor() as browser:
        statuses = [
            log_in(browser, world.logins[ALICE], f"wrong {number}").status_code for number in range(11)
        ]
        assert statuses == [403] * 10 + [429]
        assert log_in(browser, world.logins[ALICE]).status_code == 429


def test_behind_a_proxy_tries_are_counted_by_whom_it_names(world: World, tmp_path: Path) -> None:
    url = world.database.server.url(user="nobody", password="x", dbname=world.database.name)
    with serving(tmp_path, url, "--login", "--public-name", "issues.example.com") as page:
        assert page.address == "https://issues.example.com/"
        port = listening_port(page.process.pid)

        def tried(whose: str, password: str) -> int:
            """Log in through a proxy that adds the address which it sees."""
            headers = {"host": "issues.example.com", "x-forwarded-for": f"9.9.9.9, {whose}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=LIMIT) as browser:
                form = browser.get("/login")
                cookie = form.headers["set-cookie"].partition(";")[0]
                assert cookie.startswith("__Host-ims_crawl=")
                told = {"form_key": form_key(form), "name": world.logins[ALICE], "password": password}
                return browser.post("/login", data=told, headers={"cookie": cookie}).status_code

        assert [tried("10.0.0.1", "wrong") for _ in range(10)] == [403] * 10
        assert tried("10.0.0.1", PASSWORD) == 429
        assert tried("10.0.0.2", PASSWORD) == 303


def listening_port(pid: int) -> int:
    """The port at which a process listens."""
    inodes = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        part = line.split()
        if part[3] == "0A" and f"socket:[{part[9]}]" in inodes:
            return int(part[1].partition(":")[2], 16)
    raise AssertionError("it does not listen")


@pytest.mark.parametrize(
    "target",
    ["//evil.example/", "/\\evil.example", "https://evil.example", "javascript:x", "/\t/evil", "/a\r\nb"],
)
def test_a_login_leads_nowhere_else(desk: Served, world: World, target: str) -> None:
    with desk.visitor() as browser:
        assert log_in(browser, world.logins[ALICE], then=target).headers["location"] == "/"


def test_a_login_leads_to_where_one_wanted_to_go(desk: Served, world: World) -> None:
    with desk.visitor() as browser:
        asked = browser.get("/issue?id=1&tracker=desk")
        assert (asked.status_code, asked.headers["location"]) == (
            303,
            "/login?next=%2Fissue%3Fid%3D1%26tracker%3Ddesk",
        )
        assert log_in(browser, world.logins[ALICE], then="/issue?id=1").headers["location"] == "/issue?id=1"


def test_the_key_changes_at_the_login_and_ends_with_the_logout(own_desk: Served, world: World) -> None:
    with world.database.superuser() as connection:
        (begun,) = connection.execute("SELECT clock_timestamp()").fetchone() or ()
    with own_desk.visitor() as browser:
        browser.get("/login")
        before = browser.cookies["ims_crawl"]
        log_in(browser, world.logins[ALICE])
        after = browser.cookies["ims_crawl"]
        assert before != after
        with own_desk.visitor(cookie=f"ims_crawl={before}") as fixed:
            assert fixed.get("/").status_code == 303
        browser.post("/logout", data={"form_key": form_key(browser.get("/"))})
        with own_desk.visitor(cookie=f"ims_crawl={after}") as stolen:
            assert stolen.get("/?q=crash").status_code == 303
    with world.database.superuser() as connection:  # nothing of theirs stays open
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND backend_start > %s"
        wait_until(  # the server ends them in its own time
            lambda: connection.execute(query, (world.logins[ALICE], begun)).fetchone() == (0,), "they end"
        )


def test_a_user_who_is_disabled_is_out(desk: Served, world: World) -> None:
    with person(desk, world, BOB) as browser, world.database.superuser() as connection:
        assert browser.get("/?q=crash").status_code == 200
        try:
            connection.execute("UPDATE ims.users SET is_active = false WHERE user_id = %s", (BOB,))
            assert browser.get("/?q=crash").status_code in (403, 503)
            assert browser.get("/?q=crash").status_code in (303, 403, 503)
        finally:
            connection.execute("UPDATE ims.users SET is_active = true WHERE user_id = %s", (BOB,))


def test_a_login_form_from_elsewhere_is_refused(desk: Served, world: World) -> None:
    form = {"name": world.logins[ALICE], "password": PASSWORD}
    with desk.visitor() as browser:
        assert browser.post("/login", data=form).status_code == 403
        browser.get("/login")
        assert browser.post("/login", data={**form, "form_key": "guessed"}).status_code == 403
        assert browser.get("/").status_code == 303


def test_no_password_is_in_what_the_page_says_or_prints(world: World, tmp_path: Path) -> None:
    url = world.database.server.url(user="nobody", password="opens-nothing", dbname=world.database.name)
    with serving(tmp_path, url, "--login") as page, page.visitor() as browser:
        said = log_in(browser, world.logins[ALICE], "a-wrong-one").text
        log_in(browser, world.logins[ALICE])
        said += "".join(browser.get(path).text for path in ("/", "/?q=crash", "/login", "/figures"))
        page.process.terminate()
        out, err = page.process.communicate(timeout=LIMIT)
    for secret in (PASSWORD, "a-wrong-one", "opens-nothing"):
        assert secret not in said + out + err


def test_the_server_itself_must_ask_for_the_password(world: World) -> None:
    from db.settings import personal_url

    url = personal_url(world.database.server.url(dbname=world.database.name), world.logins[ALICE], PASSWORD)
    assert "require_auth" in url
    with psycopg.connect(libpq_url(url)) as connection:  # the test's server does ask
        assert connection.info.user == world.logins[ALICE]


def test_by_https_the_cookie_is_for_this_host_and_https_only(world: World, tmp_path: Path) -> None:
    _, trusting = make_certificate(tmp_path, "127.0.0.1", valid_days=1)
    pem = str(tmp_path / "127.0.0.1-1.pem")
    url = world.database.server.url(user="nobody", password="x", dbname=world.database.name)
    options = ("--login", "--certificate", pem, "--key", pem)
    with serving(tmp_path, url, *options) as page:
        assert page.address.startswith("https://")
        with httpx.Client(base_url=page.address, verify=trusting, timeout=LIMIT) as browser:
            answer = browser.get("/login")
            assert answer.headers["set-cookie"].startswith("__Host-ims_crawl=")
            assert "; secure" in answer.headers["set-cookie"].lower()
            assert log_in(browser, world.logins[ALICE]).status_code == 303
            assert browser.get("/?q=crash").status_code == 200


def test_a_session_ends_by_itself() -> None:
    now = [0.0]
    visitors = Visitors(idle=10, life=25, clock=lambda: now[0])
    visitor = visitors.admit(ALICE, "alice", "postgresql://a:b@localhost/x")
    for moment in (9, 18, 24):
        now[0] = moment
        assert visitors.find(visitor.key) is visitor
    now[0] = 25
    assert visitors.find(visitor.key) is None
    assert visitor.url is None  # the password with it
    silent = visitors.admit(BOB)
    now[0] += 10
    assert visitors.find(silent.key) is None


def test_who_loads_the_form_again_and_again_puts_nobody_out() -> None:
    visitors = Visitors(idle=10, life=25, clock=lambda: 0.0)
    person = visitors.admit(ALICE, "alice")
    forms = [visitors.admit() for _ in range(2000)]
    assert visitors.find(person.key) is person
    assert sum(visitors.find(form.key) is not None for form in forms) == 999
