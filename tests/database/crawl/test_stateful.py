"""Tracker and crawler together: whatever happens to issues between crawls, what is stored is what there is.

The model is a plain dictionary of what the last crawl must have seen. Changes that two crawls could see are
expected in the observed history, each once; what is gone has its tombstone and nothing else has one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from crawler.sources.ims.standin import Action, Issue, StandIn
from tests.fixtures.crawl import Crawler

TEXTS = st.sampled_from(
    ["one", "two words", "<b>no markup</b>", "한글 댓글", "a & b", "日本語", "same", "same "]
)
PLACES = st.integers(0, 50)
KINDS = [
    "add",
    "edit",
    "comment",
    "edit comment",
    "edit comment",
    "remove comment",
    "remove",
    "move",
    "expire",
]
# what happens, to which issue, to which of its comments, and a text
CHANGES = st.tuples(st.sampled_from(KINDS), PLACES, PLACES, TEXTS)
DAY = datetime(2024, 5, 6, 12, 30)


@dataclass(frozen=True)
class Seen:
    """What a crawl saw of one issue."""

    title: str
    status: str
    comments: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, issue: Issue) -> Seen:
        comments = tuple((action.number, action.text.strip()) for action in issue.actions)
        return cls(issue.title.strip(), issue.status, comments)


class Together(RuleBasedStateMachine):
    """A tracker that changes, a crawler that comes by now and then, and a model of what must be stored."""

    crawler: Crawler  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.tracker = StandIn()
        self.seen: dict[int, Seen] = {}  # as the latest crawl saw each issue, those gone since included
        self.removed: dict[int, str] = {}  # tombstones of issues
        self.removed_comments: set[tuple[int, int]] = set()
        self.observed: Counter[tuple[int, str, str, str]] = Counter()
        self.next_number = 1
        self.next_comment = 1

    @initialize(issues=st.integers(0, 8))
    def begin(self, issues: int) -> None:
        with self.crawler.database.superuser() as connection:
            ((user_id,),) = connection.execute(
                "INSERT INTO ims.users (username) VALUES (gen_random_uuid()::text) RETURNING user_id"
            ).fetchall()
        self.mine = replace(self.crawler, user_id=user_id)
        self.runner.run(self.tracker.__aenter__())
        for _ in range(issues):
            self.add("an issue", "some text")
        self.crawl()

    @rule(changes=st.lists(CHANGES, min_size=2, max_size=12), census=st.booleans())
    def live(self, changes: list[tuple[str, int, int, str]], census: bool) -> None:
        """Things happen to the tracker, then the crawler comes by."""
        for kind, place, which, text in changes:
            if kind == "add":
                self.add(text, text)
            elif kind == "expire":
                self.tracker.expire_sessions()
            elif numbers := self.tracker.world.numbers():
                self.change(kind, numbers[place % len(numbers)], which, text)
        if census:
            self.census()
        else:
            self.crawl()
        self.compare()

    def add(self, title: str, comment: str) -> None:
        issue = Issue(
            number=self.next_number,
            title=title,
            product="Tibero",
            status="New",
            registered=DAY,
            reporter="kim",
            description="It fails.",
            actions=(self._comment(comment), self._comment("a second one")),
        )
        self.next_number += 1
        self.tracker.add_issue(issue)

    def change(self, kind: str, number: int, which: int, text: str) -> None:
        actions = self.tracker.issue(number).actions
        chosen = actions[which % len(actions)].number if actions else None
        if kind == "edit":
            self.tracker.edit_issue(number, title=text, status="Closed" if which % 2 else "New")
        elif kind == "comment":
            self.tracker.edit_issue(number, added_comments=[self._comment(text)])
        elif kind == "edit comment" and chosen is not None:
            self.tracker.edit_issue(number, edited_comments={chosen: text})
        elif kind == "remove comment" and chosen is not None:
            self.tracker.edit_issue(number, removed_comments=[chosen])
        elif kind == "remove":
            self.tracker.remove_issue(number)
        elif kind == "move":
            self.tracker.move_issue(number, self.next_number)
            self.next_number += 1

    def crawl(self) -> None:
        self._run()
        for number in self._numbers():
            self._see(number)

    def census(self) -> None:
        self._run(census=True, allow_mass_removal=True)
        there = set(self._numbers())
        for number in sorted(there):
            if number not in self.seen or number in self.removed:
                self._see(number)
        for number in sorted(self.seen.keys() - there - self.removed.keys()):
            end = self._end_of(number)
            if end in there and end != number:
                self.removed[number] = "moved"
                self._see(end)  # looking for it brings it up to date under its new number
            else:
                self.removed[number] = "deleted"

    def compare(self) -> None:
        """What is stored is what the model says."""
        mine = self.mine.user_id
        issues = self.mine.rows(
            "SELECT issue_id::integer, title, status, removed_reason, removed_at IS NOT NULL"
            " FROM ims.issues WHERE user_id = %s",
            mine,
        )
        assert len(issues) == len({row[0] for row in issues})
        assert {row[0]: row[1:4] for row in issues} == {
            number: (seen.title, seen.status, self.removed.get(number)) for number, seen in self.seen.items()
        }
        assert all(gone == (reason is not None) for *_, reason, gone in issues)
        comments = self.mine.rows(
            "SELECT i.issue_id::integer, c.comment_number, c.content, c.removed_at IS NOT NULL"
            " FROM ims.issue_comments c JOIN ims.issues i USING (issue_pk) WHERE c.user_id = %s",
            mine,
        )
        assert sorted(row[:3] for row in comments if not row[3]) == sorted(
            (number, *comment) for number, seen in self.seen.items() for comment in seen.comments
        )
        assert sorted(row[:2] for row in comments if row[3]) == sorted(self.removed_comments)
        history = self.mine.rows(
            "SELECT i.issue_id::integer, h.field_name, h.old_value, h.new_value"
            " FROM ims.issue_history h JOIN ims.issues i USING (issue_pk)"
            " WHERE h.user_id = %s AND h.change_type = 'observed'",
            mine,
        )
        assert Counter(history) == self.observed

    def teardown(self) -> None:
        self.runner.run(self.tracker.__aexit__(None, None, None))
        self.runner.close()

    def _run(self, **request: Any) -> None:
        done = self.runner.run(self.mine.crawl(self.tracker, **request))
        assert done.error is None
        assert done.outcome["status"] == "completed", done.outcome
        assert done.outcome["failed_issues"] == 0

    def _see(self, number: int) -> None:
        """A crawl reads this issue."""
        now, before = Seen.of(self.tracker.issue(number)), self.seen.get(number)
        self.seen[number] = now
        self.removed.pop(number, None)
        if before is None:
            return
        for field in ("title", "status"):
            old, new = getattr(before, field), getattr(now, field)
            if old != new:
                self.observed[number, field, old, new] += 1
        old_comments, new_comments = dict(before.comments), dict(now.comments)
        for comment in old_comments.keys() & new_comments.keys():
            old, new = old_comments[comment], new_comments[comment]
            if old != new:
                self.observed[number, f"comment {comment}", old, new] += 1
        gone = {(number, comment) for comment in old_comments.keys() - new_comments.keys()}
        self.removed_comments |= gone

    def _end_of(self, number: int) -> int:
        while (following := self.tracker.world.moved_to(number)) is not None:
            number = following
        return number

    def _numbers(self) -> list[int]:
        return self.tracker.world.numbers()

    def _comment(self, text: str) -> Action:
        self.next_comment += 1
        return Action(number=self.next_comment, author="lee", at=DAY, text=text)


def run(crawler: Crawler, *, examples: int, steps: int) -> None:
    """Try so many lives of a tracker."""

    class Machine(Together):
        pass

    Machine.crawler = crawler
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=bounds)


def test_what_is_stored_is_what_the_tracker_has_whatever_happened_to_it(crawler: Crawler) -> None:
    run(crawler, examples=5, steps=4)


@pytest.mark.long
def test_what_is_stored_is_what_the_tracker_has_in_many_lives(crawler: Crawler) -> None:
    run(crawler, examples=100, steps=12)
