"""What the pages say: the shell's own answers, each user's rows only, and a tracker's texts as texts."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from db.acting import acting_for
from pipeline.search.stored_issue import issue_with_parts
from pipeline.search.timeline import as_of
from tests.database.web.conftest import FILE, Story
from tests.fixtures.program import LIMIT
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.served import Served, environment, serving
from tests.fixtures.shell import Shell

ALL = (
    *(
        "/?q=gadget",
        "/?q=%2Bonly",
        "/?q=gadget&product=Widget-of-bob",
        "/?q=secret-of-bob",
        "/?q=secret-of-alice",
    ),
    *("/?q=1", "/?q=gadget&sort=created&exact=yes", "/?q=gadget&places=attachments", "/?q=gadget&state=done"),
    *("/", "/issue?id=1", "/issue?id=1&tracker=desk", "/issue?id=only-bob", "/issue?id=only-alice"),
    *(
        "/issue?id=1&at=2026-03-06",
        "/file?id=1&place=1",
        "/saved",
        "/sessions",
        "/figures",
        "/figures?days=3650",
    ),
    *("/figures?product=Widget-of-bob", "/session?id={session}", "/download?id=1&file={file}"),
    *("/file?id=1&file={file}", "/issue?id=only-bob&tracker=desk"),
)


@pytest.mark.parametrize(("user", "user_id"), [("alice", ALICE), ("bob", BOB)])
def test_by_no_address_does_anybody_see_anothers_rows(story: Story, user: str, user_id: int) -> None:
    other, other_id = ("bob", BOB) if user == "alice" else ("alice", ALICE)
    seen = ""
    with serving(story.home, story.database.app_url, user=user) as page, page.known() as browser:
        for path in ALL:
            for whose in (user_id, other_id):
                address = path.format(session=story.sessions[whose], file=story.files[whose])
                answer = browser.get(address)
                assert answer.status_code in (200, 400, 404), address
                text = answer.text.replace(f'value="secret-of-{other}"', "")  # what was asked for itself
                text = (
                    re.sub(rf"(Widget|only)-of-{other}|only-{other}", "", text) if answer.is_error else text
                )
                told = html.unescape(re.sub("<[^>]*>", "", text))
                told = told if "q=secret" not in address else told.replace(f"secret-of-{other} – ", "", 1)
                assert f"secret-of-{other} " not in told or "Understood" in told, address
                assert f"only of {other}" not in text
                assert f"mine of {other}" not in text
                assert FILE + other.encode() not in answer.content
                if "{" in path and whose == other_id:
                    assert answer.status_code == 404
                seen += answer.text
    assert f"secret-of-{user} " in seen
    assert f"only of {user}" in seen
    assert f"mine of {user}" in seen


@pytest.mark.parametrize(
    "path",
    ["/?q=gadget", "/issue?id=1", "/issue?id=1&at=2026-03-06", "/file?id=1&place=1", "/sessions", "/figures"],
)
def test_what_a_tracker_wrote_stays_text(served: Served, path: str) -> None:
    with served.known() as browser:
        page = browser.get(path).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page or path == "/figures"
    assert "{{" in page or path in ("/figures",)
    assert not re.findall(r'(?:href|src|action)="(?!/|https?://|#)[^"]*"', page)
    assert 'href="javascript' not in page
    assert "49" not in re.findall(r"onerror=alert\(2\)[^<]{0,20}", page)


def test_links_lead_to_the_web_only(served: Served) -> None:
    with served.known() as browser:
        page = browser.get("/issue?id=1").text
        assert '<a href="https://example.com/a?b=1&amp;c=2" rel="noreferrer noopener nofollow">' in page
        assert "At the tracker" not in page  # its address is a script
        assert 'href="https://example.com/x"' in browser.get("/issue?id=only-alice").text


def test_a_file_is_a_download_and_nothing_else(served: Served, story: Story) -> None:
    with served.known() as browser:
        answer = browser.get(f"/download?id=1&file={story.files[ALICE]}")
    assert answer.content == FILE + b"alice"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = answer.headers["content-disposition"]
    assert told.startswith('attachment; filename="')
    assert not set(told) & set("<>\r\n/\\")
    assert told.count('"') == 2


def test_a_files_text_is_shown_from_the_place_that_was_found(served: Served) -> None:
    with served.known() as browser:
        hits = browser.get("/?q=wanted&places=attachments").text
        found = re.search(r'href="(/file\?[^"]+)"', hits)
        assert found is not None
        page = browser.get(html.unescape(found[1])).text
    assert '<tr id="here" class="here"><td class="figure">2</td><td>the wanted line' in page


@pytest.mark.parametrize(
    "options",
    [
        {"q": "gadget"},
        {"q": "find gadget or widget"},
        {"q": "+gadget -nothing", "status": "closed"},
        {"q": "gadget", "created": "2026-03-01..2026-03-02", "owner": "kim"},
        {"q": "gadget", "has_attachment": "yes", "sort": "updated"},
        {"q": "gadget", "state": "open"},
    ],
)
def test_the_hits_are_those_of_the_shell(
    story: Story, served: Served, shell: Shell, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    for name, value in environment(story.home, "alice", story.database.app_url).items():
        monkeypatch.setenv(name, value)
    given = [
        part
        for name, value in options.items()
        if name != "q"
        for part in ([f"--{name.replace('_', '-')}"] if value == "yes" else [f"--{name}", value])
    ]
    hits = shell("search", options["q"], *given, "--yes", "--json").document
    with served.known() as browser:
        page = browser.get("/", params=options)
    shown = re.findall(r'<span class="number">([^<]*)</span>', page.text)
    assert page.status_code == 200
    assert [html.unescape(number) for number in shown] == [hit["issue_id"] for hit in hits]


def test_the_figures_are_those_of_stats_and_of_the_report(
    story: Story, served: Served, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(story.home, "alice", story.database.app_url).items():
        monkeypatch.setenv(name, value)
    counted = shell("stats", "--days", "365", "--json").document
    with served.known() as browser:
        page = browser.get("/figures?days=365").text
    told = {
        html.unescape(name): value for name, value in re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page)
    }
    names = {"open": "open", "closed": "closed", "new": "new", "changed": "changed"}
    for name, shown in names.items():
        assert told[shown].replace(",", "") == str(counted["issues"][name])
    created = sum(row["created"] for row in counted["flow"])
    assert f"created: {created:,}" in page
    assert "<svg" in page


def test_figures_come_as_they_are_counted_and_are_shown_with_their_moment(story: Story) -> None:
    with (
        serving(story.home, story.database.app_url) as page,
        page.known() as browser,
        story.database.superuser() as other,
    ):
        kept = browser.get("/figures?days=84").text
        assert kept.endswith("</html>")
        with other.transaction():
            other.execute("SELECT pg_current_xact_id()")
        with other.transaction():
            other.execute("LOCK ims.issue_history IN ACCESS EXCLUSIVE MODE")
            until(lambda: "being counted" in browser.get("/figures?days=84").text)
            assert "being counted" not in kept
            assert _moment(browser.get("/figures?days=84").text) == _moment(kept)
            with browser.stream("GET", "/figures?days=83") as coming:
                parts = coming.iter_text()
                while "issues crawled" not in next(parts):
                    pass
                until(lambda: len(other.execute(_HELD_UP).fetchall()) == 2)
                for held in other.execute(_HELD_UP).fetchall():
                    other.execute("SELECT pg_cancel_backend(%s)", held)
                rest = "".join(parts)
        assert "took too long" in rest
        assert rest.rstrip().endswith("</html>")
        with browser.stream("GET", "/figures?days=83") as coming:
            whole = "".join(coming.iter_text())
        assert whole.count('role="img"') > 1
        until(lambda: "being counted" not in browser.get("/figures?days=84").text)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


_HELD_UP = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'ims.issue_history'::regclass"


def _moment(page: str) -> str:
    found = re.search(r"Counted at <time[^>]*>([^<]*)", page)
    assert found is not None, page
    return found[1]


def test_a_question_that_is_none_and_filters_that_are_none_are_said_on_the_page(served: Served) -> None:
    with served.known() as browser:
        for asked, told in (
            ({"q": "gadget", "created": "soon"}, "is not a time"),
            ({"q": "gadget", "tracker": "nobody"}, "no tracker called"),
            ({"q": "gadget", "status": "Closde"}, "Did you mean"),
            ({"q": "gadget", "places": "cellar"}, "--in takes"),
        ):
            answer = browser.get("/", params=asked)
            assert answer.status_code == 400
            assert told in html.unescape(answer.text)
            assert 'value="gadget"' in answer.text  # nothing has to be typed again
        answer = browser.get("/issue?id=1&at=soon")
        assert (answer.status_code, "is not a time" in answer.text) == (400, True)


def test_an_issue_is_shown_as_it_was(served: Served) -> None:
    with served.known() as browser:
        now = browser.get("/issue?id=1").text
        then = browser.get("/issue?id=1&at=2026-03-06").text
    assert "comment secret-of-alice" in then
    assert "<bdi>kim</bdi>" in now
    assert "<bdi>park</bdi>" in then
    assert "<bdi>New</bdi>" in then
    assert "→" in now
    assert "→" not in then


@pytest.mark.parametrize("day", ["2026-03-01T10:00", "2026-03-10T09:00", "2026-03-12", "2026-03-25"])
def test_as_it_was_is_what_the_database_says(story: Story, day: str) -> None:
    from pipeline.search.moments import read_moment

    at = read_moment(day, end=True)
    assert at is not None
    with acting_for(ALICE, url=story.database.app_url) as acting:
        told: dict[str, Any] = acting.connection.execute(
            "SELECT to_jsonb(f) FROM ims.issues_as_of(%s) f WHERE issue_id = '1'", (at,)
        ).fetchone()[0]  # type: ignore[index]
        was = as_of(acting, issue_with_parts(acting, "1"), at)
    names = ("title", "status", "state", "priority", "owner")
    assert json.dumps([was[name] for name in names]) == json.dumps([told[name] for name in names])


@pytest.mark.parametrize(
    ("accepted", "title"), [("ko-KR,ko;q=0.9", "검색"), ("ja", "検索"), ("de", "Search")]
)
def test_the_page_speaks_the_readers_language(served: Served, accepted: str, title: str) -> None:
    with served.known(**{"accept-language": accepted}) as browser:
        answer = browser.get("/")
        assert f'<h1 class="">{title}</h1>' in answer.text
        assert "Accept-Language" in answer.headers["vary"]
        assert browser.get("/?lang=ja").text.startswith('<!DOCTYPE html>\n<html lang="ja">')
        assert '<html lang="ja">' in browser.get("/sessions").text  # it stays chosen
        for path in ("/?q=gadget", "/issue?id=1", "/saved", "/sessions", "/figures", "/nowhere"):
            for language in ("en", "ko", "ja"):
                page = (
                    browser.get(path, params={"lang": language}).text
                    if "?" not in path
                    else browser.get(f"{path}&lang={language}").text
                )
                assert f'<html lang="{language}">' in page
