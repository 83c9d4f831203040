"""The filters of a search as they are typed, kept with a favorite and refused where they cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db import Issue
from tests.fixtures.schema import ALICE
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")
NOW = datetime.now(UTC)


@pytest.fixture
def stored(shell: Shell) -> Shell:
    """Three issues about a zebra: old and changed yesterday, new, and one without dates."""
    with shell.database.session(ALICE) as session:
        session.add_all(
            [
                Issue(issue_id="1", title="zebra", registered_date=datetime(2020, 1, 31, 23, tzinfo=UTC),
                      modified_date=NOW - timedelta(days=1), status="Closed", state="done", owner="Kim Lee",
                      priority="High", module="lsnr", product="Tibero"),
                Issue(issue_id="2", title="zebra", registered_date=NOW, status="New", state="open",
                      owner="Sato", priority="Low", module="core", product="ProSort"),
                Issue(issue_id="3", title="zebra"),
            ]
        )  # fmt: skip
    return shell


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("--created 2020-01", "1"),
        ("--created 2020/01/31", "1"),
        ("--created ..2020-01-30", ""),
        ("--created 7d", "2"),
        ("--created today", "2"),
        ("--updated yesterday", "1"),
        ("--updated 3d..", "12"),
        ("--since 3d", "12"),
        ("--since yesterday --until yesterday", "1"),
        ("--until 2019", ""),
        ("--owner kim", "1"),
        ("--priority high", "1"),
        ("--module CORE", "2"),
        ("--state done", "1"),
        ("--status open", "2"),
        ("--product tib --owner lee", "1"),
    ],
)
def test_an_option_narrows_a_search_and_a_favorite(stored: Shell, options: str, found: str) -> None:
    typed = options.split()
    wanted = sorted(found)
    assert sorted(hit["issue_id"] for hit in stored("search", "zebra", *typed, "--json").document) == wanted
    assert stored("favorites", "add", "mine", "zebra", *typed, "--json").status == 0
    assert sorted(hit["issue_id"] for hit in stored("favorites", "run", "mine", "--json").document) == wanted
    assert stored("favorites", "add", "all", "zebra").status == 0
    assert (
        sorted(hit["issue_id"] for hit in stored("favorites", "run", "all", *typed, "--json").document)
        == wanted
    )


def test_a_filter_given_later_replaces_the_favorites_own(stored: Shell) -> None:
    stored("favorites", "add", "mine", "zebra", "--updated", "..2019", "--owner", "kim")
    assert stored("favorites", "run", "mine", "--json").document == []
    (hit,) = stored("favorites", "run", "mine", "--since", "3d", "--json").document
    assert hit["issue_id"] == "1"


def test_hits_are_sorted_by_time(stored: Shell) -> None:
    for sort, order in (("created", "213"), ("updated", "213")):
        hits = stored("search", "zebra", "--sort", sort, "--json").document
        assert [hit["issue_id"] for hit in hits] == list(order)
    (second,) = stored(
        "search", "zebra", "--sort", "created", "--limit", "1", "--offset", "1", "--json"
    ).document
    assert second["issue_id"] == "1"


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ("--status opne", "open"),
        ("--status colsed", "closed"),
        ("--priority Hgih", "High"),
        ("--module cor", "core"),
        ("--product Tibreo", "Tibero"),
        ("--tracker nonesuch", "trackers list"),
        ("--state opne", "in_progress"),
        ("--sort date", "updated"),
        ("--created sometime", "yesterday"),
        ("--updated 1d --since 2d", "--updated A..B"),
    ],
)
def test_what_no_issue_can_have_is_refused_with_what_may_be_meant(
    stored: Shell, options: str, meant: str
) -> None:
    done = stored("search", "zebra", "--exact", *options.split())
    assert done.status == 2
    assert meant in done.sentence()


def test_a_word_that_issues_have_is_no_mistake(stored: Shell) -> None:
    done = stored("search", "nothing-like-it", "--status", "closed", "--priority", "low", "--json")
    assert (done.status, done.document) == (0, [])
