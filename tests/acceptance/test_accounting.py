"""A session accounted for, its issues read again and its pages taken along, as a user does it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.program import Program, Tracker

pytestmark = pytest.mark.xdist_group("accounting")

RECEIPT_KEYS = {
    *("session_uuid", "complete", "tracker_total", "found", "stored_new", "stored_changed", "unchanged"),
    *("failed", "skipped", "reasons", "comments_announced", "comments_stored", "history_announced"),
    *("history_stored", "pages_kept", "requests", "retries"),
}


@pytest.fixture(scope="module")
def crawled(ims_crawl: Program, ims_process: Tracker) -> dict[str, Any]:
    """A session over the whole tracker."""
    done = ims_crawl("crawl", "*", *ims_process.options, "--json", **ims_process.ACCOUNT)
    assert done.status == 0, done.err
    document: dict[str, Any] = done.document
    return document


def test_a_receipt_says_what_the_session_said(ims_crawl: Program, crawled: dict[str, Any]) -> None:
    receipt = ims_crawl("receipt", crawled["session_uuid"], "--json").document
    assert set(receipt) >= RECEIPT_KEYS
    assert receipt["session_uuid"] == crawled["session_uuid"]
    assert receipt["complete"] is True
    assert receipt["found"] == receipt["tracker_total"] == crawled["total_issues_found"]
    assert receipt["stored_new"] == receipt["pages_kept"] == crawled["issues_crawled"]
    assert receipt["comments_announced"] == receipt["comments_stored"] > 50
    assert receipt["history_announced"] == receipt["history_stored"] > 50
    page = ims_crawl("receipt", crawled["session_uuid"])
    assert page.status == 0
    assert "completed: complete" in page.out


def test_somebody_elses_receipt_and_none_at_all_are_one_sentence(
    ims_crawl: Program, crawled: dict[str, Any]
) -> None:
    assert ims_crawl("users", "add", "stranger").status == 0
    sentences = set()
    theirs = crawled["session_uuid"]
    for command, wanted in (("receipt", theirs), ("receipt", str(uuid4())), ("reparse", theirs)):
        done = ims_crawl(command, wanted, IMS_USER="stranger")
        assert done.status == 2
        assert done.out == ""
        sentences.add(done.sentence().replace(wanted, "…"))
    assert sentences == {"There is no session …: see sessions."}


def test_issues_are_read_again_from_what_is_kept(ims_crawl: Program, crawled: dict[str, Any]) -> None:
    done = ims_crawl("reparse", crawled["session_uuid"], "--json")
    assert done.status == 0
    number = crawled["issues_crawled"]
    assert done.document == {"pages": number, "issues": number, "changed": 0, "failed": 0}
    done = ims_crawl("reparse", "--all")
    assert done.status == 0
    assert f"{number} issues from {number} pages, 0 failed" in done.out
    assert ims_crawl("reparse", crawled["session_uuid"], "--all").status == 2


@pytest.mark.usefixtures("crawled")
def test_the_quarantine_of_a_tidy_tracker_is_empty(ims_crawl: Program) -> None:
    assert ims_crawl("quarantine", "list", "--json").document == []
    retried = ims_crawl("quarantine", "retry", "--json")
    assert (retried.status, retried.document["pages"]) == (0, 0)
    done = ims_crawl("quarantine", "show", "1")
    assert done.status == 2
    assert done.sentence() == "Issue 1 has no page in quarantine: see quarantine list."


def test_the_pages_can_be_taken_along(ims_crawl: Program, crawled: dict[str, Any]) -> None:
    path = ims_crawl.home.parent / "pages.warc"
    done = ims_crawl("export", "--warc", str(path), "--json")
    assert done.status == 0
    assert done.document["pages"] == crawled["issues_crawled"]
    archive = path.read_bytes()
    assert archive.count(b"WARC-Type: response") == crawled["issues_crawled"]
    assert Tracker.ACCOUNT["IMS_TRACKER_PASSWORD"].encode() not in archive
    assert ims_crawl("export").status == 2
    assert ims_crawl("export", "--warc", str(path / "below")).status == 2
