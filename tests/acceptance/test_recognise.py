"""The kind of a tracker, told from its address or by asking the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import UsageError
from crawler.sources import find_kind, kind_names
from pipeline.trackers.recognise import place_of, recognise
from tests.fixtures.api_server import ApiServer, Reply
from tests.fixtures.program import run_standin
from tests.fixtures.shell import Shell


@pytest.fixture(scope="module")
def ims() -> Iterator[str]:
    """An IMS."""
    with run_standin("--issues", "3") as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().rstrip("/")
        process.terminate()


def front_page(body: bytes, status: int = 200) -> ApiServer:
    """A server that answers everything with one page."""
    server = ApiServer()
    server.before.append(lambda _: Reply(body, status, {"Content-Type": "text/html"}))
    return server


def test_a_server_that_is_asked_tells_its_kind(shell: Shell, ims: str) -> None:
    done = shell("trackers", "add", "desk", "--url", f"{ims}/tody/ims/issue/issueSearchList.do")
    assert done.status == 0, done.err
    assert f"{ims}/tody/ims/issue/issueSearchList.do is a tracker of the kind ims" in done.out
    (row,) = shell("trackers", "list", "--json").document
    assert (row["kind"], row["base_url"]) == ("ims", ims)


def test_a_trac_tells_its_version(shell: Shell) -> None:
    foot = b'<p class="left">Powered by <a href="/about"><strong>Trac 1.4.3</strong></a></p>'
    with front_page(foot).serving() as url:
        done = shell("trackers", "add", "dev", "--url", f"{url}/query?status=!closed&order=id")
    assert (done.status, "kind trac, which calls itself Trac 1.4.3" in done.out) == (0, True), done
    assert [row["base_url"] for row in shell("trackers", "list", "--json").document] == [url]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (200, b"{}"), (401, b"<html>hello"), (403, b"\xff\xfe"), (404, b"[1,"), (500, b"null")],
)
async def test_a_server_that_is_none_is_called_so(status: int, body: bytes) -> None:
    with (
        front_page(body, status).serving() as url,
        pytest.raises(UsageError, match="is no tracker that is known here: give --kind, one of"),
    ):
        await recognise(url)


def test_a_server_that_is_away_is_called_so(shell: Shell) -> None:
    done = shell("trackers", "add", "dev", "--url", "http://127.0.0.1:9")
    assert done.status == 5
    assert "cannot be reached" in done.err


def test_a_crawl_needs_no_kind_and_asks_once(shell: Shell, ims: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_TRACKER_USERNAME", "kim")
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", "kim-secret")
    first = shell("crawl", "*", "--url", ims, "--json")
    assert (first.status, first.document["issues_new"]) == (0, 3), first.err
    monkeypatch.setattr("pipeline.trackers.recognise.recognise", None)  # a stored tracker says what it is
    again = shell("crawl", "*", "--url", ims, "--json")
    assert (again.status, again.document["issues_unchanged"]) == (0, 3), again.err


def test_a_kind_with_tokens_says_where_one_makes_them(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def note(prompt: str, *, from_stdin: bool) -> None:
        prompts.append(prompt)

    monkeypatch.setattr("cli.trackers.read_password", note)
    assert shell("trackers", "add", "office", "--kind", "redmine", "--url", "http://h").status == 0
    assert shell("trackers", "add", "dev", "--kind", "trac", "--url", "http://h").status == 0
    (prompt,) = prompts  # a Trac may be read by anybody
    assert "API access key" in prompt
    assert prompt.endswith("Token (none: Enter): ")


def test_every_kind_with_tokens_tells_where_they_come_from() -> None:
    silent = [
        name
        for name in kind_names()
        if (features := find_kind(name).features).credential == "token" and not features.secret_help
    ]
    assert silent == []


@given(
    st.sampled_from(kind_names()),
    st.one_of(
        st.text(max_size=40),
        st.from_regex(r"https?://[a-z]{1,5}(\.[a-z]{1,5}){0,2}(:[0-9]{1,5})?(/[a-z0-9%:@._~-]{0,8}){0,5}\Z"),
    ),
)
def test_any_text_gives_an_address_that_can_be_asked_or_is_refused(kind: str, url: str) -> None:
    try:
        place = place_of(kind, url)
    except UsageError:
        return
    assert place_of(kind, place.base_url).base_url == place.base_url
