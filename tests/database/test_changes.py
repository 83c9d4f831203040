"""What a command changed is told: a sentence for people, one JSON document for programs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")

TRACKER = ("trackers", "add", "desk", "--kind", "ims", "--url", "http://127.0.0.1:1")
SCHEDULE = ("schedule", "add", "nightly", "*", "--cron", "0 2 * * *")

# In this order: each needs what those before it made.
CHANGES: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (TRACKER, {"name": "desk", "kind": "ims", "username": None, "has_password": False}),
    (SCHEDULE, {"name": "nightly", "cron": "0 2 * * *", "timezone": "UTC"}),
    (("schedule", "pause", "nightly"), {"name": "nightly", "is_active": False}),
    (("schedule", "resume", "nightly"), {"name": "nightly", "is_active": True}),
    (("schedule", "remove", "nightly"), {"name": "nightly", "removed": True}),
    (("favorites", "add", "mine", "+zebra", "--owner", "kim"), {"name": "mine", "options": {"owner": "kim"}}),
    (("favorites", "remove", "mine"), {"name": "mine", "removed": True}),
    (("trackers", "rotate-key"), {"passwords": 0}),
    (("trackers", "remove", "desk"), {"name": "desk", "removed": True}),
    (("users", "add", "eve"), {"username": "eve", "role": "user"}),
    (("users", "disable", "eve"), {"username": "eve", "is_active": False}),
    (("users", "enable", "eve"), {"username": "eve", "is_active": True}),
    (("users", "role", "eve", "readonly"), {"username": "eve", "role": "readonly"}),
)


def test_every_change_is_told_as_json(shell: Shell) -> None:
    for command, told in CHANGES:
        done = shell(*command, "--json", user="root")
        assert (done.status, done.err) == (0, ""), command
        assert done.document | told == done.document, command


def test_every_change_is_told_in_a_sentence(shell: Shell) -> None:
    for command, told in CHANGES:
        done = shell(*command, user="root")
        assert (done.status, done.out) == (0, ""), command
        assert str(next(iter(told.values()))) in done.sentence(), command


def test_users_are_listed_with_numbers_as_numbers(shell: Shell) -> None:
    first = shell("users", "list", user="root").out.splitlines()
    assert sorted(line.split("\t")[0] for line in first) == sorted(
        str(row["user_id"]) for row in shell("users", "list", "--json", user="root").document
    )
    assert {line.split("\t")[3] for line in first} <= {"yes", "no"}


@pytest.mark.parametrize("name", ["", " ", "a\tb"])
def test_a_tracker_has_a_name(shell: Shell, name: str) -> None:
    done = shell("trackers", "add", name, *TRACKER[3:])
    assert done.status == 2
    assert "name" in done.sentence()


def test_an_account_without_a_password_is_refused_and_nothing_is_stored(shell: Shell) -> None:
    done = shell(*TRACKER, "--username", "kim")
    assert done.status == 2
    assert "--password-stdin" in done.sentence()
    assert shell("trackers", "list", "--json").document == []


def test_history_says_what_was_shown(shell: Shell) -> None:
    shell("search", "zebra")
    assert shell("history").out.split("\t")[-1] == "0 shown\n"


def test_a_dash_is_standard_output(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.home)
    assert shell("report", "-o", "-").out.startswith("<!")
    assert shell("export", "issues", "-o", "-").out == shell("export", "issues").out
    assert shell("export", "--warc", "-").status == 2
    assert not (shell.home / "-").exists()
    assert shell("report", "-o", "page.html", "--json").document["file"] == "page.html"
    shell("export", "history", "-o", "history.csv")
    assert "0 history entries were written" in shell("export", "history", "-o", "history.csv").sentence()
