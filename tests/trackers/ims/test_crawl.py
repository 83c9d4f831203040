"""A crawl of the stand-in, as a user runs it, from the question to what is stored."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.sources.ims.standin import StandIn
from crawler.sources.ims.standin.model import Action
from tests.fixtures.database import wait_until
from tests.fixtures.program import Program, Tracker
from tests.fixtures.standin import ISSUE, in_a_thread

pytestmark = pytest.mark.xdist_group("ims")

PATCHED = "342018"  # its project has a patch list
CRAWL_KEYS = {
    "session_uuid",
    "status",
    "total_issues_found",
    "issues_crawled",
    "issues_new",
    "issues_changed",
    "issues_unchanged",
    "failed_issues",
    "skipped_issues",
    "related_issues",
    "attachments_downloaded",
    "duration_seconds",
    "errors",
}


@pytest.fixture(scope="module")
def first_crawl(ims_crawl: Program, ims_process: Tracker) -> dict[str, Any]:
    """The whole tracker, crawled once."""
    done = ims_crawl("crawl", "*", *ims_process.options, "--json", **ims_process.ACCOUNT)
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def test_everything_that_the_tracker_lists_is_stored(first_crawl: dict[str, Any]) -> None:
    assert set(first_crawl) == CRAWL_KEYS
    assert first_crawl["status"] == "completed"
    assert (
        first_crawl["issues_new"] == first_crawl["issues_crawled"] == first_crawl["total_issues_found"] > 50
    )
    assert first_crawl["failed_issues"] == 0


@pytest.mark.usefixtures("first_crawl")
def test_the_same_crawl_again_finds_nothing_changed(ims_crawl: Program, ims_process: Tracker) -> None:
    again = ims_crawl("crawl", "*", *ims_process.options, "--json", **ims_process.ACCOUNT).document
    assert again["issues_unchanged"] == again["total_issues_found"]
    assert again["issues_new"] == again["issues_changed"] == 0


@pytest.mark.usefixtures("first_crawl")
@pytest.mark.parametrize("query", ["timeout", "오류", "エラー"])
def test_what_was_crawled_is_found_and_shown(ims_crawl: Program, query: str) -> None:
    hits = ims_crawl("search", query, "--json").document
    assert hits
    keys = {"issue_id", "tracker", "title", "product", "status", "rank", "snippet", "url", "found_in"}
    assert set(hits[0]) == keys
    issue = ims_crawl("show", hits[0]["issue_id"], "--json").document
    assert issue["title"] == hits[0]["title"]
    assert {"comments", "history", "attachments", "relations"} <= set(issue)
    page = ims_crawl("show", hits[0]["issue_id"])
    assert page.status == 0
    assert "Description" in page.out


@pytest.mark.usefixtures("first_crawl")
def test_another_user_sees_nothing_of_it(ims_crawl: Program) -> None:
    assert ims_crawl("users", "add", "stranger").status == 0
    assert ims_crawl("search", "timeout", "--json", IMS_USER="stranger").document == []
    assert ims_crawl("sessions", "--json", IMS_USER="stranger").document == []
    assert ims_crawl("trackers", "list", "--json", IMS_USER="stranger").document == []


def test_a_product_and_a_limit_hold(ims_crawl: Program, ims_process: Tracker) -> None:
    some = ims_crawl(
        "crawl",
        "*",
        *ims_process.options,
        "--product",
        "Tibero",
        "--max",
        "3",
        "--json",
        **ims_process.ACCOUNT,
    ).document
    assert some["total_issues_found"] == 3
    assert some["issues_crawled"] == 3


def test_what_the_tracker_cannot_express_is_left_out_after_a_look(
    ims_crawl: Program, ims_process: Tracker
) -> None:
    query = ("crawl", "+Tibero -timeout", *ims_process.options, "--json")
    done = ims_crawl(*query, **ims_process.ACCOUNT).document
    assert done["skipped_issues"] > 0
    assert done["issues_crawled"] + done["skipped_issues"] == done["total_issues_found"]


def test_what_did_not_change_since_a_time_is_left_out_after_a_look(
    ims_crawl: Program, ims_process: Tracker
) -> None:
    user = "recent"
    assert ims_crawl("users", "add", user).status == 0
    crawl = ("crawl", "*", *ims_process.options, "--since", "2026-01-01", "--json")
    done = ims_crawl(*crawl, IMS_USER=user, **ims_process.ACCOUNT)
    assert done.status == 0, done.err
    assert 0 < done.document["issues_crawled"] < done.document["total_issues_found"]
    receipt = ims_crawl("receipt", done.document["session_uuid"], "--json", IMS_USER=user).document
    assert receipt["complete"]
    assert receipt["reasons"] == {"has not changed since 2026-01-01": done.document["skipped_issues"]}
    assert receipt["found"] == receipt["stored_new"] + receipt["skipped"]
    some = ims_crawl(
        *crawl, "--since", "2026-01-01", "--max", "2", IMS_USER=user, **ims_process.ACCOUNT
    ).document
    assert some["issues_crawled"] == 2


def test_attachments_are_kept_under_their_hash_for_their_owner_only(
    ims_crawl: Program, ims_process: Tracker
) -> None:
    done = ims_crawl("crawl", "*", *ims_process.options, "--attachments", "--json", **ims_process.ACCOUNT)
    assert done.status == 0, done.err
    assert done.document["attachments_downloaded"] > 5
    files = [path for path in (ims_crawl.home / "attachments").rglob("*") if path.is_file()]
    assert files
    assert all(len(path.name) == 64 for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_related_issues_are_crawled_one_step_away(ims_crawl: Program, ims_process: Tracker) -> None:
    alone = ims_crawl("crawl", "+ORA-01555", *ims_process.options, "--json", **ims_process.ACCOUNT).document
    both = ims_crawl(
        "crawl", "+ORA-01555", *ims_process.options, "--related", "--json", **ims_process.ACCOUNT
    ).document
    assert both["total_issues_found"] == alone["total_issues_found"]
    assert both["related_issues"] > 0
    assert (
        both["issues_crawled"] == both["total_issues_found"] + both["related_issues"] - both["failed_issues"]
    )


def test_the_lists_beside_the_page_are_fetched_where_the_options_ask_for_them(
    ims_crawl: Program, ims_process: Tracker
) -> None:
    user = "optioned"
    assert ims_crawl("users", "add", user).status == 0
    add = ("trackers", "add", "ims", *ims_process.options, "--username", "kim", "--password-stdin")
    assert ims_crawl(*add, stdin="kim-secret\n", IMS_USER=user).status == 0

    def crawled() -> tuple[dict[str, Any], set[str]]:
        done = ims_crawl("crawl", "*", "--tracker", "ims", "--json", IMS_USER=user)
        assert done.status == 0, done.err
        receipt = ims_crawl("receipt", done.document["session_uuid"], "--json", IMS_USER=user).document
        issue = ims_crawl("show", PATCHED, "--json", IMS_USER=user).document
        return receipt, {relation["relation_type"] for relation in issue["relations"]}

    plain, types = crawled()
    assert "patch" not in types
    edit = ("trackers", "edit", "ims", "--option", "relations=yes", "--option", "patches=yes")
    assert ims_crawl(*edit, IMS_USER=user).status == 0
    more, types = crawled()
    assert "patch" in types
    assert more["requests"] >= plain["requests"] + more["found"]
    assert more["stored_changed"] > 0


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(
            signal.SIGINT, marks=pytest.mark.long
        ),  # tests/acceptance/test_faults_killed.py has more of it
        signal.SIGTERM,
        pytest.param(signal.SIGKILL, marks=pytest.mark.long),  # likewise
    ],
)
def test_a_session_that_is_stopped_is_resumed_with_nothing_lost_and_nothing_twice(
    ims_crawl: Program, number: signal.Signals
) -> None:
    user = f"stopped-{number.name.lower()}"
    assert ims_crawl("users", "add", user).status == 0
    with in_a_thread(StandIn(synthetic=120, latency=0.02)) as tracker:
        options = ("--kind", "ims", "--url", tracker.url, "--workers", "2", "--json")
        crawl = ims_crawl.start("crawl", "*", *options, IMS_USER=user, **Tracker.ACCOUNT)
        wait_until(lambda: tracker.requests[ISSUE] >= 20, "some issues are asked for", 60)
        tracker.latency = 5.0  # the rest takes minutes, however long we need to see that some are stored
        session = _wait_for_session(ims_crawl, user)
        os.kill(crawl.pid, number)
        tracker.latency = 0.0
        _, errors = crawl.communicate(timeout=60)
        if number is not signal.SIGKILL:
            assert crawl.returncode == 130
            assert f"resume {session}" in errors
        resumed = ims_crawl("resume", session, "--json", IMS_USER=user, **Tracker.ACCOUNT)
    assert resumed.status == 0, resumed.err
    document = resumed.document
    assert document["session_uuid"] == session
    assert document["status"] == "completed"
    assert document["issues_new"] == document["total_issues_found"] == 120


def test_every_comment_of_an_issue_that_is_read_in_pieces_is_stored(ims_crawl: Program) -> None:
    user = "giant"
    assert ims_crawl("users", "add", user).status == 0
    texts = [f"{number} " + "누수 leak \N{GRINNING FACE} " * 3000 + "." for number in range(60)]  # 3 MB
    with in_a_thread(StandIn(synthetic=2)) as tracker:
        number = tracker.world.numbers()[0]
        at = datetime(2026, 1, 1, tzinfo=UTC)
        tracker.edit_issue(
            number,
            added_comments=[
                Action(number=9_000_000 + place, author="kim", at=at, text=text)
                for place, text in enumerate(texts)
            ],
        )
        options = ("crawl", "*", "--kind", "ims", "--url", tracker.url, "--json")
        first = ims_crawl(*options, IMS_USER=user, **Tracker.ACCOUNT).document
        again = ims_crawl(*options, IMS_USER=user, **Tracker.ACCOUNT).document
    read_again = ims_crawl("reparse", "--json", IMS_USER=user).document
    assert (first["issues_new"], first["errors"], again["issues_unchanged"]) == (2, [], 2)
    assert (read_again["issues"], read_again["changed"]) == (2, 0)
    comments = ims_crawl("show", str(number), "--json", IMS_USER=user).document["comments"]
    assert [comment["content"] for comment in comments if comment["comment_number"] >= 9_000_000] == texts


def _wait_for_session(ims_crawl: Program, user: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        sessions = ims_crawl("sessions", "--json", IMS_USER=user).document
        if sessions and sessions[0]["issues_crawled"]:
            assert sessions[0]["status"] == "running"
            return str(sessions[0]["session_uuid"])
    raise AssertionError("the crawl stored nothing within a minute")
