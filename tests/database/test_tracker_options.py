"""What a connection can be told is set, changed and taken back; what is not named stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")
URL = "https://ims.example.com"


@pytest.fixture
def added(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A tracker with an account, and an option."""
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", "c4nary")
    done = shell(
        *("trackers", "add", "ims", "--kind", "ims", "--url", URL, "--username", "kim", "--rate", "2"),
        *("--option", "relations=yes", "--option", "path=app/tody"),
    )
    assert done.status == 0, done.err
    monkeypatch.delenv("IMS_TRACKER_PASSWORD")
    return shell


def stored(shell: Shell, *changes: str) -> dict[str, Any]:
    """The connection after some changes."""
    done = shell("trackers", "edit", "ims", *changes, "--json")
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def test_what_is_not_named_stays(added: Shell) -> None:
    before = stored(added)
    assert before == {
        "name": "ims",
        "kind": "ims",
        "base_url": URL,
        "username": "kim",
        "has_password": True,
        "timezone": None,
        "rate": 2.0,
        "concurrency": 4,
        "options": {"relations": True, "path": "app/tody", "ignore_robots": False},
    }
    changed = stored(added, "--option", "patches=on", "--option", "path=", "--ignore-robots")
    assert changed == {**before, "options": {"relations": True, "patches": True, "ignore_robots": True}}
    assert stored(added, "--timezone", "Asia/Tokyo", "--rate", "0", "--concurrency", "2") == {
        **changed,
        "timezone": "Asia/Tokyo",
        "rate": None,
        "concurrency": 2,
    }
    assert stored(added, "--timezone", "")["timezone"] is None
    assert "patches: yes" in added("trackers", "edit", "ims").out


@pytest.mark.parametrize(
    "change",
    [
        ("--option", "relation=yes"),
        ("--option", "relations=perhaps"),
        ("--option", "page_size=10"),
        ("--option", "download_url=https://h/?token=x"),
        ("--timezone", "Seoul"),
        ("--rate", "-1"),
        ("--concurrency", "0"),
        ("--url", ""),
        ("--url", "https://elsewhere.example.com"),
        ("--username", "lee"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(added: Shell, change: tuple[str, ...]) -> None:
    before = stored(added)
    done = added("trackers", "edit", "ims", *change)
    assert done.status == 2
    assert done.sentence()
    assert stored(added) == before


def test_a_new_account_needs_its_own_password(added: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMS_TRACKER_PASSWORD", "made-up-for-a-test")
    assert stored(added, "--username", "lee")["username"] == "lee"
    assert stored(added, "--username", "")["has_password"] is False


def test_a_name_of_another_kind_takes_none_of_the_old_options(added: Shell) -> None:
    add = ("trackers", "add", "ims", "--kind", "trac", "--url", "http://host/trac")
    assert added(*add, "--option", "page_size=10001").status == 2
    assert added(*add, "--option", "page_size=20").status == 0
    assert stored(added)["options"] == {"page_size": 20, "ignore_robots": False}


def test_the_options_of_a_kind_are_listed(shell: Shell) -> None:
    rows = {row["name"]: row for row in shell("trackers", "options", "ims", "--json").document}
    assert set(rows) == {"path", "login_path", "download_url", "relations", "patches", "page_size_cookie"}
    assert (rows["path"]["type"], rows["path"]["default"]) == ("str", "tody")
    assert (rows["relations"]["type"], rows["relations"]["default"]) == ("bool", False)
    assert all(row["help"].endswith(".") for row in rows.values())
    assert "page_size\tnumber\t500" in shell("trackers", "options", "trac").out
    assert shell("trackers", "options", "tarc").status == 2
