"""A tracker behind a proxy, from the command line to the process that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawler.sources.ims.standin import StandIn
from tests.fixtures.forward_proxy import ForwardProxy, forward_proxy
from tests.fixtures.shell import Shell
from tests.fixtures.standin import in_a_thread

pytestmark = pytest.mark.xdist_group("shell")
CANARY = "c4nary-of-the-proxy"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """The stand-in in a thread of its own, as a command has the test's."""
    with in_a_thread(StandIn.demo()) as tracker:
        yield tracker


@pytest.fixture
def proxy() -> Iterator[ForwardProxy]:
    with forward_proxy(account=f"kim:{CANARY}") as running:
        yield running


@pytest.fixture
def add(shell: Shell, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """How the tracker is added; only the proxy knows its name."""
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", "kim-secret")
    port = standin.url.rpartition(":")[2]
    url = f"http://tracker.invalid:{port}"
    return "trackers", "add", "far", "--kind", "ims", "--url", url, "--username", "kim"


def _named(proxy: ForwardProxy) -> str:
    return proxy.url.replace("//", "//kim@")


def test_a_tracker_is_tested_and_crawled_through_its_proxy(
    shell: Shell, add: tuple[str, ...], proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMS_PROXY_PASSWORD", CANARY)
    done = shell(*add, "--proxy", _named(proxy))
    assert done.status == 0, done.err
    monkeypatch.delenv("IMS_PROXY_PASSWORD")
    tested = shell("trackers", "test", "far")
    assert f"through the proxy {_named(proxy)}." in tested.out
    crawled = shell("crawl", "*", "--tracker", "far", "--max", "3", "--json")
    assert crawled.status == 0, crawled.err
    assert crawled.document["issues_new"] == 3
    assert all("tracker.invalid" in each for each in proxy.asked)
    told = [shell("trackers", "edit", "far"), shell("trackers", "list", "--json"), tested, crawled, done]
    assert not any(CANARY in each.out + each.err for each in told)
    assert f"proxy: {_named(proxy)}" in told[0].out
    # Another address of the proxy's gets no password that was not given for it.
    monkeypatch.setenv("IMS_PROXY_PASSWORD", "wr0ng-one")
    assert (
        shell("trackers", "edit", "far", "--proxy", _named(proxy).replace("127.0.0.1", "localhost")).status
        == 0
    )
    refused = shell("trackers", "test", "far")
    assert refused.status == 5
    assert "wants another name or password" in refused.err


def test_the_environments_proxy_is_used_and_said(
    shell: Shell, add: tuple[str, ...], proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell(*add).status == 0
    monkeypatch.setenv("HTTP_PROXY", _named(proxy).replace("kim@", f"kim:{CANARY}@"))
    tested = shell("trackers", "test", "far", "--json")
    assert tested.document["proxy"] == f"{_named(proxy)} (from HTTP_PROXY)"
    assert CANARY not in tested.out + tested.err
    monkeypatch.setenv("NO_PROXY", "invalid")
    assert shell("trackers", "test", "far").status == 5  # nobody else knows the name


def test_a_password_in_the_proxys_address_or_none_at_all_is_refused(
    shell: Shell, add: tuple[str, ...], proxy: ForwardProxy
) -> None:
    for address, said in (
        (f"http://kim:{CANARY}@proxy:1", "in its address"),
        ("http://kim@proxy:1", "is missing"),
    ):
        refused = shell(*add, "--proxy", address)
        assert refused.status == 2
        assert said in refused.err
        assert CANARY not in refused.err


def test_a_proxy_is_removed_and_its_password_with_it(
    shell: Shell, add: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMS_PROXY_PASSWORD", CANARY)
    assert shell(*add, "--proxy", "http://kim@127.0.0.1:1").status == 0
    assert "cannot be reached" in shell("trackers", "test", "far").err
    kept = shell("trackers", "edit", "far", "--rate", "5", "--json").document
    assert kept["options"]["proxy"] == "http://kim@127.0.0.1:1"
    gone = shell("trackers", "edit", "far", "--proxy", "", "--json").document
    assert "proxy" not in gone["options"]
    assert gone["has_password"]
    with shell.database.superuser() as connection:
        assert connection.execute("SELECT proxy_secret FROM ims.tracker_secrets").fetchall() == [(None,)]
