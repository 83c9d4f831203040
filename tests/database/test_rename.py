"""A tracker gets another name; what was crawled from it stays with it."""

from __future__ import annotations

import pytest

from db import Issue, Tracker
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("shell")


@pytest.fixture
def named(shell: Shell) -> Shell:
    """Alice's trackers old and other, the first with an issue, and Bob's tracker new."""
    for user_id, names in ((ALICE, ("old", "other")), (BOB, ("new", "old"))):
        with shell.database.session(user_id) as session:
            for name in names:
                tracker = Tracker(name=name, kind="ims", base_url="http://localhost/")
                session.add(tracker)
                session.flush()
                session.add(Issue(issue_id="7", tracker_id=tracker.tracker_id, title=f"of {name}"))
    return shell


def test_a_renamed_tracker_keeps_its_issues(named: Shell) -> None:
    assert named("trackers", "rename", "old", "new").status == 0
    assert {row["name"] for row in named("trackers", "list", "--json").document} == {"new", "other"}
    assert named("show", "7", "--tracker", "new", "--json").document["title"] == "of old"
    bobs = named("trackers", "list", "--json", user="bob").document
    assert {row["name"] for row in bobs} == {"new", "old"}


@pytest.mark.parametrize("taken", ["other", "", " ", "a\x1bb", "x" * 10_000])
def test_a_name_that_cannot_be_is_refused(named: Shell, taken: str) -> None:
    done = named("trackers", "rename", "old", taken)
    assert done.status == 2, done.err
    assert {row["name"] for row in named("trackers", "list", "--json").document} == {"old", "other"}
