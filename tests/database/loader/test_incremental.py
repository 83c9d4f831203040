"""``--since last``: changes are asked for from then on, and none falls between two sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawler.http.stats import ClientStats
from crawler.query import parse_query
from db import get_session
from db.models import CrawlSession
from pipeline.sessions.crawl_session import CrawlRequest, begin
from pipeline.sessions.ending import Ending, end
from pipeline.sessions.since import CANNOT_TELL, since_last, with_since_warning
from tests.fixtures.crawl import Crawler

Past = Callable[..., datetime]

OVERLAP = timedelta(days=1)


@pytest.fixture
def tracker_id(crawler: Crawler) -> int:
    return int(
        crawler.value(
            "INSERT INTO ims.trackers (user_id, name, kind, base_url)"
            " VALUES (2, 't', 'ims', 'http://127.0.0.1') RETURNING tracker_id"
        )
    )


@pytest.fixture
def past(crawler: Crawler, tracker_id: int) -> Past:
    """Makes a session of some days ago and gives its start."""

    def make(days: int, query: str = "+crash", *, status: str = "completed", **changes: Any) -> datetime:
        columns = {name: changes.pop(name) for name in ("failed_issues", "user_id") if name in changes}
        lease = begin(2, tracker_id, wanted(query, **changes))
        end(lease, Ending(status=status, seconds=1.0, search_seconds=0.5, spent=ClientStats()))
        started = datetime.now(UTC) - timedelta(days=days)
        with get_session(user_id=2) as session:
            row = session.get_one(CrawlSession, lease.session_id)
            row.started_at = started
            for name, value in columns.items():
                setattr(row, name, value)
        return started

    return make


def wanted(query: str = "+crash", **changes: Any) -> CrawlRequest:
    return CrawlRequest(original=query, query=parse_query(query), **changes)


def since(tracker_id: int, request: CrawlRequest, user_id: int = 2) -> datetime | None:
    return since_last(user_id, tracker_id, request).since


def test_without_a_session_everything_is_asked_for_and_that_is_said(
    crawler: Crawler, tracker_id: int
) -> None:
    request = since_last(2, tracker_id, wanted())
    assert request.since is None
    assert request.since_last
    assert "everything" in request.notes[0]


def test_the_last_session_of_the_same_counts_with_an_overlap_of_a_day(
    crawler: Crawler, tracker_id: int, past: Past
) -> None:
    past(9)
    last = past(4)
    assert since(tracker_id, wanted()) == last - OVERLAP
    assert since(tracker_id, wanted(), user_id=3) is None


@pytest.mark.parametrize(
    "other",
    [
        {"query": "+error"},
        {"query": "+crash status:open"},
        {"product": "Tibero"},
        {"max_results": 5},
        {"status": "interrupted"},
        {"status": "failed"},
        {"failed_issues": 1},
        {"census": True},
        {"since": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_session_that_may_have_missed_something_does_not_count(
    crawler: Crawler, tracker_id: int, past: Past, other: dict[str, Any]
) -> None:
    good = past(9)
    past(4, **other)
    assert since(tracker_id, wanted()) == good - OVERLAP


def test_sessions_since_the_last_one_follow_each_other(crawler: Crawler, tracker_id: int, past: Past) -> None:
    first = past(9)
    second = past(4, since=first, since_last=True)
    assert since(tracker_id, wanted()) == second - OVERLAP


@pytest.mark.parametrize("more", ["related", "attachments"])
def test_who_asks_for_more_than_before_gets_it_for_all_issues(
    crawler: Crawler, tracker_id: int, past: Past, more: str
) -> None:
    past(4)
    request = wanted()
    request = replace(request, related=True) if more == "related" else replace(request, attachments=True)
    assert since(tracker_id, request) is None
    last = past(3, **{more: True})
    assert since(tracker_id, request) == last - OVERLAP
    assert since(tracker_id, wanted()) == last - OVERLAP


def test_that_a_tracker_knows_no_times_of_change_is_written_down(
    crawler: Crawler, tracker_id: int, past: Past
) -> None:
    past(4)
    request = since_last(2, tracker_id, wanted())
    assert with_since_warning(request, "trac").notes == request.notes
    lease = begin(2, tracker_id, with_since_warning(request, "ims"))
    with get_session(user_id=2) as session:
        metadata = session.get_one(CrawlSession, lease.session_id).session_metadata
    assert CANNOT_TELL in metadata["nl_parsing"]["explanation"]
    assert with_since_warning(wanted(), "ims").notes == ()
